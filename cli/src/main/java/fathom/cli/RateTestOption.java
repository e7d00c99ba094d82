package fathom.cli;

import fathom.data.Data;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.report.run.RateReport;
import fathom.run.RateRangeTest;
import fathom.run.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The option for a learning rate range test in place of a training.
final class RateTestOption {
  /// The steps of a sweep, for the progress.
  private static final int STEPS = 100;

  @Rare
  @Option(
      names = "--find-lr",
      description =
          "Trains nothing, but makes 100 steps at learning rates from 1e-7 to 10, and suggests one "
              + "(Smith 2017). Writes a page with the curve below runs/, or into the folder --out.")
  private boolean findRate;

  boolean isGiven() {
    return findRate;
  }

  /// Makes the test, writes its page and prints the answer.
  void run(Recipe recipe, Data data, int decoders, @Nullable Path out, Output output) {
    RateRangeTest.Result result;
    try (var display = new ProgressDisplay(recipe.model(), output.err())) {
      result =
          output.usage(() ->
              RateRangeTest.of(
                  recipe, data, decoders, step -> display.show(step, STEPS, "learning rate")));
    }
    Path page = page(recipe, out);
    RateReport.of(recipe, result).write(page);
    var answer = new LinkedHashMap<String, @Nullable Object>();
    answer.put("model", recipe.model());
    answer.put("data", recipe.data());
    answer.put("suggested", result.suggested());
    answer.put("steepest", result.steepest());
    answer.put("minimum", result.minimum());
    answer.put("diverged", result.diverged());
    answer.put("points", result.points());
    answer.put("report", page.toString());
    output.answer(
        answer,
        () -> {
          show(result, output);
          output.out().println("report: " + page);
        });
  }

  private static Path page(Recipe recipe, @Nullable Path out) {
    Path folder = out == null ? Path.of("runs") : out;
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder, "the folder cannot be made (%s)".formatted(AtomicFile.reason(e)), e);
    }
    Path usual = TrainCommand.freeFolder(recipe.model(), recipe.data());
    String name = usual.getFileName().toString().replaceFirst("-\\d+$", "");
    return folder.resolve("learning-rate-%s.html".formatted(name));
  }

  private static void show(RateRangeTest.Result result, Output output) {
    List<RateRangeTest.Point> points = result.points();
    TextChart.lines(
            points.stream().mapToDouble(point -> Math.log10(point.rate())).toArray(),
            points.stream().mapToDouble(RateRangeTest.Point::smoothed).toArray(),
            "loss",
            "learning rate, powers of ten")
        .forEach(output.out()::println);
    output.out().println();
    Double suggested = result.suggested();
    if (suggested == null) {
      output
          .out()
          .println(
              "no learning rate made the loss fall; begin with other weights, or look at the data");
      return;
    }
    output.table(
        List.of("learning rate", ""),
        List.of(
            List.of("where the loss falls the most", number(result.steepest())),
            List.of("where it is least", number(result.minimum())),
            List.of("a tenth of that: try --lr", number(suggested))));
  }

  private static String number(@Nullable Double rate) {
    return rate == null ? "" : String.format(Locale.ROOT, "%.2g", rate);
  }
}
