package fathom.cli;

import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "completion",
    description = "Prints a script that completes commands, options and files in bash or zsh.",
    mixinStandardHelpOptions = true,
    footerHeading = "%nExample, for the shell that is open:%n",
    footer = "  source <(fathom completion bash)")
final class CompletionCommand implements Callable<Integer> {
  enum Shell {
    BASH(""),
    /// It reads bash's completions when it is told to.
    ZSH("autoload -U +X compinit && compinit; autoload -U +X bashcompinit && bashcompinit\n");

    private final String preparation;

    Shell(String preparation) {
      this.preparation = preparation;
    }
  }

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private @Nullable Shell shell;

  @Override
  public Integer call() {
    var line = Objects.requireNonNull(spec).root().commandLine();
    line.getOut().print(Objects.requireNonNull(shell).preparation);
    line.getOut().println(AutoComplete.bash("fathom", line));
    line.getOut().flush();
    return Exit.DONE;
  }
}
