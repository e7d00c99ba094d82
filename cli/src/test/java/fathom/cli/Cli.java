package fathom.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A call of the command line in this JVM: its exit code and what it printed.
record Cli(int code, String out, String err) {
  /// With nothing in the environment but a folder for the configuration that is not there.
  static Cli run(String... args) {
    return run(Map.of("XDG_CONFIG_HOME", "./none"), args);
  }

  static Cli run(Map<String, String> environment, String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    int code = Main.execute(environment::get, new PrintWriter(out), new PrintWriter(err), args);
    return new Cli(code, out.toString(), err.toString());
  }

  /// Trains a small net on digits for an epoch, for tests of what is done with a run.
  static void trainOnDigits(Path run) {
    Cli trained =
        run(
            "train",
            "resnet8",
            "--data",
            "digits",
            "--width",
            "8",
            "--epochs",
            "1",
            "--out",
            run.toString());
    Assertions.assertEquals(Exit.DONE, trained.code, trained.err);
  }

  /// The same call in a JVM of its own, with the flags that all have.
  static List<String> command(String classPath, List<String> args) {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + System.getProperty("fathom.jvm.args"),
                "-cp",
                classPath,
                "fathom.cli.Main"));
    command.addAll(args);
    return command;
  }

  JsonNode json() {
    return JsonMapper.builder().build().readTree(out);
  }
}
