package fathom.bench;

import fathom.Scope;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.train.Precision;
import fathom.train.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/// Measures whole processes, with their files in the operating system's cache: from the start of
/// the JVM to the end of the first training step, and `predict` on one photo, against scripts with
/// PyTorch, imports included.
public final class StartSuite {
  static final String PHOTO_NET = "resnet18";
  private static final String SCRIPT = "a script with PyTorch";

  private StartSuite() {}

  /// Measures `rounds` times in turn, each time in fresh processes.
  public static List<Result> run(Architecture.Convolutional net, int batch, Piece.Terms terms) {
    String workers = Integer.toString(terms.workers());
    var results =
        new ArrayList<Result>(
            compare(
                Suite.START,
                "to the first step of %s, batch %s, %s workers"
                    .formatted(net.name(), batch, workers),
                () -> Child.run(StartSuite.class, net.name(), Integer.toString(batch), workers),
                terms
                    .peers()
                    .script(
                        Peers.PYTORCH,
                        "resnet.py",
                        "train",
                        net.name(),
                        "nchw",
                        "fp32",
                        Integer.toString(batch),
                        workers,
                        "1"),
                terms));
    try (var folder = SyntheticPhotos.make(1);
        var files = new Exchange()) {
      results.addAll(
          predictions(
              Suite.START,
              "predict by %s, one photo".formatted(PHOTO_NET),
              folder.test(),
              files,
              terms));
    }
    return results;
  }

  /// Measures `predict` on a file or folder of photos, against a script that does the same with
  /// Pillow and as many processes that decode as there are workers.
  static List<Result> predictions(
      Suite suite, String name, Path photos, Exchange files, Piece.Terms terms) {
    String workers = Integer.toString(terms.workers());
    Path weights = files.weights();
    try (var _ = Scope.open()) {
      Weights.write(
          weights, Architecture.Convolutional.named(PHOTO_NET).build(Init.he(1)), Map.of());
    }
    List<String> script =
        terms
            .peers()
            .script(
                Peers.PYTORCH,
                "photos.py",
                PHOTO_NET,
                files.torchWeights().toString(),
                workers,
                workers,
                photos.toString());
    if (script != null) {
      Child.run(script); // makes the weights
    }
    return compare(
        suite,
        name,
        () ->
            Child.run(
                terms.commandLine(),
                "predict",
                weights.toString(),
                "--model",
                PHOTO_NET,
                "--mean",
                "0.485,0.456,0.406",
                "--std",
                "0.229,0.224,0.225",
                photos.toString(),
                "--quiet"),
        script,
        terms);
  }

  private static List<Result> compare(
      Suite suite, String name, Runnable ours, @Nullable List<String> script, Piece.Terms terms) {
    var contenders = new ArrayList<DoubleSupplier>();
    contenders.add(() -> Alternation.milliseconds(ours));
    if (script != null) {
      contenders.add(() -> Alternation.milliseconds(() -> Child.run(script)));
    }
    Alternation.of(1, contenders); // fills the operating system's cache
    double[][] runs = Alternation.of(terms.rounds(), contenders);
    if (script != null) {
      return List.of(Result.of(suite.text(), name, runs[0], SCRIPT, runs[1]));
    }
    String missing = terms.peers().asked().contains(Peers.Kind.PYTHON) ? SCRIPT : null;
    return List.of(Result.of(suite.text(), name, runs[0], missing, null));
  }

  /// The program that is measured: makes one training step.
  public static void main(String[] arguments) {
    var net = Architecture.Convolutional.named(arguments[0]);
    int batch = Integer.parseInt(arguments[1]);
    int workers = Integer.parseInt(arguments[2]);
    TrainSuite.ours(net, batch, workers, 0, Precision.FP32, 1).close();
    System.out.println("done");
  }
}
