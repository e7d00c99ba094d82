package fathom.cli;

import fathom.io.Spelling;
import fathom.lab.Laboratory;
import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Ledger;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "lab",
    description = {
      "The papers' claims as experiments. Without a name: lists them.",
      "Each writes its finding when it ends; a finding of the same size, seeds and version is not"
          + " measured again, so a series that was broken off goes on with the same command."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom lab --all",
      "  fathom lab degradation shattering --full --seeds 5",
      "  fathom lab growth-law --charts images"
    })
final class LabCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(arity = "0..*", paramLabel = "NAME", description = "Experiments to run.")
  private List<String> names = List.of();

  @Option(names = "--all", description = "Run every experiment.")
  private boolean all;

  @Option(
      names = "--quick",
      description = "The small size, which is the default; with --all a quarter of an hour.")
  private boolean quick;

  @Option(names = "--full", description = "At the size for evidence.")
  private boolean full;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description = "Measures with the seeds 1 to N. Default: 3; with --all and --quick: 1.")
  private @Nullable Integer seeds;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where the findings are. Default: runs/lab.")
  private Path out = Path.of("runs", "lab");

  @Option(
      names = "--charts",
      paramLabel = "DIR",
      description = "Also write every chart as an image for a document, NAME-1.svg and on.")
  private @Nullable Path charts;

  @Option(names = "--again", description = "Measure again what has a finding.")
  private boolean again;

  /// An experiment in the list that `--json` prints.
  record Listed(String name, String question, String claim, String source, String cost) {}

  @Override
  public Integer call() {
    if (quick && full) {
      throw output.refused("--quick and --full are two sizes; leave one out");
    }
    if (all && !names.isEmpty()) {
      throw output.refused("--all runs every experiment; leave out the names or --all");
    }
    if (seeds != null && (seeds < 1 || seeds > 1000)) {
      throw output.refused("--seeds is from 1 to 1000, but is " + seeds);
    }
    List<Experiment> chosen = chosen();
    if (chosen.isEmpty()) {
      return list();
    }
    List<Experiment> runnable = chosen.stream().filter(e -> e.missing().isEmpty()).toList();
    for (Experiment e : chosen) {
      e.missing().ifPresent(why -> output.err().println(e.name() + " is skipped: " + why));
    }
    if (runnable.isEmpty()) {
      output.answer(
          Map.of("findings", List.of()),
          () -> output.out().println("every experiment was skipped; nothing was measured"));
      return Exit.DONE;
    }
    return run(runnable);
  }

  /// Returns the number of seeds. One is enough to see all experiments work, and leaves a core to
  /// the next experiment, so that the whole list takes a quarter of an hour.
  private int seeds() {
    if (seeds != null) {
      return seeds;
    }
    return all && !full ? 1 : 3;
  }

  private List<Experiment> chosen() {
    List<Experiment> experiments = Experiments.all();
    if (all) {
      return experiments;
    }
    var chosen = new ArrayList<Experiment>();
    for (String name : names.stream().distinct().toList()) {
      chosen.add(
          experiments.stream()
              .filter(e -> e.name().equals(name))
              .findFirst()
              .orElseThrow(() -> output.refused(unknown(name, experiments))));
    }
    return chosen;
  }

  private static String unknown(String name, List<Experiment> experiments) {
    return Spelling.nearest(name, experiments.stream().map(Experiment::name).toList())
        .map(n -> "there is no experiment \"%s\"; did you mean %s?".formatted(name, n))
        .orElse("there is no experiment \"%s\"; \"fathom lab\" lists them".formatted(name));
  }

  private int list() {
    List<Statement> statements = Experiments.all().stream().map(Experiment::statement).toList();
    output.answer(
        Map.of(
            "experiments",
            statements.stream()
                .map(e -> new Listed(e.name(), e.question(), e.claim(), e.source(), e.cost()))
                .toList()),
        () -> {
          for (Statement e : statements) {
            output.out().println("%s  (%s)".formatted(e.name(), e.cost()));
            output.out().println(indented(e.question()));
            output.out().println(indented("Claim: " + e.claim()));
            output.out().println(indented("Source: " + e.source()));
            output.out().println();
          }
          output.out().println("The time is that of --quick with three seeds on 2 cores.");
        });
    return Exit.DONE;
  }

  private static String indented(String text) {
    return DemoCommand.wrap(text, 92).indent(4).stripTrailing();
  }

  private int run(List<Experiment> chosen) {
    Size size = full ? Size.FULL : Size.QUICK;
    var ledger = new Ledger(out);
    try (var interruption = new Interruption(() -> broken(chosen.size()))) {
      List<Finding> findings;
      try (var display = new ProgressDisplay("lab", output.err())) {
        findings =
            Laboratory.run(
                chosen,
                size,
                LongStream.rangeClosed(1, seeds()).boxed().toList(),
                ledger,
                again,
                new Watcher(display),
                interruption::requested);
      }
      if (findings.size() < chosen.size()) {
        output.lastWord(
            "interrupted; %s of %s findings are in %s, and the same command goes on"
                .formatted(findings.size(), chosen.size(), out));
        return interruption.code();
      }
      print(findings, ledger);
      return Exit.DONE;
    }
  }

  /// Reports the interruption. It returns true, because an experiment that is under way writes
  /// nothing and so has nothing to save.
  private boolean broken(int chosen) {
    System.err.println(
        "interrupted; what ended of %s findings is in %s, and the same command goes on"
            .formatted(chosen, out));
    return true;
  }

  private record Watcher(ProgressDisplay display) implements Laboratory.Watcher {
    @Override
    public void at(String experiment, int done, int of) {
      display.show(done, of, experiment);
    }

    @Override
    public void found(Finding finding, boolean wasThere) {
      display.line(
          String.format(
              Locale.ROOT,
              "%-18s %-15s %5.1f s%s",
              finding.experiment(),
              finding.verdict(),
              finding.seconds(),
              wasThere ? "  (was there)" : ""));
    }
  }

  private void print(List<Finding> findings, Ledger ledger) {
    var answer = new LinkedHashMap<String, Object>();
    answer.put("findings", findings);
    answer.put("report", ledger.index().toString());
    List<String> images =
        charts == null
            ? List.of()
            : Laboratory.charts(findings, charts).stream().map(Path::toString).toList();
    if (charts != null) {
      answer.put("charts", images);
    }
    output.answer(
        answer,
        () -> {
          for (Finding finding : findings) {
            output.out().println();
            output
                .out()
                .println(
                    "%s: %s (%s, seeds %s)"
                        .formatted(
                            finding.experiment(),
                            finding.verdict(),
                            finding.size(),
                            finding.seeds()));
            output.table(
                List.of("measured", "mean", "spread", "threshold"),
                finding.values().stream()
                    .map(v ->
                        List.of(
                            v.what(), number(v.mean()), number(v.spread()), v.bound().toString()))
                    .toList());
          }
          output.out().println();
          output.out().println("report: " + ledger.index());
          if (charts != null) {
            output.out().println("charts: %s in %s".formatted(images.size(), charts));
          }
        });
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }
}
