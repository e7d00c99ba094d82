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

/// Where a command's answer goes: results to standard output, as text or as one JSON object;
/// everything else to standard error.
final class Output {
  /// A type that has nothing to print is a fault of ours and not an empty object. Loaded with the
  /// first answer that it writes, for it takes longer than most answers.
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
  @Option(names = "--verbose", description = "Show where a failure came from.")
  private boolean verbose;

  @SuppressWarnings("NullAway.Init") // picocli sets the command before it calls anything
  Output() {}

  boolean json() {
    return json;
  }

  PrintWriter out() {
    return command.commandLine().getOut();
  }

  /// For progress and remarks.
  PrintWriter err() {
    return quiet && !verbose
        ? new PrintWriter(Writer.nullWriter())
        : command.commandLine().getErr();
  }

  /// A line of its own on standard error.
  void remark(String line) {
    err().println(line);
    err().flush();
  }

  /// A line on standard error that `--quiet` does not silence: what becomes of something that was
  /// broken off.
  void lastWord(String line) {
    PrintWriter err = command.commandLine().getErr();
    err.println(line);
    err.flush();
  }

  /// The answer: `result` as JSON, or else the lines of text.
  void answer(Object result, Runnable text) {
    if (json) {
      Json.MAPPER.writeValue(out(), result);
      out().println();
    } else {
      text.run();
    }
    out().flush();
  }

  /// Prints columns under headings; the first is flush left, the others flush right.
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

  /// The value of an argument without which nothing can be done.
  <T> T required(@Nullable T value, String name) {
    if (value == null) {
      throw new ParameterException(command.commandLine(), "Missing: " + name);
    }
    return value;
  }

  /// The options that stand on the command line itself.
  List<OptionSpec> written() {
    return command.commandLine().getParseResult().matchedOptions();
  }

  /// Wrong usage that shows only when arguments are looked at together.
  ParameterException refused(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  /// The same where there is nothing to return.
  void checked(Runnable arguments) {
    usage(() -> {
      arguments.run();
      return true;
    });
  }

  /// For arguments that only the library can judge: what it refuses is wrong usage.
  <T> T usage(Supplier<T> arguments) {
    try {
      return arguments.get();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
