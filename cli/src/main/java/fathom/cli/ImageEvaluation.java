package fathom.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import fathom.Predictor;
import fathom.data.DataSet;
import fathom.data.LabelledImages;
import fathom.data.Photos;
import fathom.infer.ImageClassifier;
import fathom.infer.ModelCard;
import fathom.infer.Views;
import fathom.net.ImageShape;
import fathom.run.ClassMatch;
import fathom.task.Calibration;
import fathom.task.Confusion;
import fathom.task.Evaluation;
import fathom.task.Predictions;
import fathom.task.Temperature;
import fathom.task.TemperatureScaling;
import fathom.train.Metrics;
import fathom.train.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Measures a classifier of images on the test images of a data set, and prints the error of each
/// class and the confusions.
final class ImageEvaluation {
  /// The largest number of classes whose confusion matrix is printed. With more classes the errors
  /// of each class are in `--json` only, and this many of the most frequent confusions are printed.
  private static final int SHOWN = 20;

  private final Output output;

  ImageEvaluation(Output output) {
    this.output = output;
  }

  /// The answer of `--json` for images.
  ///
  /// @param confusion `confusion[truth][prediction]`; null, and left out, with more than
  ///   [Confusion#MOST_IN_A_TABLE] classes
  /// @param confusions the same counts as `[truth, prediction, times]`, without the pairs that did
  ///   not occur
  /// @param calibrationError the expected calibration error, from 0 to 1
  /// @param scaledCalibrationError the same with the temperature; null if none was fitted
  record Answer(
      String model,
      String data,
      Metrics.Split measuredOn,
      Precision precision,
      int count,
      double error,
      Evaluation.Interval interval,
      double crossEntropy,
      double imagesPerSecond,
      double seconds,
      List<PerClass> classes,
      @JsonInclude(JsonInclude.Include.NON_NULL) long @Nullable [][] confusion,
      List<long[]> confusions,
      List<LeftOut> leftOut,
      List<String> absent,
      Views views,
      double calibrationError,
      Calibration calibration,
      @Nullable Double scaledCalibrationError,
      @Nullable TemperatureScaling scaling) {}

  record LeftOut(String name, int count) {}

  /// The errors on the images of one class.
  ///
  /// @param error in percent; null if the data has no image of the class
  record PerClass(String name, long count, long errors, @Nullable Double error) {}

  /// The weights that are measured and the data that they are measured on.
  ///
  /// @param card describes the net and the images that it takes
  /// @param validation the images on which a temperature is fitted; null to fit none
  record Subject(ModelCard card, Path weights, DataSet data, @Nullable LabelledImages validation) {
    private ImageShape input() {
      return Objects.requireNonNull(card.input());
    }

    private List<String> classes() {
      return Objects.requireNonNull(card.classes());
    }
  }

  /// Measures the subject and prints the answer. Throws a usage error if the net and the data do
  /// not fit each other, and `DeviceException` if the processor cannot compute in `precision`.
  void measure(Subject subject, Precision precision, Views views) {
    ImageOptions.tell(subject.data, output);
    checkInput(subject);
    precision.check();
    int outputs = subject.classes().size();
    ClassMatch match = output.usage(() -> ClassMatch.of(subject.classes(), subject.data.classes()));
    LabelledImages images = output.usage(() -> match.of(subject.data.test()));
    List<LeftOut> leftOut = leftOut(match, subject.data);
    tellOfClasses(match, leftOut, subject.data);
    LabelledImages seen = seen(images, views, subject.data);
    LabelledImages validation = subject.validation;
    Predictions predictions;
    TimedEvaluation timed;
    int fittedOn = 0;
    try (var classifier =
        output.usage(() -> ImageClassifier.of(subject.card, subject.weights, precision))) {
      var net = views.of(classifier.net(), subject.input().height());
      double temperature = 1;
      if (validation != null) {
        LabelledImages known = match.of(validation);
        var fit = new Temperature(known.labels(), outputs);
        timed(net, seen(known, views, subject.data), classifier, fit);
        temperature = fit.fit(_ -> {});
        fittedOn = fit.count();
      }
      predictions = new Predictions(images, outputs, temperature);
      timed = timed(net, seen, classifier, predictions);
    }
    Calibration calibration = predictions.calibration();
    TemperatureScaling scaling = fittedOn == 0 ? null : predictions.scaling(fittedOn);
    Evaluation result = timed.result();
    Confusion confusion = predictions.confusion();
    List<PerClass> classes =
        IntStream.range(0, outputs)
            .mapToObj(c -> perClass(subject.classes().get(c), confusion, c))
            .toList();
    var answer =
        new Answer(
            String.valueOf(subject.card.model()),
            subject.data.name(),
            Metrics.Split.TEST,
            precision,
            result.count(),
            result.error(),
            result.interval(),
            result.crossEntropy(),
            timed.perSecond(),
            timed.seconds(),
            classes,
            outputs <= Confusion.MOST_IN_A_TABLE ? confusion.table() : null,
            confusion.counts().stream()
                .map(pair -> new long[] {pair.truth(), pair.prediction(), pair.times()})
                .toList(),
            leftOut,
            match.absent(),
            views,
            calibration.error(),
            calibration,
            scaling == null ? null : scaling.calibration().error(),
            scaling);
    output.answer(
        answer,
        () -> {
          output
              .out()
              .println(
                  String.format(
                      Locale.ROOT,
                      "%s on %s: test error %.2f %% (%d of %d; 95 %% interval %.2f to %.2f),"
                          + " cross-entropy %.4f; %.0f images/s",
                      answer.model,
                      answer.data,
                      answer.error,
                      result.errors(),
                      answer.count,
                      answer.interval.low(),
                      answer.interval.high(),
                      answer.crossEntropy,
                      answer.imagesPerSecond));
          showCalibration(calibration, scaling);
          if (outputs <= SHOWN) {
            show(answer, confusion.table());
          } else {
            showPairs(answer, confusion);
          }
        });
  }

  private static TimedEvaluation timed(
      Predictor net, LabelledImages images, ImageClassifier classifier, Evaluation.Look look) {
    return TimedEvaluation.of((all, decoders) ->
        Evaluation.of(net, images.decodedBy(decoders), classifier.normalization(), all, look));
  }

  /// Returns the images as large as their views need them.
  private LabelledImages seen(LabelledImages images, Views views, DataSet data) {
    if (views != Views.TEN_CROP) {
      return images;
    }
    if (images instanceof Photos photos) {
      return photos.uncropped();
    }
    throw output.refused(
        "--ten-crop cuts corners off photos that are larger than the net's input, but those of %s are of its size, %s×%s; leave it out, or give --tta flip"
            .formatted(data.name(), images.height(), images.width()));
  }

  private void showCalibration(Calibration plain, @Nullable TemperatureScaling scaling) {
    String error =
        String.format(
            Locale.ROOT,
            "expected calibration error %.2f %% (%d bins)",
            100 * plain.error(),
            Calibration.BINS);
    output
        .out()
        .println(
            scaling == null
                ? error
                : String.format(
                    Locale.ROOT,
                    "%s; with the temperature %.3f of %d validation images %.2f %%, cross-entropy"
                        + " %.4f",
                    error,
                    scaling.temperature(),
                    scaling.fittedOn(),
                    100 * scaling.calibration().error(),
                    scaling.crossEntropy()));
  }

  private static List<LeftOut> leftOut(ClassMatch match, DataSet data) {
    List<Integer> counts = match.leftOut(data.test());
    return IntStream.range(0, counts.size())
        .mapToObj(i -> new LeftOut(match.unknown().get(i), counts.get(i)))
        .toList();
  }

  /// Says which classes the net and the data do not share.
  private void tellOfClasses(ClassMatch match, List<LeftOut> leftOut, DataSet data) {
    if (!leftOut.isEmpty()) {
      output.remark(
          "fathom: left out %s of %s test images of %s, whose classes the net does not know: %s"
              .formatted(
                  leftOut.stream().mapToInt(LeftOut::count).sum(),
                  data.test().count(),
                  data.name(),
                  ClassMatch.shown(match.unknown())));
    }
    if (!match.absent().isEmpty()) {
      output.remark(
          "fathom: %s has no class %s, which the net knows"
              .formatted(data.name(), ClassMatch.shown(match.absent())));
    }
  }

  private static PerClass perClass(String name, Confusion confusion, int c) {
    long count = confusion.count(c);
    long errors = confusion.errors(c);
    return new PerClass(name, count, errors, count == 0 ? null : 100.0 * errors / count);
  }

  /// Prints a row for each class: how often its images were taken for each class.
  private void show(Answer answer, long[][] table) {
    var head = new ArrayList<>(List.of("", "images", "error in %"));
    answer.classes.forEach(c -> head.add(c.name));
    var rows = new ArrayList<List<String>>();
    for (int c = 0; c < answer.classes.size(); c++) {
      PerClass of = answer.classes.get(c);
      var row =
          new ArrayList<>(
              List.of(
                  of.name,
                  Long.toString(of.count),
                  of.error == null ? "" : String.format(Locale.ROOT, "%.2f", of.error)));
      for (long times : table[c]) {
        row.add(times == 0 ? "." : Long.toString(times));
      }
      rows.add(row);
    }
    output.out().println();
    output.out().println("How often the images of each class (down) were taken for each (across):");
    output.table(head, rows);
  }

  private void showPairs(Answer answer, Confusion confusion) {
    var rows = new ArrayList<List<String>>();
    for (Confusion.Pair pair : confusion.pairs().stream().limit(SHOWN).toList()) {
      PerClass of = answer.classes.get(pair.truth());
      rows.add(
          List.of(
              of.name,
              answer.classes.get(pair.prediction()).name,
              Long.toString(pair.times()),
              Long.toString(of.count)));
    }
    if (!rows.isEmpty()) {
      output.out().println();
      output.out().println("The most frequent confusions (all of them, and each class: --json):");
      output.table(List.of("class", "taken for", "times", "of"), rows);
    }
  }

  static ImageShape inputOf(DataSet dataSet) {
    var test = dataSet.test();
    return new ImageShape(test.channels(), test.height(), test.width());
  }

  private void checkInput(Subject subject) {
    ImageShape given = inputOf(subject.data);
    if (!given.equals(subject.input())) {
      throw output.refused(
          "the net was trained on images of %s, but those of %s are %s"
              .formatted(subject.input(), subject.data.name(), given));
    }
  }
}
