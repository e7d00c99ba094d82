package fathom.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
    name = "weights",
    description = "Says what a file of weights holds, and which net it fits.",
    mixinStandardHelpOptions = true,
    subcommands = WeightsInfoCommand.class,
    footerHeading = "%nExample:%n",
    footer = "  fathom weights info resnet20.th")
final class WeightsCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "info is missing");
  }
}
