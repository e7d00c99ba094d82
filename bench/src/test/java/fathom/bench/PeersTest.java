package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.net.CifarNet;
import fathom.train.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeersTest {
  @TempDir private Path folder;
  private final @Nullable String home = System.getProperty("fathom.home");

  @AfterEach
  void restore() {
    if (home == null) {
      System.clearProperty("fathom.home");
    } else {
      System.setProperty("fathom.home", home);
    }
  }

  private static List<String> shell(String program) {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no shell");
    return List.of("/bin/sh", "-c", program);
  }

  private static Result line(@Nullable String peer, double @Nullable [] runs) {
    return Result.of("suite", "what", new double[] {3, 1, 2}, peer, runs);
  }

  @Test
  void aPeerAnswersEveryOrderUntilItIsClosed() {
    try (var peer = Peer.start("it", shell("echo ready; while read x; do echo 1.5; done"), null)) {
      assertEquals(1.5, peer.run());
      assertEquals(1.5, peer.run());
    }
  }

  @Test
  void aPeerSaysItsVersionAndItsPeak() {
    var program =
        shell("echo ready 1.2; while read x; do test $x = peak && echo 512 || echo 3; done");
    try (var peer = Peer.start("it", program, null)) {
      assertEquals("it 1.2", peer.name());
      assertEquals(512, peer.peak());
      assertEquals(3, peer.run());
    }
  }

  @Test
  void aLibraryStandsBeforeAllOthers() {
    Path library = folder.resolve("no-such-library.so"); // the loader only warns of it
    try (var peer =
        Peer.start("it", shell("echo ready $LD_PRELOAD; while read x; do echo 1; done"), library)) {
      assertEquals("it " + library, peer.name());
    }
  }

  @Test
  void oneThatDoesNotStartSaysWhy() {
    var e =
        assertThrows(
            IllegalStateException.class,
            () -> Peer.start("it", shell("echo first >&2; echo the reason >&2; exit 1"), null));
    assertEquals("the peer it did not start: the reason", e.getMessage());
  }

  @Test
  void whatIsAskedForAndNotInstalledHasALineWithoutFigures() {
    var none = new Peers(Set.of(Peers.Kind.PYTHON, Peers.Kind.MAVEN), null, Set.of(), null);
    try (var lineup = new Peers.Lineup()) {
      none.python(lineup, Peers.PYTORCH, "nchw", "resnet.py");
      none.python(lineup, Peers.PYTORCH, "channels-last", "resnet.py");
      none.java(lineup, "DJL", _ -> List.of());
      var lines = lineup.results(new double[0][], 0, PeersTest::line);
      assertEquals(
          List.of("PyTorch", "DJL"), lines.stream().map(Result::peer).toList(), "once each");
      for (Result line : lines) {
        assertEquals(2, line.median());
        assertNull(line.peerMedian());
        assertNull(line.ratio());
      }
    }
  }

  @Test
  void whatNobodyAskedForIsNotNamed() {
    var none = new Peers(Set.of(), null, Set.of(), null);
    try (var lineup = new Peers.Lineup()) {
      none.python(lineup, Peers.PYTORCH, "nchw", "resnet.py");
      none.java(lineup, "DJL", _ -> List.of());
      var lines = lineup.results(new double[0][], 0, PeersTest::line);
      assertEquals(1, lines.size());
      assertNull(lines.getFirst().peer());
    }
  }

  @Test
  void whatIsThereIsComparedWith() {
    Path interpreter = folder.resolve("python"); // ignores the script that it is given
    var program =
        shell(
            "echo '#!/bin/sh' > %s; echo 'echo ready; while read x; do echo 4; done' >> %s; chmod +x %s"
                .formatted(interpreter, interpreter, interpreter));
    try {
      assertEquals(0, new ProcessBuilder(program).start().waitFor());
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
    var peers = new Peers(Set.of(Peers.Kind.PYTHON), interpreter, Set.of(Peers.PYTORCH), null);
    try (var lineup = new Peers.Lineup()) {
      peers.python(lineup, Peers.PYTORCH, "nchw", "resnet.py");
      peers.python(lineup, Peers.JAX, "", "jax_resnet.py");
      double[] theirs = {lineup.contenders(3).getFirst().getAsDouble()};
      var lines = lineup.results(new double[][] {{0}, theirs}, 1, PeersTest::line);
      assertEquals(List.of("PyTorch nchw", "JAX"), lines.stream().map(Result::peer).toList());
      assertEquals(4, lines.getFirst().peerMedian());
      assertEquals(2, lines.getFirst().ratio());
      assertNull(lines.getLast().ratio());
    }
  }

  @Test
  void javaPeersThatCannotBeBuiltAreMissingWithAReason() throws IOException {
    var said = new ArrayList<String>();
    System.clearProperty("fathom.home");
    assertNull(Peers.find(Set.of(Peers.Kind.MAVEN), said::add).java());
    assertTrue(said.getLast().contains("./fathom"), said.toString());

    System.setProperty("fathom.home", folder.toString());
    Files.createDirectories(folder.resolve("bench/peers"));
    Files.writeString(folder.resolve("bench/peers/pom.xml"), "<project>");
    assertNull(Peers.find(Set.of(Peers.Kind.MAVEN), said::add).java());
    assertTrue(said.getLast().startsWith("no ONNX Runtime and no DJL: Maven"), said.toString());
  }

  /// Downloads and builds them; what they compute is checked by the suites.
  @Test
  void javaPeersRunInTurnWithUs() {
    Assumptions.assumeTrue(Boolean.getBoolean("fathom.long"), "./check --long runs this");
    System.setProperty("fathom.home", System.getProperty("fathom.root"));
    var peers = Peers.find(Set.of(Peers.Kind.MAVEN), System.err::println);
    var net = CifarNet.named("resnet8");
    var results = new ArrayList<>(InferSuite.run(net, 3, 1, Precision.FP32, peers));
    results.addAll(TrainSuite.run(net, 4, 1, 1, 0, Precision.FP32, peers));
    Map<String, Long> ratios =
        results.stream()
            .filter(line -> line.peer() != null && line.ratio() != null)
            .collect(Collectors.groupingBy(Result::peer, Collectors.counting()));
    assertEquals(Map.of("ONNX Runtime for Java", 1L, "DJL", 1L), ratios);
  }
}
