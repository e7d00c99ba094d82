package fathom.bench;

import fathom.net.Architecture;
import fathom.train.Precision;
import java.util.List;

/// Measures the time from the start of the JVM to the end of the first training step, with the
/// files in the operating system's cache.
public final class StartSuite {
  private StartSuite() {}

  /// Measures `rounds` times, each time in a fresh process.
  public static List<Result> run(
      Architecture.Convolutional net, int batch, int rounds, int workers) {
    double[] runs = new double[rounds];
    for (int i = -1; i < rounds; i++) { // the first run fills the cache
      double milliseconds =
          Alternation.milliseconds(() ->
              Child.run(
                  StartSuite.class,
                  net.name(),
                  Integer.toString(batch),
                  Integer.toString(workers)));
      if (i >= 0) {
        runs[i] = milliseconds;
      }
    }
    String name =
        "to the first step of %s, batch %s, %s workers".formatted(net.name(), batch, workers);
    return List.of(Result.of("start", name, runs, null, null));
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
