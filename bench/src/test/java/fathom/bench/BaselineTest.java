package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import fathom.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BaselineTest {
  @TempDir private Path folder;

  private static Result result(String unit, double low, double median, double high) {
    return new Result("suite", "what", unit, median, low, high, null, null, null);
  }

  private static Result beside(String peer, @Nullable Double ratio, double median) {
    return new Result("suite", "what", "ms", median, median, median, peer, 1.0, ratio);
  }

  /// Before: 10, of 9 to 11.
  @ParameterizedTest
  @CsvSource({
    "ms, 12, 13, 14, slower", // worked by hand: 13 is above 11, 10 below 12, and 13/10 above 1.05
    "ms, 6, 7, 8, faster",
    "ms, 9.5, 13, 14, neither", // its runs reach below the median before
    "ms, 10.2, 10.4, 14, neither", // no 5 %
    "ms, 10.1, 10.8, 14, neither", // within the runs before
    "images/s, 12, 13, 14, faster",
    "characters/s, 6, 7, 8, slower",
    "times, 12, 13, 14, slower",
    "MB, 6, 7, 8, faster"
  })
  void aFigureHasChangedIfNeitherMedianIsAmongTheOthersRuns(
      String unit, double low, double median, double high, String what) {
    var changes =
        Baseline.compare(
            List.of(result(unit, 9, 10, 11)), List.of(result(unit, low, median, high)));
    assertEquals(1, changes.compared());
    assertEquals(what.equals("slower") ? 1 : 0, changes.slower().size(), changes.toString());
    assertEquals(what.equals("faster") ? 1 : 0, changes.faster().size(), changes.toString());
  }

  @Test
  void whatSlowsThePeersAsWellIsTheMachine() {
    var before = List.of(beside("a", 2.0, 10), beside("b", 3.0, 10));
    assertEquals(
        0,
        Baseline.compare(before, List.of(beside("a", 1.0, 20), beside("b", 3.0, 20)))
            .slower()
            .size());
    var slower =
        Baseline.compare(before, List.of(beside("a", 1.0, 20), beside("b", 1.5, 20))).slower();
    assertEquals(List.of(0.5), slower.stream().map(Baseline.Change::ratio).toList());
    assertEquals(
        1,
        Baseline.compare(before, List.of(beside("c", 3.0, 20))).slower().size(),
        "without a peer in common");
  }

  @Test
  void whatStandsInOneOnlyIsNotCompared() {
    var other = new Result("suite", "another", "ms", 1, 1, 1, null, null, null);
    var changes = Baseline.compare(List.of(result("ms", 9, 10, 11)), List.of(other));
    assertEquals(new Baseline.Changes(0, List.of(), List.of()), changes);
  }

  @Test
  void whatWasWrittenIsRead() throws IOException {
    Path file = folder.resolve("before.json");
    var results = List.of(result("ms", 9, 10, 11), beside("a", 2.0, 10), beside("b", null, 1));
    Files.writeString(file, Json.text(Map.of("peak", Map.of(), "results", results)));
    assertEquals(results, Baseline.read(file));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "{}", "{\"results\": 1}", "{\"results\": [1]}", "{\"results\": [{}]}"})
  void whatIsNoAnswerIsRefusedByName(String text) throws IOException {
    Path file = folder.resolve("before.json");
    Files.writeString(file, text);
    var e = assertThrows(BadFileException.class, () -> Baseline.read(file));
    assertTrue(String.valueOf(e.getMessage()).contains("before.json"), e::getMessage);
  }
}
