package fathom.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The programs of `bench/peers` for the JVM. They are a Maven project of their own, so that Fathom
/// does not depend on their libraries, and each runs in a process of its own.
///
/// @param home the folder of that project
/// @param classPath what Maven has built, and the libraries that it has downloaded
record JavaPeers(Path home, String classPath) {
  /// Says in one line why the programs are not available.
  static final class NotBuiltException extends Exception {
    private static final long serialVersionUID = 1;

    NotBuiltException(String message) {
      super(message);
    }
  }

  /// Builds the programs by Maven, which is quick where nothing has changed.
  static JavaPeers build(Consumer<String> say) throws NotBuiltException {
    String root = System.getProperty("fathom.home");
    if (root == null) {
      throw new NotBuiltException("they are built from Fathom's sources; start it by ./fathom");
    }
    Path home = Path.of(root, "bench", "peers");
    Path libraries = home.resolve("target").resolve("classpath.txt");
    if (!Files.exists(libraries)) {
      say.accept(
          "building the programs for ONNX Runtime and DJL; the first time, Maven downloads about"
              + " 200 MB");
    }
    try {
      Maven.run(home, List.of("compile"));
      return new JavaPeers(
          home, home.resolve("target/classes") + File.pathSeparator + Files.readString(libraries));
    } catch (IOException e) {
      throw new NotBuiltException("Maven cannot be run: " + e.getMessage());
    } catch (Maven.FailedException e) {
      throw new NotBuiltException(String.valueOf(e.getMessage()));
    }
  }

  /// Returns the command that runs ONNX Runtime on a model and images in files and writes its
  /// logits to `logits`.
  List<String> onnxRuntime(Path model, Path images, Path logits, long[] shape, int threads) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of(model.toString(), images.toString(), logits.toString()));
    for (long size : shape) {
      arguments.add(Long.toString(size));
    }
    arguments.add(Integer.toString(threads));
    return command("OnnxRuntime", List.of(), arguments);
  }

  /// Returns the command that runs DJL's training step.
  List<String> djl(String model, int batch, int threads) {
    return command(
        "Djl",
        List.of(
            // DJL sends no reports to its makers, downloads nothing, and unpacks its libraries
            // beside its classes.
            "-DOPT_OUT_TRACKING=true",
            "-Dai.djl.offline=true",
            "-DDJL_CACHE_DIR=" + home.resolve("target/djl"),
            "-Dai.djl.pytorch.num_threads=" + threads),
        List.of(model, Integer.toString(batch)));
  }

  private List<String> command(String program, List<String> flags, List<String> arguments) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(flags);
    command.addAll(List.of("-cp", classPath, "fathom.peers." + program));
    command.addAll(arguments);
    return command;
  }
}
