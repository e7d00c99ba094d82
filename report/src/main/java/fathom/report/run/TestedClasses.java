package fathom.report.run;

import static fathom.report.run.RunReport.number;

import fathom.report.Block;
import fathom.report.Gallery;
import fathom.report.Matrix;
import fathom.report.Table;
import fathom.report.Text;
import fathom.task.Answers;
import fathom.task.Confusion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// Shows the test images of a run by class, and the worst mistakes, from what the run recorded at
/// its end.
final class TestedClasses {
  /// The largest number of classes with a full confusion matrix, because a larger one cannot be
  /// read.
  private static final int SHOWN = 20;

  private final List<String> names;
  private final Answers answers;
  private final Confusion confusion;

  private final Path page;

  /// Creates the blocks for a page in the file `page`, from which the links lead.
  TestedClasses(List<String> names, Answers answers, Path page) {
    this.names = names;
    this.answers = answers;
    this.page = page;
    this.confusion = answers.confusion();
  }

  /// Returns the confusions and the errors of each class.
  Block[] classes() {
    return new Block[] {names.size() <= SHOWN ? matrix() : pairs(), perClass()};
  }

  private Matrix matrix() {
    return new Matrix(
        "How often the test images of each class (a row) were taken for each class (a column). "
            + "The stronger the colour of a mistake, the larger its share of the class: "
            + "under 1 %, from 1, from 3, from 10, from 30 %. What did not happen is empty.",
        names,
        Stream.of(confusion.table()).map(row -> LongStream.of(row).boxed().toList()).toList());
  }

  private Table pairs() {
    var rows =
        confusion.pairs().stream()
            .limit(SHOWN)
            .map(pair ->
                List.of(
                    names.get(pair.truth()),
                    names.get(pair.prediction()),
                    Long.toString(pair.times()),
                    number(100.0 * pair.times() / confusion.count(pair.truth()), 1)))
            .toList();
    return new Table(
        "The most frequent confusions of the test images",
        List.of("class", "taken for", "times", "% of the class"),
        rows);
  }

  private Table perClass() {
    var classes = IntStream.range(0, names.size()).boxed().toList();
    boolean all = names.size() <= SHOWN;
    if (!all) {
      classes =
          classes.stream().sorted(Comparator.comparingDouble(c -> -error(c))).limit(SHOWN).toList();
    }
    var rows = new ArrayList<List<String>>();
    for (int c : classes) {
      long count = confusion.count(c);
      rows.add(
          List.of(
              names.get(c),
              Long.toString(count),
              Long.toString(confusion.errors(c)),
              count == 0 ? "" : number(error(c), 2),
              confusion.pairs(c).stream()
                  .findFirst()
                  .map(pair -> "%s (%s)".formatted(names.get(pair.prediction()), pair.times()))
                  .orElse("")));
    }
    return new Table(
        all
            ? "The test images by class"
            : "The %s of %s classes with the greatest error".formatted(SHOWN, names.size()),
        List.of("class", "images", "errors", "error in %", "taken most often for"),
        rows);
  }

  /// Returns the error of a class in percent; 0 for a class without images.
  private double error(int c) {
    return 100.0 * confusion.errors(c) / Math.max(1, confusion.count(c));
  }

  /// Returns the images of the worst mistakes.
  Block[] mistakes() {
    if (answers.worst().isEmpty()) {
      return new Block[] {new Text("No test image was taken for another class.")};
    }
    long errors = confusion.pairs().stream().mapToLong(Confusion.Pair::times).sum();
    int shown = answers.worst().size();
    String which =
        errors == shown
            ? "All %s test images that were taken for another class".formatted(shown)
            : "Of %s test images that were taken for another class the %s whose own class got the least probability"
                .formatted(errors, shown);
    return new Block[] {
      new Text(which + ", the worst first. Images are counted from 0."),
      new Gallery(answers.worst().stream().map(this::image).toList())
    };
  }

  private Gallery.Image image(Answers.Mistake m) {
    String truth = names.get(m.truth());
    String prediction = names.get(m.prediction());
    String name = Origins.name(m.file());
    return new Gallery.Image(
        m.png(),
        "Test image %s, of the class %s%s"
            .formatted(m.image(), truth, name.isEmpty() ? "" : ", file " + name),
        List.of(
            "%s, taken for %s".formatted(truth, prediction),
            "%s: %s, %s: %s".formatted(prediction, percent(m.belief()), truth, percent(m.given())),
            "test image %s".formatted(m.image())),
        name.isEmpty() ? null : new Gallery.Link(name, Origins.href(m.file(), page)));
  }

  private static String percent(double probability) {
    return probability < 0.001 ? "under 0.1 %" : number(100 * probability, 1) + " %";
  }
}
