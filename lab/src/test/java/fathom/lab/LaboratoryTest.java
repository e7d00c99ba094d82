package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.Tensor;
import fathom.data.Png;
import fathom.io.BadFileException;
import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.ImageRow;
import fathom.lab.ledger.Ledger;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.lab.ledger.Value;
import fathom.lab.ledger.Verdict;
import fathom.report.HeatMap;
import fathom.report.Scale;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Experiments run, verdicts follow from values, and what is in the ledger is not measured again.
class LaboratoryTest {
  private static final List<Long> SEEDS = List.of(1L, 2L);

  @TempDir private Path folder;

  /// Measures its seed plus a number, within 1..2, and counts how often.
  private record Counting(String name, double plus, AtomicInteger runs) implements Experiment {
    @Override
    public Statement statement() {
      return new Statement(name, "?", "a claim of " + name, "this test", "nothing");
    }

    @Override
    public void observe(Size size, long seed, Notebook note) {
      runs.incrementAndGet();
      note.alive();
      note.measure("seed and more", seed + plus, Bound.between(1, 2));
      note.measure("not a number", Double.NaN);
      note.curve("c", "x", "y", Scale.LINEAR, "g", new double[] {1}, new double[] {seed});
      double[][] plane = {{seed, 1.5}};
      note.map("m", "", "x", "y", "unit", new double[] {-1}, new double[] {0, 1}, plane);
      var images = new LinkedHashMap<String, byte[]>();
      images.put("a mask", Png.of(new BufferedImage(2, 3, BufferedImage.TYPE_BYTE_GRAY)));
      note.images("shown", images);
    }
  }

  private static Counting counting(String name, double plus) {
    return new Counting(name, plus, new AtomicInteger());
  }

  /// The same experiment, which does not begin before there is this file.
  private static Experiment after(Path file, Experiment experiment) {
    return new Experiment() {
      @Override
      public Statement statement() {
        return experiment.statement();
      }

      @Override
      public void observe(Size size, long seed, Notebook note) {
        while (!Files.exists(file)) {
          LockSupport.parkNanos(1_000_000);
        }
        experiment.observe(size, seed, note);
      }
    };
  }

  private static final class Quiet implements Laboratory.Watcher {
    @Override
    public void at(String experiment, int done, int of) {}

    @Override
    public void found(Finding finding, boolean wasThere) {}
  }

  private List<Finding> run(List<Experiment> experiments, boolean again) {
    return Laboratory.run(
        experiments, Size.TINY, SEEDS, new Ledger(folder), again, new Quiet(), () -> false);
  }

  static Stream<Experiment> experiments() {
    return Experiments.all().stream();
  }

  @ParameterizedTest
  @MethodSource("experiments")
  void everyExperimentRunsAndComesBackFromItsFile(Experiment experiment) throws IOException {
    assumeTrue(experiment.missing().isEmpty());
    long live = Tensor.live();
    Finding finding = run(List.of(experiment), false).getFirst();
    assertTrue(finding.values().stream().anyMatch(v -> v.bound().isSet()), "it can fail");
    assertFalse(finding.charts().isEmpty());
    assertEquals(finding, new Ledger(folder).read(experiment).orElseThrow());
    assertTrue(experiment.name().matches("[a-z-]+"), experiment.name());
    assertEquals(live, Tensor.live());
    for (Size size : List.of(Size.QUICK, Size.FULL)) {
      Records.newest(experiment, size).ifPresent(record -> assertBounded(finding, record));
    }
  }

  private static void assertBounded(Finding finding, Finding record) {
    for (Value value : finding.values()) {
      record.values().forEach(recorded -> Quantity.assertBounded(value, recorded));
    }
  }

  @Test
  void noTwoExperimentsHaveOneName() {
    assertEquals(Experiments.all().size(), experiments().map(Experiment::name).distinct().count());
  }

  @ParameterizedTest
  @CsvSource({"0, reproduced", "0.5, mixed", "7, not reproduced", "NaN, not reproduced"})
  void aVerdictIsThatOfTheSeedsForWhichEveryBoundHolds(double plus, String verdict) {
    assertEquals(
        verdict, run(List.of(counting("counting", plus)), false).getFirst().verdict().toString());
  }

  @Test
  void aClaimHoldsForASeedOnlyIfAllItsBoundsDo() {
    var first = new Value("a", List.of(1.0, 9.0), Bound.atMost(2));
    var second = new Value("b", List.of(9.0, 1.0), Bound.atMost(2));
    assertEquals(Verdict.NOT_REPRODUCED, Verdict.of(List.of(first, second)));
    assertEquals(Verdict.MIXED, Verdict.of(List.of(first)));
    assertEquals(
        Verdict.NOT_REPRODUCED, Verdict.of(List.of(new Value("c", List.of(1.0), Bound.NONE))));
  }

  @ParameterizedTest
  @CsvSource({"2, true", "2.0000001, false", "NaN, false", "-Infinity, true"})
  void aBoundHoldsItsEndAndNothingThatIsNoNumber(double value, boolean holds) {
    assertEquals(holds, Bound.atMost(2).holds(value));
  }

  @Test
  void whatWasFoundIsNotMeasuredAgainUnlessAskedOrOfAnotherSize() {
    var experiment = counting("counting", 0);
    run(List.of(experiment), false);
    run(List.of(experiment), false);
    assertEquals(2, experiment.runs.get(), "two seeds, once");
    run(List.of(experiment), true);
    assertEquals(4, experiment.runs.get());
    Laboratory.run(
        List.of(experiment),
        Size.QUICK,
        SEEDS,
        new Ledger(folder),
        false,
        new Quiet(),
        () -> false);
    assertEquals(6, experiment.runs.get());
    Laboratory.run(
        List.of(experiment),
        Size.QUICK,
        List.of(1L),
        new Ledger(folder),
        false,
        new Quiet(),
        () -> false);
    assertEquals(7, experiment.runs.get());
  }

  @Test
  void aSeriesThatIsStoppedKeepsWhatIsFinishedAndGoesOn() {
    var first = counting("first", 0);
    var second = counting("second", 0);
    Path written = folder.resolve("first.json");
    // Both compute at once, and the second is asked to stop when the first has ended.
    var findings =
        Laboratory.run(
            List.of(first, after(written, second)),
            Size.TINY,
            SEEDS,
            new Ledger(folder),
            false,
            new Quiet(),
            () -> Files.exists(written));
    assertEquals(List.of("first"), findings.stream().map(Finding::experiment).toList());
    assertTrue(Files.exists(folder.resolve("first.json")));
    assertFalse(Files.exists(folder.resolve("second.json")));
    assertEquals(2, run(List.of(first, second), false).size());
    assertEquals(2, first.runs.get(), "not measured again");
  }

  @ParameterizedTest
  @CsvSource({
    "'', it is no finding",
    "{, it is no finding",
    "null, it is no finding",
    "{}, it is no finding",
    "[1], it is no finding"
  })
  void aBrokenFileIsRefusedAndAgainReplacesIt(String content, String says) throws IOException {
    var experiment = counting("counting", 0);
    Path file = Files.writeString(folder.resolve("counting.json"), content);
    var refused =
        assertThrows(BadFileException.class, () -> run(List.of(experiment), false)).getMessage();
    assertTrue(refused.contains(says) && refused.contains(file.toString()), refused);
    assertTrue(refused.contains("--again"), refused);
    assertEquals(Verdict.REPRODUCED, run(List.of(experiment), true).getFirst().verdict());
  }

  @ParameterizedTest
  @CsvSource({"'[ 1, 2 ]', '[ 1, 2, 3 ]'", "'\"size\" : \"tiny\"', '\"size\" : null'"})
  void aFileWithoutAPartIsRefused(String part, String other) throws IOException {
    var experiment = counting("counting", 0);
    run(List.of(experiment), false);
    Path file = folder.resolve("counting.json");
    String content = Files.readString(file);
    assertTrue(content.contains(part), content);
    Files.writeString(file, content.replace(part, other));
    var refused = assertThrows(BadFileException.class, () -> new Ledger(folder).read(experiment));
    assertTrue(String.valueOf(refused.getMessage()).contains("no finding"), refused.getMessage());
  }

  @Test
  void mapsComeBackForEverySeedAndAFileWithoutImagesIsRead() throws IOException {
    var experiment = counting("counting", 0);
    var maps = run(List.of(experiment), false).getFirst().maps();
    assertEquals(List.of("m, seed 1", "m, seed 2"), maps.stream().map(HeatMap::title).toList());
    assertEquals(List.of(List.of(2.0, 1.5)), maps.getLast().values());
    var ledger = new Ledger(folder);
    assertEquals(maps, ledger.read(experiment).orElseThrow().maps());
    Path file = folder.resolve("counting.json");
    Files.writeString(
        file, Files.readString(file).replaceAll("\"(maps|charts|images)\" : \\[", "\"no $1\" : ["));
    var without = ledger.read(experiment).orElseThrow();
    assertEquals(List.of(), without.maps());
    assertEquals(List.of(), without.charts());
    assertEquals(List.of(), without.images());
  }

  @Test
  void imagesOfTheFirstSeedComeBackAndStandInTheReport() throws IOException {
    var experiment = counting("deep-product", 0);
    var finding = run(List.of(experiment), false).getFirst();
    assertEquals(List.of("shown, seed 1"), finding.images().stream().map(ImageRow::title).toList());
    Path file = folder.resolve("deep-product.json");
    assertEquals(finding, new Ledger(folder).read(experiment).orElseThrow());
    var image = finding.images().getFirst().images().getFirst();
    String page = Files.readString(folder.resolve("index.html"));
    assertTrue(page.contains("data:image/png;base64," + image.png()), page);
    assertTrue(page.contains("a mask"), page);
    for (String other : List.of("R0lGODlh", "iVBORw0KGgo\u00e9")) { // a GIF, and no base 64
      Files.writeString(file, Files.readString(file).replaceFirst("iVBOR[^\"]*|R0lG[^\"]*", other));
      var refused = assertThrows(BadFileException.class, () -> new Ledger(folder).read(experiment));
      assertTrue(String.valueOf(refused.getMessage()).contains("no finding"), refused.getMessage());
    }
  }

  @Test
  void aVerdictThatSomebodyWroteByHandIsRefused() throws IOException {
    var experiment = counting("counting", 7);
    run(List.of(experiment), false);
    Path file = folder.resolve("counting.json");
    Files.writeString(file, Files.readString(file).replace("\"not reproduced\"", "\"reproduced\""));
    var refused = assertThrows(BadFileException.class, () -> new Ledger(folder).read(experiment));
    assertTrue(String.valueOf(refused.getMessage()).contains("follows"), refused.getMessage());
  }

  @Test
  void theReportShowsFailuresAndFilesThatCannotBeRead() throws IOException {
    var experiments = experiments().filter(e -> e.name().equals("deep-product")).toList();
    run(experiments, false); // 3 starts of at most 1000 steps
    Files.writeString(folder.resolve("spectrum.json"), "{");
    String page = LabReport.of(new Ledger(folder)).html();
    assertTrue(page.contains("deep-product") && page.contains("Claim: "), page);
    assertTrue(page.contains("Files that cannot be read") && page.contains("spectrum.json"), page);
    var finding = new Ledger(folder).read(experiments.getFirst()).orElseThrow();
    assertTrue(page.contains("Verdict at size tiny: " + finding.verdict()), page);
  }
}
