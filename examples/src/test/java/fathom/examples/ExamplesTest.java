package fathom.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Each example does what it says, in a form that can be read at a glance.
class ExamplesTest {
  private static final int MOST_LINES = 50;

  @FunctionalInterface
  interface Main {
    void run() throws Exception;
  }

  /// What an example is to print.
  ///
  /// @param figure a pattern with one group, which finds a number in it; the last one counts
  /// @param least of that number
  /// @param most of it
  record Claim(Class<?> example, Main main, String figure, double least, double most) {
    @Override
    public String toString() {
      return example.getSimpleName();
    }
  }

  private static List<Claim> claims() {
    return List.of(
        // Who guesses is wrong nine times in ten.
        new Claim(OwnNet.class, OwnNet::main, "error (\\S+)", 0, 25),
        new Claim(OverProcesses.class, OverProcesses::main, "error (\\S+)", 0, 25),
        new Claim(EveryShortcut.class, EveryShortcut::main, "error (\\S+)", 0, 25),
        // The mean of 32 measurements of variance 1 has half of 1/32.
        new Claim(PyramidHead.class, PyramidHead::main, "error (\\S+)", 0, 25),
        new Claim(OwnTask.class, OwnTask::main, "loss (\\S+) over", 0.01, 0.03),
        // Who answers the mean, 2/3π, has half of the variance: (1/10 − 4/9π²)/2 = 0.027.
        new Claim(OwnData.class, OwnData::main, "loss (\\S+) over", 0, 0.01),
        // The first test image is a 2.
        new Claim(ClassifierServer.class, ClassifierServer::main, "it shows (\\S+) \\(", 2, 2),
        new Claim(Outlines.class, Outlines::main, " f (\\S+)", 90, 100));
  }

  @ParameterizedTest
  @MethodSource("claims")
  void eachDoesWhatItSays(Claim claim) throws Exception {
    long live = Tensor.live();
    String printed = printed(claim.main);
    assertEquals(live, Tensor.live(), "tensors that live on");
    double figure =
        Pattern.compile(claim.figure)
            .matcher(printed)
            .results()
            .map(found -> Double.valueOf(found.group(1).replaceAll(",$", "")))
            .reduce((_, last) -> last)
            .orElseThrow(() -> new AssertionError("no figure in: " + printed));
    assertTrue(claim.least <= figure && figure <= claim.most, printed);
  }

  private static String printed(Main main) throws Exception {
    PrintStream before = System.out;
    var bytes = new ByteArrayOutputStream();
    try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
      System.setOut(out);
      main.run();
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void eachIsShortAndSaysFirstWhatItShows() throws IOException {
    var found = new TreeSet<String>();
    for (Path file : sources()) {
      List<String> lines = Files.readAllLines(file);
      String name = file.getFileName().toString();
      assertTrue(lines.size() <= MOST_LINES, "%s has %s lines".formatted(name, lines.size()));
      assertTrue(lines.getFirst().startsWith("// "), name + " begins with what it shows");
      assertTrue(lines.stream().anyMatch(line -> line.contains(" static void main(")), name);
      found.add(name.replace(".java", ""));
    }
    assertEquals(
        claims().stream().map(Claim::toString).collect(Collectors.toCollection(TreeSet::new)),
        found);
  }

  private static List<Path> sources() throws IOException {
    Path folder =
        Path.of(System.getProperty("fathom.root"), "examples", "src", "main", "java", "fathom");
    try (Stream<Path> files = Files.list(folder.resolve("examples"))) {
      return files.filter(file -> !file.endsWith("package-info.java")).sorted().toList();
    }
  }
}
