package fathom.report.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.report.Block;
import fathom.report.Browser;
import fathom.report.Chart;
import fathom.report.Gallery;
import fathom.report.Matrix;
import fathom.report.Page;
import fathom.report.Section;
import fathom.report.Table;
import fathom.run.Progress;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunTraining;
import fathom.task.Answers;
import fathom.task.Confusion;
import fathom.train.Recording;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The page of a run that was trained for it, for two epochs.
class RunReportTest {
  @TempDir private static Path folder;

  private static Run run;

  @BeforeAll
  static void train() {
    DataSet digits = DataSet.open("digits");
    var few =
        new DataSet("digits", digits.classes(), digits.train().take(300), digits.test().take(100));
    Architecture net =
        Architecture.images(
            "resnet8", new Architecture.Options(Shortcut.A, Norm.BATCH, 4, null, null));
    Recipe recipe =
        Recipe.usual(net, few, 1, 1)
            .withEpochs(2)
            .with(new Recording(List.of(Recording.Quantity.values()), false));
    run = Run.create(folder.resolve("run"), recipe, few);
    RunTraining.train(run, few, Progress.NONE, () -> false);
  }

  private static List<String> headings(Page page) {
    return page.sections().stream().map(Section::heading).toList();
  }

  @Test
  void whatBecameOfTheTestImagesIsShown() {
    Page page = RunReport.of(run);
    String html = page.html();
    assertTrue(headings(page).containsAll(List.of("Classes", "The worst mistakes")));
    Answers answers = run.answers().orElseThrow();
    assertFalse(answers.worst().isEmpty());
    for (Answers.Mistake mistake : answers.worst()) {
      assertTrue(html.contains(Base64.getEncoder().encodeToString(mistake.png())));
      assertTrue(
          html.contains(
              "alt=\"Test image %s, of the class %s\""
                  .formatted(mistake.image(), mistake.truth())));
    }
    long[][] counts = answers.confusion().table();
    long right = IntStream.range(0, 10).mapToLong(c -> counts[c][c]).max().orElseThrow();
    assertTrue(html.contains("<td class=\"right\">%s</td>".formatted(right)), "on the diagonal");
  }

  /// Twenty classes are a matrix, more of them their most frequent confusions.
  @Test
  void manyClassesAreShownByTheirConfusions() {
    for (int classes : new int[] {20, 25}) {
      var counts = new long[classes][classes];
      for (int c = 0; c < classes; c++) {
        counts[c][c] = 10;
        counts[c][(c + 1) % classes] = c;
      }
      List<String> names = IntStream.range(0, classes).mapToObj(c -> "class " + c).toList();
      var tested =
          new TestedClasses(
              names,
              new Answers(1, Confusion.ofTable(counts), List.of()),
              folder.resolve("page.html"));
      Block first = tested.classes()[0];
      Table perClass = (Table) tested.classes()[1];
      if (classes == 20) {
        assertEquals(counts[5][6], ((Matrix) first).counts().get(5).get(6));
        assertEquals(List.of("class 3", "13", "3", "23.08", "class 4 (3)"), perClass.rows().get(3));
      } else {
        assertEquals(List.of("class 24", "class 0", "24", "70.6"), ((Table) first).rows().get(0));
        assertEquals("class 24", perClass.rows().getFirst().getFirst(), "the greatest error");
        assertEquals(20, perClass.rows().size());
      }
    }
  }

  @Test
  void anOlderRunHasAReportWithout() throws Exception {
    Path older = Files.createDirectories(folder.resolve("older"));
    try (Stream<Path> files = Files.list(run.folder())) {
      for (Path file : files.filter(f -> !f.endsWith("answers.json")).toList()) {
        Files.copy(file, older.resolve(file.getFileName()));
      }
    }
    List<String> all = headings(RunReport.of(run));
    List<String> without = headings(RunReport.of(Run.open(older)));
    assertEquals(
        all.stream()
            .filter(h -> !List.of("Classes", "The worst mistakes", "Calibration").contains(h))
            .toList(),
        without);
  }

  /// A mistake leads to its file, from wherever the page lies; where images share files there is
  /// nothing to open.
  @Test
  void aMistakeLeadsToItsFile() {
    byte[] png = run.answers().orElseThrow().worst().getFirst().png();
    var counts = new long[][] {{0, 1}, {0, 0}};
    for (String file : new String[] {folder.resolve("data/a cat/10% & \"ü\".png").toString(), ""}) {
      var mistake = new Answers.Mistake(7, 0, 0.1, 1, 0.9, png, file);
      var tested =
          new TestedClasses(
              List.of("a", "b"),
              new Answers(1, Confusion.ofTable(counts), List.of(mistake)),
              folder.resolve("runs/one/report.html"));
      var gallery = (Gallery) tested.mistakes()[1];
      Gallery.Image image = gallery.images().getFirst();
      if (file.isEmpty()) {
        assertNull(image.link());
        assertEquals("Test image 7, of the class a", image.alt());
      } else {
        Gallery.Link link = Objects.requireNonNull(image.link());
        assertEquals("a cat/10% & \"ü\".png", link.words());
        assertEquals("./../../data/a%20cat/10%25%20&%20%22%C3%BC%22.png", link.href());
        assertEquals(
            Path.of(file).toUri().normalize(),
            folder.resolve("runs/one/report.html").toUri().resolve(link.href()).normalize());
        assertTrue(image.alt().endsWith(", file a cat/10% & \"ü\".png"), image.alt());
      }
    }
  }

  // ---- Which images a figure is of

  /// A run of `run.json` and these lines of metrics.
  private static Run written(String name, int validation, boolean named, boolean ended)
      throws IOException {
    DataSet digits = DataSet.open("digits");
    Architecture net =
        Architecture.images(
            "resnet8", new Architecture.Options(Shortcut.A, Norm.BATCH, 4, null, null));
    Recipe recipe = Recipe.usual(net, digits, 1, 1).withEpochs(2).withValidation(validation);
    Run made = Run.create(Files.createTempDirectory(folder, "of").resolve(name), recipe, digits);
    var lines = new ArrayList<String>();
    double[] errors = {5, 6.25};
    for (int i = 0; i < 2; i++) {
      lines.add(
          "{\"epoch\":%s,\"step\":%s,\"rate\":0.1,\"trainLoss\":1.0,\"trainError\":2.0,\"testLoss\":0.5,\"testError\":%s,\"seconds\":%s,\"examplesPerSecond\":1.0,%s\"kind\":\"epoch\"}"
              .formatted(
                  i + 1,
                  10 * (i + 1),
                  errors[i],
                  7 * (i + 1),
                  named ? "\"measuredOn\":\"%s\",".formatted(recipe.measuredOn()) : ""));
    }
    if (ended) {
      lines.add(
          "{\"step\":20,\"trainError\":1.5,\"trainLoss\":0.1,\"testError\":8.33,\"testLoss\":0.6,\"seconds\":15.0,\"kind\":\"final\"}");
    }
    Files.write(made.folder().resolve("metrics.jsonl"), lines);
    return Run.open(made.folder());
  }

  private static Table table(Page page) {
    return page.sections().stream()
        .flatMap(section -> section.blocks().stream())
        .filter(Table.class::isInstance)
        .map(Table.class::cast)
        .findFirst()
        .orElseThrow();
  }

  private static List<Chart> charts(Page page) {
    return page.sections().stream()
        .flatMap(section -> section.blocks().stream())
        .filter(Chart.class::isInstance)
        .map(Chart.class::cast)
        .toList();
  }

  private static List<String> names(Chart chart) {
    return chart.curves().stream().map(curve -> curve.group() + curve.name()).toList();
  }

  /// An older line does not say it, the recipe does.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noColumnOfAComparisonHasValidationAndTestImages(boolean named) throws IOException {
    Run with = written("with", 100, named, true);
    Run without = written("without", 0, named, true);
    Run running = written("running", 100, named, false);
    Page page = RunComparison.of(List.of(with, without, running));
    assertEquals(
        List.of(
            "run",
            "epochs",
            "test error in %",
            "validation error in %",
            "training error in %",
            "best epoch, test error in %",
            "best epoch, validation error in %",
            "seconds"),
        table(page).head());
    assertEquals(
        List.of(
            List.of("with", "2", "8.33", "6.25", "1.50", "", "5.00", "15"),
            List.of("without", "2", "8.33", "", "1.50", "5.00", "", "15"),
            List.of("running", "2 of 2", "", "6.25", "2.00", "", "5.00", "14")),
        table(page).rows());
    List<Chart> charts = charts(page);
    assertEquals(
        List.of(
            "Test error",
            "Validation error",
            "Training error",
            "Test loss",
            "Validation loss",
            "Training loss"),
        charts.stream().map(Chart::title).toList());
    for (int i : new int[] {0, 3}) {
      assertEquals(List.of("without"), names(charts.get(i)));
      assertTrue(charts.get(i).caption().contains("measured on test images"));
    }
    for (int i : new int[] {1, 4}) {
      assertEquals(List.of("with", "running"), names(charts.get(i)));
    }
  }

  @Test
  void runsWithoutValidationHaveNoColumnsOfIt() throws IOException {
    Page page =
        RunComparison.of(List.of(written("a", 0, true, true), written("b", 0, true, false)));
    assertFalse(page.html().contains("alidation"), "nothing was validated");
    assertEquals("", charts(page).getFirst().caption(), "all of the same images");
    page = RunComparison.of(List.of(written("a", 90, true, true), written("b", 80, true, true)));
    assertFalse(
        charts(page).stream().anyMatch(chart -> chart.title().startsWith("Test")),
        "no epoch saw a test image");
    assertTrue(
        charts(page).getFirst().caption().contains("not the same: 90 images of digits"),
        charts(page).getFirst().caption());
  }

  @Test
  void aReportSaysWhichImagesItsFiguresAreOf() throws IOException {
    Page running = RunReport.of(written("running", 100, false, false));
    assertTrue(running.lead().endsWith("6.25 % errors on the validation images."), running.lead());
    assertEquals(List.of("training", "validation"), names(charts(running).getFirst()));
    Page ended = RunReport.of(written("ended", 100, false, true));
    assertEquals(
        List.of(
            List.of("test", "8.33", "0.6000"),
            List.of("validation", "6.25", "0.5000"),
            List.of("training", "1.50", "0.1000")),
        table(ended).rows());
    Page tested = RunReport.of(written("tested", 0, true, false));
    assertTrue(tested.lead().endsWith("6.25 % errors on the test images."), tested.lead());
    assertEquals(List.of("training", "test"), names(charts(tested).getFirst()));
  }

  @Test
  void aLineOfMetricsSaysIt() throws IOException {
    String line =
        Files.readAllLines(run.folder().resolve("metrics.jsonl")).stream()
            .filter(each -> each.contains("\"kind\":\"epoch\""))
            .findFirst()
            .orElseThrow();
    assertTrue(line.contains("\"measuredOn\":\"test\""), line);
  }

  /// In a real browser, if one is installed.
  @ParameterizedTest
  @EnumSource
  void itIsReadOnATelephoneAndOnALargeScreen(Browser.Scheme scheme) throws Exception {
    Browser.find();
    Page page = RunReport.of(run);
    int tables = 6 + 3; // of the charts and of the heat maps
    int curves = 6 + 4; // by themselves, and as members of one group
    int images = run.answers().orElseThrow().worst().size();
    new Browser(Files.createTempDirectory(folder, "browser"))
        .visit(page, scheme, List.of(page.sections().size(), tables, curves, images, 1));
  }
}
