package fathom.cli;

import fathom.lab.RunReport;
import fathom.train.Run;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "report",
    description = "Writes the report of a run: one HTML file that opens offline.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample:%n",
    footer = "  fathom report runs/resnet20-digits-1")
final class ReportCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "RUN", description = "The run's folder.")
  private @Nullable Path folder;

  @Override
  public Integer call() {
    Run run = Run.open(output.required(folder, "RUN"));
    RunReport.of(run).write(run.report());
    output.answer(
        Map.of("report", run.report().toString()),
        () -> output.out().println("report: " + run.report()));
    return Exit.DONE;
  }
}
