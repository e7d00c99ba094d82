package fathom.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;

/// What `./fathom` runs once after a build, so that the JVM writes down which classes the commands
/// need that compute nothing, and finds them ready at every start (JEP 514).
final class Warmup {
  private static final List<String> CALLS =
      List.of(
          "--help",
          "--version",
          "train --help",
          "models",
          "models resnet20 --json",
          "models ln-lstm",
          "data list",
          "lab",
          "completion bash");

  private Warmup() {}

  public static void main(String[] args) {
    for (String call : CALLS) {
      Main.execute(
          _ -> null,
          new PrintWriter(Writer.nullWriter()),
          new PrintWriter(Writer.nullWriter()),
          call.split(" ", -1));
    }
  }
}
