package fathom.cli;

import fathom.data.Catalogue;
import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.net.Architecture;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

@Command(
    name = "completion",
    description = {
      "Prints a script that completes commands, options, their values and files.",
      "It is for bash or zsh."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples, for the shell that is open:%n",
    footer = {
      "  source <(fathom completion bash)",
      "  source <(fathom completion zsh)",
      "",
      "For every shell, write the script into a file and source that in ~/.bashrc or ~/.zshrc."
    })
final class CompletionCommand implements Callable<Integer> {
  enum Shell {
    BASH(""),
    /// The prologue loads zsh's emulation of bash's completion, which picocli's script is written
    /// for.
    ZSH("autoload -U +X compinit && compinit; autoload -U +X bashcompinit && bashcompinit\n");

    private final String prologue;

    Shell(String prologue) {
      this.prologue = prologue;
    }
  }

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private @Nullable Shell shell;

  @CommandLine.Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    CommandLine described = Main.commandLine();
    sayValues(described);
    out.print(Objects.requireNonNull(shell).prologue);
    out.println(withFiles(script(described)));
    out.flush();
    return Exit.DONE;
  }

  /// Returns picocli's script. The locale is the root locale while it is made, because picocli
  /// formats the numbers of the script's variables in the digits of the default locale, and no
  /// shell reads other digits than ASCII's.
  private static String script(CommandLine described) {
    Locale user = Locale.getDefault(Locale.Category.FORMAT);
    Locale.setDefault(Locale.Category.FORMAT, Locale.ROOT);
    try {
      return AutoComplete.bash("fathom", described);
    } finally {
      Locale.setDefault(Locale.Category.FORMAT, user);
    }
  }

  /// Adds file names to the completions of each argument with a list of values, because the
  /// argument may be a name or a path and picocli's script offers the names alone.
  private static String withFiles(String script) {
    return script.replaceAll(
        "COMPREPLY=\\( \\$\\( (compReplyArray \"\\$\\{DATA_option_args\\[@]}\") \\) \\)",
        "type compopt &>/dev/null && compopt -o filenames\n"
            + "      COMPREPLY=( \\$( $1; compgen -f -- \"\\${curr_word}\" ) ) # and files");
  }

  /// Sets the completion candidates of every argument, because picocli would offer the Java names
  /// of enum constants, which no user writes, and nothing for the other arguments.
  private static void sayValues(CommandLine line) {
    CommandSpec command = line.getCommandSpec();
    for (ArgSpec arg : List.copyOf(command.args())) {
      List<String> values = values(command, arg);
      if (!values.isEmpty()) {
        command.remove(arg);
        command.add(
            switch (arg) {
              case OptionSpec option -> option.toBuilder().completionCandidates(values).build();
              case PositionalParamSpec place ->
                  place.toBuilder().completionCandidates(values).build();
              default -> arg;
            });
      }
    }
    line.getSubcommands().values().forEach(CompletionCommand::sayValues);
  }

  /// Returns the values that an argument may have; none where it is a number or a file.
  private static List<String> values(CommandSpec command, ArgSpec arg) {
    for (Class<?> type : arg.auxiliaryTypes()) {
      if (type.isEnum()) {
        return EnumName.all(type);
      }
    }
    return switch (command.name() + " " + arg.paramLabel()) {
      case "lab NAME" -> Experiments.all().stream().map(Experiment::name).toList();
      case "get NAME" -> data().toList();
      default ->
          switch (arg.paramLabel()) {
            case "MODEL" ->
                Stream.concat(
                        Architecture.imagesNames().stream(), Architecture.textNames().stream())
                    .distinct()
                    .toList();
            case "DATA" -> Stream.concat(Stream.of("digits"), data()).toList();
            case "K|auto" -> List.of("auto");
            default -> List.of();
          };
    };
  }

  private static Stream<String> data() {
    return Catalogue.entries().stream().map(Catalogue.Entry::name);
  }
}
