package fathom.cli;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.data.Data;
import fathom.report.run.RunReport;
import fathom.run.DryRun;
import fathom.run.PublishedRecipe;
import fathom.run.PublishedRecipe.Difference;
import fathom.run.Recipe;
import fathom.run.Wording;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;

/// The answer of `train --dry-run`: the fields of the recipe, the estimate, and where the recipe
/// deviates from the source of its name.
record DryRunAnswer(
    @JsonUnwrapped Recipe recipe, DryRun.Estimate estimate, List<Difference> differences) {
  /// Estimates a training and says what it would be.
  static void give(Recipe resolved, Data read, Output output) {
    DryRun.Estimate estimate = DryRun.of(resolved, read);
    List<Difference> differences = PublishedRecipe.differences(resolved, read);
    output.answer(
        new DryRunAnswer(resolved, estimate, differences),
        () -> {
          RunReport.recipe(resolved)
              .forEach((what, how) -> output.out().println("%-8s %s".formatted(what, how)));
          differences.forEach(each ->
              output
                  .out()
                  .println("%-8s %s".formatted("deviates", resolved.published().sentence(each))));
          estimate(resolved, estimate)
              .forEach((what, how) -> output.out().println("%-8s %s".formatted(what, how)));
        });
  }

  private static SequencedMap<String, String> estimate(Recipe recipe, DryRun.Estimate e) {
    Wording wording = recipe.kind().wording();
    var lines = new LinkedHashMap<String, String>();
    lines.put(
        "weights",
        String.format(
            Locale.ROOT,
            "%,d parameters; %,.1f MB with gradients and optimizer",
            e.parameters(),
            e.weightBytes() / 1e6));
    lines.put(
        "batch",
        String.format(
            Locale.ROOT,
            "%,.1f MB more on its way through the net, estimated from %d of its %d %s",
            e.batchBytes() / 1e6,
            e.tried(),
            recipe.batch(),
            wording.rows()));
    lines.put(
        "memory",
        String.format(
            Locale.ROOT,
            e.fits()
                ? "fits: %,.1f MB of the %,.1f MB that tensors can have here"
                : "does not fit: %,.1f MB, but tensors can have %,.1f MB here; make the net"
                    + " smaller, or the batch, or remember less of it (--recompute auto)",
            (e.weightBytes() + e.batchBytes()) / 1e6,
            e.availableBytes() / 1e6));
    lines.put(
        "time",
        String.format(
            Locale.ROOT,
            "about %s to %s (h:mm:ss) for %,d steps and the evaluations, at %s %s/s, estimated from"
                + " a few steps of up to %d %s made just now",
            duration(e.low()),
            duration(e.high()),
            e.steps(),
            rate(e.examplesPerSecond()),
            wording.examples(),
            e.tried(),
            wording.rows()));
    return lines;
  }

  private static String rate(double perSecond) {
    return String.format(Locale.ROOT, perSecond < 10 ? "%.2f" : "%,.0f", perSecond);
  }

  /// Formats seconds as hours, minutes and seconds, like `0:01:30`.
  private static String duration(double seconds) {
    long whole = Math.round(seconds);
    return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  }
}
