package fathom.bench;

import fathom.net.Architecture;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.train.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;

/// Measures how time and memory grow with the work: with the depth of a net, the images of a batch,
/// the length of sequences and the images of a data set; and what a second core adds.
///
/// Each quantity has four sizes, from the smallest to the largest. Behind their times and peaks of
/// memory stands a ratio: what one more of it costs from the third size to the fourth, over what it
/// cost from the first to the third. It is 1 where the growth is linear, however much there is that
/// does not grow.
final class GrowthSuite {
  private static final String SUITE = "growth";
  private static final String SEQUENCES = "sequences";
  private static final String IMAGES = "images";

  private static final Architecture.Convolutional NET =
      Architecture.Convolutional.named("resnet20");
  private static final int BATCH = 128;

  /// The images of a batch of the deepest nets, whose values have to fit into memory.
  private static final int DEEP_BATCH = 16;

  private static final int WARM_UP = 12;

  /// A run over all sizes takes long, and where the growth is not linear, it shows in few.
  private static final int MOST_ROUNDS = 3;

  private GrowthSuite() {}

  /// A quantity and the sizes at which it is measured, smallest first.
  record Sweep(String work, String quantity, int... sizes) {
    static final Sweep DEPTH =
        new Sweep("a step of ResNet-N, batch " + DEEP_BATCH, "layers", 20, 56, 110, 1202);
    static final Sweep BATCHES = new Sweep("a step of ResNet-20", "images", 16, 64, 256, 1024);
    static final Sweep LENGTH =
        new Sweep("LN-LSTM 32,128,128, forward and back", "steps", 25, 100, 400, 1600);
    static final Sweep DATA =
        new Sweep("opening shards", "images", 1000, 10_000, 100_000, 1_000_000);

    /// @param runs of each size, in the order of the sizes
    List<Result> results(String unit, double[][] runs) {
      var results = new ArrayList<Result>();
      for (int i = 0; i < sizes.length; i++) {
        String name = String.format(Locale.ROOT, "%s, %,d %s", work, sizes[i], quantity);
        results.add(Result.of(SUITE, name, unit, runs[i]));
      }
      double[] ratios = new double[runs[0].length];
      Arrays.setAll(ratios, round -> cost(runs, round, 2, 3) / cost(runs, round, 0, 2));
      results.add(
          Result.of(
              SUITE,
              String.format(
                  Locale.ROOT,
                  "%s: %s for one of the last %s more, by that of one before",
                  work,
                  unit,
                  quantity),
              "times",
              ratios));
      return results;
    }

    private double cost(double[][] runs, int round, int from, int to) {
      return (runs[to][round] - runs[from][round]) / (sizes[to] - sizes[from]);
    }
  }

  static List<Result> run(Piece.Terms terms) {
    int workers = terms.workers();
    int rounds = terms.atMost(MOST_ROUNDS).rounds();
    var results = new ArrayList<Result>();
    if (workers > 1) {
      results.add(cores(terms.rounds(), workers));
    }
    results.addAll(times(Sweep.DEPTH, rounds, n -> step(deep(n), DEEP_BATCH, workers)));
    results.addAll(times(Sweep.BATCHES, rounds, n -> step(NET, n, workers)));
    results.addAll(times(Sweep.LENGTH, rounds, n -> sequences(n, workers)));
    String unavailable = MemorySuite.unavailable();
    if (unavailable != null) {
      terms.say().accept(unavailable);
      return results;
    }
    results.addAll(peaks(Sweep.DEPTH, n -> peak(deep(n), DEEP_BATCH, workers)));
    results.addAll(peaks(Sweep.BATCHES, n -> peak(NET, n, workers)));
    results.addAll(
        peaks(
            Sweep.LENGTH, n -> inChild(SEQUENCES, Integer.toString(n), Integer.toString(workers))));
    results.addAll(shards());
    return results;
  }

  /// Measures by how much more than one core all of them do, in parts of what as many times one
  /// core would add.
  private static Result cores(int rounds, int workers) {
    try (var one = step(NET, BATCH, 1);
        var all = step(NET, BATCH, workers)) {
      double[][] runs = Alternation.of(rounds, List.of(one::run, all::run));
      double[] added = new double[rounds];
      Arrays.setAll(added, i -> 100 * (runs[0][i] / runs[1][i] - 1) / (workers - 1));
      return Result.of(
          SUITE,
          "a step of %s, batch %s: what a further core adds, of %s"
              .formatted(NET.name(), BATCH, workers),
          "%",
          added);
    }
  }

  private static List<Result> times(Sweep sweep, int rounds, IntFunction<Standing> work) {
    List<Standing> all = Arrays.stream(sweep.sizes).mapToObj(work).toList();
    try {
      List<DoubleSupplier> contenders =
          all.stream().<DoubleSupplier>map(each -> each::run).toList();
      return sweep.results("ms", Alternation.of(rounds, contenders));
    } finally {
      all.forEach(Standing::close);
    }
  }

  private static List<Result> peaks(Sweep sweep, IntToDoubleFunction peak) {
    return sweep.results(
        "MB",
        Arrays.stream(sweep.sizes)
            .mapToObj(n -> new double[] {peak.applyAsDouble(n)})
            .toArray(double[][]::new));
  }

  private static Architecture.Convolutional deep(int layers) {
    return Architecture.Convolutional.named("resnet" + layers);
  }

  private static Standing step(Architecture.Convolutional net, int batch, int workers) {
    return TrainSuite.ours(net, batch, workers, 0, Precision.FP32, WARM_UP);
  }

  private static Standing sequences(int steps, int workers) {
    var size = new RecurrentSuite.Size(steps, 32, 128, 128);
    return RecurrentSuite.ours(Kind.LSTM, GateNorm.LAYER, size, workers);
  }

  private static double peak(Architecture.Convolutional net, int batch, int workers) {
    return MemorySuite.megabytes(net, batch, workers, 0, Precision.FP32);
  }

  /// Measures whole processes that open shards, once for each number of images, because the shards
  /// of most of them are 2 GB.
  private static List<Result> shards() {
    int count = Sweep.DATA.sizes.length;
    var times = new double[count][1];
    var peaks = new double[count][1];
    for (int i = 0; i < count; i++) {
      try (var shards = SyntheticShards.make(Sweep.DATA.sizes[i])) {
        double[] peak = peaks[i];
        String folder = shards.folder().toString();
        times[i][0] = Alternation.milliseconds(() -> peak[0] = inChild(IMAGES, folder));
      }
    }
    var results = new ArrayList<Result>(Sweep.DATA.results("ms", times));
    results.addAll(Sweep.DATA.results("MB", peaks));
    return results;
  }

  private static double inChild(String... arguments) {
    return Long.parseLong(Child.run(GrowthSuite.class, arguments)) / 1e6;
  }

  /// The program whose memory is measured: does one of the two kinds of work that no other program
  /// does, and prints its peak in bytes.
  static void main(String... arguments) {
    switch (arguments[0]) {
      case SEQUENCES ->
          sequences(Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2])).close();
      case IMAGES -> SyntheticShards.count(Path.of(arguments[1]));
      default -> throw new IllegalArgumentException("there is no work named " + arguments[0]);
    }
    IO.println(MemorySuite.peak());
  }
}
