package fathom.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;

/// Runs the commands that compute nothing, once after a build by `./fathom`, so that the JVM
/// records the classes that they need and finds them ready at every start (JEP 514).
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
