package fathom.cli;

import fathom.report.Page;
import fathom.report.run.RunComparison;
import fathom.report.run.RunReport;
import fathom.run.Run;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "report",
    description = {
      "Writes the report of a run, or one that compares several.",
      "It is one HTML file that opens offline."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom report runs/resnet20-digits-1",
      "  fathom report runs/plain56-digits-1 runs/resnet56-digits-1 --out depth.html"
    })
final class ReportCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "RUN", arity = "0..*", description = "The folders of runs.")
  private List<Path> folders = List.of();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = {
        "Where the page goes. Default: report.html in the run's folder; comparison.html beside the",
        "folder of the first of several."
      })
  private @Nullable Path out;

  @Override
  public Integer call() {
    Path first = output.required(folders.isEmpty() ? null : folders.getFirst(), "RUN");
    List<Run> runs = folders.stream().map(Run::open).toList();
    Path usual =
        runs.size() == 1
            ? runs.getFirst().report()
            : first.resolveSibling("comparison.html").normalize();
    Path file = out == null ? usual : out;
    Destination.check(file, "--out", null, output);
    Page page = runs.size() == 1 ? RunReport.of(runs.getFirst(), file) : RunComparison.of(runs);
    page.write(file);
    output.answer(Map.of("report", file.toString()), () -> output.out().println("report: " + file));
    return Exit.DONE;
  }
}
