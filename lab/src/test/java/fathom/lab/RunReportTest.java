package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.report.Block;
import fathom.report.Browser;
import fathom.report.Matrix;
import fathom.report.Page;
import fathom.report.Section;
import fathom.report.Table;
import fathom.train.Answers;
import fathom.train.Progress;
import fathom.train.Recipe;
import fathom.train.Recording;
import fathom.train.Run;
import fathom.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

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
        Architecture.pictures(
            "resnet8", new Architecture.Options(Shortcut.A, Norm.BATCH, 4, null, null));
    Recipe recipe =
        Recipe.fast(net, few, 1, 1)
            .withEpochs(2)
            .withRecording(new Recording(List.of(Recording.Quantity.values()), false));
    run = Run.create(folder.resolve("run"), recipe, few);
    Trainer.train(run, few, Progress.NONE, () -> false);
  }

  private static List<String> headings(Page page) {
    return page.sections().stream().map(Section::heading).toList();
  }

  @Test
  void whatBecameOfTheTestPicturesIsShown() {
    Page page = RunReport.of(run);
    String html = page.html();
    assertTrue(headings(page).containsAll(List.of("Classes", "The worst mistakes")));
    Answers answers = run.answers().orElseThrow();
    assertFalse(answers.worst().isEmpty());
    for (Answers.Mistake mistake : answers.worst()) {
      assertTrue(html.contains(Base64.getEncoder().encodeToString(mistake.png())));
      assertTrue(
          html.contains(
              "alt=\"Test picture %s, of the class %s\""
                  .formatted(mistake.picture(), mistake.truth())));
    }
    long[][] counts = answers.counts();
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
      var tested = new TestedClasses(names, new Answers(1, counts, List.of()));
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
        all.stream().filter(h -> !h.equals("Classes") && !h.equals("The worst mistakes")).toList(),
        without);
  }

  /// In a real browser, if one is installed.
  @ParameterizedTest
  @EnumSource
  void itIsReadOnATelephoneAndOnALargeScreen(Browser.Scheme scheme) throws Exception {
    Browser.find();
    Page page = RunReport.of(run);
    int tables = 4 + 3; // of the charts and of the heat maps
    int curves = 4 + 4; // in two charts alone, in two as members of one group
    int pictures = run.answers().orElseThrow().worst().size();
    new Browser(Files.createTempDirectory(folder, "browser"))
        .visit(page, scheme, List.of(page.sections().size(), tables, curves, pictures, 1));
  }
}
