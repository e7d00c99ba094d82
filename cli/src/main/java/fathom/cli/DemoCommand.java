package fathom.cli;

import fathom.lab.Demo;
import fathom.run.Progress;
import fathom.run.RunTraining;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = {
      "Trains plain and residual nets on handwritten digits, and shows which can be deep.",
      "Nets of two depths, three seeds each, on digits that come along.",
      "Takes about 3 minutes on 2 cores, and no download."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {"  fathom demo", "  fathom demo --json"})
final class DemoCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where to write. Default: below runs/.")
  private @Nullable Path out;

  /// The answer of `--json`.
  record Answer(List<Demo.Row> rows, boolean reproduced, String meaning, String report) {}

  @Override
  public Integer call() {
    Path folder = out != null ? out : TrainCommand.freeFolder("demo", "digits");
    output
        .err()
        .println(
            "plain and residual nets of 20 and 56 layers on 1437 digits, three seeds each, in "
                + folder);
    try (var interruption = new Interruption(() -> true)) {
      Demo.Findings findings;
      try (var display = new ProgressDisplay("demo", output.err())) {
        findings = Demo.run(folder, new Watcher(display), interruption::requested);
      }
      if (findings == null) {
        output.lastWord("interrupted; the next demo begins anew");
        return interruption.code();
      }
      print(findings);
      return Exit.DONE;
    }
  }

  private record Watcher(ProgressDisplay display) implements Demo.Watcher {
    @Override
    public void step(long steps, Progress.StepEnd step) {
      display.count(
          steps, String.format(Locale.ROOT, "%.0f images/s a net", step.examplesPerSecond()));
    }

    @Override
    public void trained(String net, long seed, RunTraining.Result result) {
      if (result.finished()) {
        display.line(
            String.format(
                Locale.ROOT,
                "%-8s  seed %d   train error %5.1f %%   test error %5.1f %%   %3.0f s",
                net,
                seed,
                result.trained().error(),
                result.tested().error(),
                result.seconds()));
      }
    }
  }

  private void print(Demo.Findings findings) {
    output.answer(
        new Answer(
            findings.rows(),
            findings.reproduced(),
            findings.meaning(),
            findings.report().toString()),
        () -> {
          output.out().println();
          output.table(
              List.of("net", "depth", "train error", "spread", "test error", "spread", "seconds"),
              findings.rows().stream().map(DemoCommand::cells).toList());
          output.out().println();
          output.out().println(wrap(findings.meaning(), 96));
          output.out().println();
          output.out().println("report: " + findings.report());
        });
  }

  private static List<String> cells(Demo.Row row) {
    return List.of(
        row.kind(),
        Integer.toString(row.depth()),
        String.format(Locale.ROOT, "%.1f %%", row.trainError()),
        String.format(Locale.ROOT, "%.1f", row.trainErrorSpread()),
        String.format(Locale.ROOT, "%.1f %%", row.testError()),
        String.format(Locale.ROOT, "%.1f", row.testErrorSpread()),
        String.format(Locale.ROOT, "%.0f", row.seconds()));
  }

  static String wrap(String text, int width) {
    var wrapped = new StringBuilder();
    int column = 0;
    for (String word : text.split(" ", -1)) {
      if (column > 0 && column + 1 + word.length() > width) {
        wrapped.append('\n');
        column = 0;
      } else if (column > 0) {
        wrapped.append(' ');
        column++;
      }
      wrapped.append(word);
      column += word.length();
    }
    return wrapped.toString();
  }
}
