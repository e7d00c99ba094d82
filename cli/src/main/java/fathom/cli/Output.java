package fathom.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// Writes the output of a command: its result goes to standard output, as text or as one JSON
/// object; progress and remarks go to standard error.
final class Output {
  /// A holder class, so that the JSON library is loaded with the first answer that needs it,
  /// because loading takes longer than most answers. A type without properties is an error of the
  /// program, so it fails instead of being printed as an empty object.
  private static final class Json {
    static final JsonMapper MAPPER =
        JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .disable(
                StreamWriteFeature.AUTO_CLOSE_TARGET, StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
            .build();
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @OnResume
  @Option(names = "--json", description = "Print the result as one JSON object, and nothing else.")
  private boolean json;

  @OnResume
  @Option(
      names = {"-q", "--quiet"},
      description = "Print the result and errors, but no progress and no remarks.")
  private boolean quiet;

  @OnResume
  @Rare
  @Option(names = "--verbose", description = "Show where a failure came from.")
  private boolean verbose;

  @SuppressWarnings("NullAway.Init") // picocli sets the command before it calls anything
  Output() {}

  /// Whether only errors are printed, for this is not the first of several processes.
  private boolean onlyErrors;

  void onlyErrors() {
    onlyErrors = true;
  }

  boolean json() {
    return json;
  }

  PrintWriter out() {
    return command.commandLine().getOut();
  }

  /// Returns the writer for progress and remarks. It discards everything with `--quiet`, unless
  /// `--verbose` is given too.
  PrintWriter err() {
    return (quiet && !verbose) || onlyErrors
        ? new PrintWriter(Writer.nullWriter())
        : command.commandLine().getErr();
  }

  /// Prints a line to standard error, unless `--quiet` is given.
  void remark(String line) {
    err().println(line);
    err().flush();
  }

  /// Prints a line to standard error that `--quiet` does not silence, because it says what became
  /// of work that was interrupted.
  void lastWord(String line) {
    if (onlyErrors) {
      return;
    }
    PrintWriter err = command.commandLine().getErr();
    err.println(line);
    err.flush();
  }

  /// Prints the answer: `result` as JSON with `--json`; otherwise runs `text`, which prints lines.
  void answer(Object result, Runnable text) {
    if (onlyErrors) {
      return;
    }
    if (json) {
      Json.MAPPER.writeValue(out(), result);
      out().println();
    } else {
      text.run();
    }
    out().flush();
  }

  /// Prints a table under headings; the first column is aligned left, the others right.
  void table(List<String> head, List<List<String>> rows) {
    int[] widths = new int[head.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = head.get(i).length();
      for (List<String> row : rows) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    line(head, widths);
    rows.forEach(row -> line(row, widths));
  }

  private void line(List<String> cells, int[] widths) {
    var line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String pad = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? cells.get(i) + pad : "  " + pad + cells.get(i));
    }
    out().println(line.toString().stripTrailing());
  }

  /// Returns `value`. Throws a usage error if it is null, because the command cannot work without
  /// it.
  <T> T required(@Nullable T value, String name) {
    if (value == null) {
      throw new ParameterException(command.commandLine(), "Missing: " + name);
    }
    return value;
  }

  /// Returns the options that were written on the command line itself.
  List<OptionSpec> written() {
    return command.commandLine().getParseResult().matchedOptions();
  }

  /// Returns a usage error for arguments that are wrong only in combination.
  ParameterException refused(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  /// Runs `arguments` as [#usage] does, without a result.
  void checked(Runnable arguments) {
    usage(() -> {
      arguments.run();
      return true;
    });
  }

  /// Returns the result of `arguments`. An `IllegalArgumentException` of the library becomes a
  /// usage error, because only the library can check these arguments.
  <T> T usage(Supplier<T> arguments) {
    try {
      return arguments.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
