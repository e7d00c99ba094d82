package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import fathom.train.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsFileTest {
  @TempDir private Path folder;

  private static Result line(String name, @Nullable String peer, double @Nullable [] runs) {
    return Result.of("suite", name, new double[] {2, 1, 3}, peer, runs);
  }

  @Test
  void oneThatWasBrokenOffGoesOn() {
    Path file = folder.resolve("bench.json");
    var first = line("first", "peer 1.0", new double[] {4});
    ResultsFile.open(file).add("a", List.of(first));

    var again = ResultsFile.open(file);
    assertTrue(again.has("a"));
    assertFalse(again.has("b"));
    var second = line("second", null, null);
    again.add("b", List.of(second));

    assertEquals(List.of(first, second), ResultsFile.open(file).results());
    assertEquals(List.of(first, second), Baseline.read(file), "it is a baseline as well");
  }

  @Test
  void resultsOfAnotherMachineOrVersionAreNotMixed() throws IOException {
    Path file = folder.resolve("bench.json");
    ResultsFile.open(file).add("a", List.of(line("first", null, null)));
    String text = Files.readString(file);
    for (String own : List.of(Machine.processorName(), Machine.VERSION)) {
      Files.writeString(file, text.replace('"' + own + '"', "\"another\""));
      var e = assertThrows(BadFileException.class, () -> ResultsFile.open(file));
      assertTrue(e.getMessage().contains("\"another\""), e.getMessage());
      assertTrue(e.getMessage().contains('"' + own + '"'), e.getMessage());
    }
  }

  @Test
  void theBestPeerIsTheOneWithTheLeastRatio() {
    var slow = line("x", "slow", new double[] {8});
    var fast = line("x", "fast", new double[] {3});
    var missing = line("x", "missing", null);
    var other = line("y", "faster", new double[] {1});
    var alone = line("z", null, null);
    var all = List.of(slow, missing, fast, other, alone);
    assertEquals(fast, ResultsFile.best(slow, all));
    assertEquals(1.5, Objects.requireNonNull(ResultsFile.best(missing, all)).ratio());
    assertNull(ResultsFile.best(alone, all));
  }
}
