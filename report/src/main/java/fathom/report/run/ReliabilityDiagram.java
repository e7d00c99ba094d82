package fathom.report.run;

import static fathom.report.run.RunReport.number;

import fathom.report.Block;
import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Point;
import fathom.report.Scale;
import fathom.report.Table;
import fathom.task.Answers;
import fathom.task.Calibration;
import fathom.task.TemperatureScaling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Shows how well the probabilities of a classifier agree with how often it is right.
///
/// @param plain the probabilities as the net gives them
/// @param scaling what a temperature makes of them; null without validation images
record ReliabilityDiagram(Calibration plain, @Nullable TemperatureScaling scaling) {
  private static final String NET = "the net";
  private static final String SCALED = "with temperature";

  /// Returns the diagram of these answers, if they have one.
  static Optional<ReliabilityDiagram> of(Answers answers) {
    return Optional.ofNullable(answers.calibration())
        .map(plain -> new ReliabilityDiagram(plain, answers.scaling()));
  }

  Block[] blocks() {
    var curves = new ArrayList<Curve>();
    curves.add(curve(NET, plain));
    if (scaling != null) {
      curves.add(curve(SCALED, scaling.calibration()));
    }
    curves.add(
        new Curve(
            "calibrated",
            "",
            IntStream.range(0, plain.bins().size())
                .mapToObj(i -> new Point(centre(plain, i), centre(plain, i)))
                .toList()));
    return new Block[] {
      new Chart(
          "Reliability diagram",
          "The test images in 15 bins by their confidence, the probability of the predicted class."
              + " Below the diagonal the net is more confident than right (Guo et al. 2017).",
          "confidence",
          "share of right predictions",
          Scale.LINEAR,
          curves),
      new Chart(
          "How confident the net is",
          "The share of the test images in each bin.",
          "confidence",
          "share of images",
          Scale.LINEAR,
          scaling == null
              ? List.of(counts(NET, plain))
              : List.of(counts(NET, plain), counts(SCALED, scaling.calibration()))),
      errors()
    };
  }

  private Table errors() {
    var rows = new ArrayList<List<String>>();
    rows.add(List.of(NET, "", number(100 * plain.error(), 2)));
    if (scaling != null) {
      rows.add(
          List.of(
              SCALED,
              number(scaling.temperature(), 3),
              number(100 * scaling.calibration().error(), 2)));
    }
    return new Table(
        scaling == null
            ? "The mean difference between confidence and accuracy over the bins, by their images"
            : "The mean difference between confidence and accuracy over the bins, by their images;"
                + " the temperature was fitted on %s validation images"
                    .formatted(scaling.fittedOn()),
        List.of("", "temperature", "expected calibration error in %"),
        rows);
  }

  /// The bins by their centres, so that all curves have one x axis.
  private static Curve curve(String group, Calibration of) {
    return overBins(group, of, bin -> bin.count() > 0, Calibration.Bin::accuracy);
  }

  private static Curve counts(String group, Calibration of) {
    return overBins(group, of, _ -> true, bin -> (double) bin.count() / Math.max(1, of.count()));
  }

  private static Curve overBins(
      String group,
      Calibration of,
      Predicate<Calibration.Bin> shown,
      ToDoubleFunction<Calibration.Bin> y) {
    var points = new ArrayList<Point>();
    for (int i = 0; i < of.bins().size(); i++) {
      Calibration.Bin bin = of.bins().get(i);
      if (shown.test(bin)) {
        points.add(new Point(centre(of, i), y.applyAsDouble(bin)));
      }
    }
    return new Curve(group, "", points);
  }

  private static double centre(Calibration of, int bin) {
    return (bin + 0.5) / of.bins().size();
  }
}
