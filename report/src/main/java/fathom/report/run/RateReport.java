package fathom.report.run;

import fathom.report.Chart;
import fathom.report.Curve;
import fathom.report.Facts;
import fathom.report.Page;
import fathom.report.Point;
import fathom.report.Scale;
import fathom.report.Section;
import fathom.report.Table;
import fathom.run.RateRangeTest;
import fathom.run.Recipe;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Makes the page of a learning rate range test: the loss over the learning rate, and what it
/// suggests.
public final class RateReport {
  private RateReport() {}

  /// Returns the page.
  public static Page of(Recipe recipe, RateRangeTest.Result result) {
    Double suggested = result.suggested();
    String end =
        result.diverged() ? "the loss was no longer finite after step" : "it ended with step";
    var chart =
        new Chart(
            "Loss at rising learning rates",
            "Each step is made at its own learning rate, and its loss is measured before it; %s %s."
                    .formatted(end, result.points().size())
                + " Smoothed: the mean of nine steps.",
            "learning rate, as a power of ten",
            "loss",
            Scale.LOG,
            List.of(
                curve("smoothed", result, RateRangeTest.Point::smoothed),
                curve("each step", result, RateRangeTest.Point::loss)));
    var table =
        new Table(
            "What the curve suggests",
            List.of("", "learning rate"),
            List.of(
                List.of("where the loss falls the most", number(result.steepest())),
                List.of("where it is least", number(result.minimum())),
                List.of("a tenth of that", number(suggested))));
    return new Page(
        "Learning rates for %s on %s".formatted(recipe.model(), recipe.data()),
        suggested == null
            ? "No learning rate made the loss fall."
            : "A learning rate of %s suits this training: a tenth of that with the least loss."
                .formatted(number(suggested)),
        new Section("The range test", chart, table),
        new Section("What was run", new Facts(RunReport.recipe(recipe))));
  }

  private static Curve curve(
      String name, RateRangeTest.Result result, ToDoubleFunction<RateRangeTest.Point> y) {
    return new Curve(
        name,
        "",
        result.points().stream()
            .map(point -> new Point(Math.log10(point.rate()), y.applyAsDouble(point)))
            .toList());
  }

  private static String number(@Nullable Double rate) {
    return rate == null ? "" : String.format(Locale.ROOT, "%.2g", rate);
  }
}
