package fathom.bench;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Rows;
import fathom.kernel.PackedMatrix;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.Sequences;
import fathom.recurrent.State;
import fathom.recurrent.TracedSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;

/// Measures one recurrent layer, forward and backward over whole sequences, with the gradients of
/// every parameter and of the input, against PyTorch's layer-normalised cells (eager, jit, compile)
/// and its built-in layer without a norm.
public final class RecurrentSuite {
  private static final String SUITE = "rnn";
  private static final double TOLERANCE = 1e-3;
  private static final int WARM_UP = 8;

  private RecurrentSuite() {}

  /// The size of the work: T steps of B sequences, I features and H units.
  record Size(int steps, int batch, int in, int hidden) {
    @Override
    public String toString() {
      return "%s,%s,%s,%s".formatted(steps, batch, in, hidden);
    }
  }

  private static final List<Size> SIZES =
      List.of(
          new Size(100, 32, 128, 128), new Size(100, 64, 256, 256), new Size(100, 64, 512, 512));

  /// Measures every kind and size, `rounds` times in turn with each peer. Throws
  /// `IllegalStateException` if a layer's gradient in float32 is not close to that in float64.
  public static List<Result> run(int rounds, int workers, Peers peers) {
    var results = new ArrayList<Result>(products(rounds));
    for (Kind kind : List.of(Kind.LSTM, Kind.GRU)) {
      check(kind);
      for (Size size : SIZES) {
        results.addAll(run(kind, size, rounds, workers, peers));
      }
    }
    return results;
  }

  /// Measures the product of a worker's 32 states with the weights, 100 times as in a sequence, on
  /// one core: by the packed matrix, which is packed once, and by the library.
  private static List<Result> products(int rounds) {
    var results = new ArrayList<Result>();
    for (int hidden : new int[] {128, 256, 512}) {
      try (var _ = Scope.open()) {
        int gates = 4 * hidden;
        Tensor h = Tensor.normal(RandomKey.of(1, "h"), DType.FLOAT32, 32, hidden);
        Tensor weight = Tensor.normal(RandomKey.of(1, "w"), DType.FLOAT32, gates, hidden);
        Tensor y = Tensor.empty(DType.FLOAT32, 32, gates);
        Runnable ours = () -> packed(h, weight, y);
        Runnable theirs = () -> library(h, weight);
        for (int i = 0; i < 20; i++) {
          ours.run();
          theirs.run();
        }
        double[][] runs =
            Alternation.of(
                rounds,
                List.of(
                    () -> Alternation.milliseconds(ours), () -> Alternation.milliseconds(theirs)));
        results.add(
            Result.of(
                SUITE,
                "100 products 32x%s by %sx%s".formatted(hidden, hidden, gates),
                runs[0],
                "OpenBLAS",
                runs[1]));
      }
    }
    return results;
  }

  private static void packed(Tensor h, Tensor weight, Tensor y) {
    int gates = (int) weight.shape().size(0);
    int hidden = (int) weight.shape().size(1);
    var matrix = PackedMatrix.of(weight.segment(), hidden, gates, 1, hidden);
    for (int t = 0; t < 100; t++) {
      matrix.times(h.segment(), 0, 32, y.segment(), 0);
    }
  }

  private static void library(Tensor h, Tensor weight) {
    for (int t = 0; t < 100; t++) {
      h.matmul(weight.transpose()).release();
    }
  }

  private static List<Result> run(Kind kind, Size size, int rounds, int workers, Peers others) {
    String name = kind.name().toLowerCase(Locale.ROOT);
    try (var lineup = new Peers.Lineup();
        var normed = ours(kind, GateNorm.LAYER, size, workers);
        var plain = ours(kind, GateNorm.NONE, size, workers);
        var products = Product.standing(workers)) {
      for (String mode : List.of("eager", "jit", "compile", "builtin")) {
        others.python(
            lineup,
            Peers.PYTORCH,
            mode,
            "recurrent.py",
            name,
            mode,
            size.toString(),
            Integer.toString(workers));
      }
      var contenders =
          new ArrayList<DoubleSupplier>(List.of(normed::run, plain::run, products::run));
      contenders.addAll(lineup.contenders(1));
      double[][] runs = Alternation.of(rounds, contenders);
      var results = new ArrayList<Result>();
      String what = "ln-%s %s".formatted(name, size);
      results.add(
          Result.of(
              SUITE, what + ", by its products", "times", byProducts(kind, size, runs, workers)));
      if (!others.has(Peers.PYTORCH)) {
        results.addAll(
            lineup.results(
                runs, 3, (peer, theirs) -> Result.of(SUITE, what, runs[0], peer, theirs)));
        String without = "%s %s".formatted(name, size);
        results.addAll(
            lineup.results(
                runs, 3, (peer, theirs) -> Result.of(SUITE, without, runs[1], peer, theirs)));
        return results;
      }
      int best =
          IntStream.of(3, 4, 5)
              .reduce((a, b) -> Result.median(runs[a]) <= Result.median(runs[b]) ? a : b)
              .orElseThrow();
      for (int i = 3; i < 6; i++) {
        String label = lineup.name(i - 3) + (i == best ? " (its best)" : "");
        results.add(Result.of(SUITE, what, runs[0], label, runs[i]));
      }
      results.add(Result.of(SUITE, what, runs[0], "PyTorch builtin, no norm", runs[6]));
      results.add(
          Result.of(SUITE, "%s %s".formatted(name, size), runs[1], "PyTorch builtin", runs[6]));
      return results;
    }
  }

  /// Returns how many times as long as its matrix products alone the layer takes, those being at
  /// the rate of large products in the same round: forward and for both gradients, over every step,
  /// the inputs and the state each times the weights of all gates.
  private static double[] byProducts(Kind kind, Size size, double[][] runs, int workers) {
    int gates = kind == Kind.LSTM ? 4 : 3;
    double work = 3.0 * 2 * size.steps * size.batch * gates * size.hidden * (size.in + size.hidden);
    double[] times = new double[runs[0].length];
    Arrays.setAll(times, i -> runs[0][i] / (work / Product.perMillisecond(workers, runs[2][i])));
    return times;
  }

  /// Starts Fathom's layer over workers, each with its share of the batch.
  static Standing ours(Kind kind, GateNorm norm, Size size, int workers) {
    return Standing.start(
        workers,
        WARM_UP,
        all -> {
          var layer = RecurrentLayer.of(Init.he(1), "", kind, norm, size.in, size.hidden);
          int count = new Rows(0, size.batch).share(all.rank(), all.size()).count();
          Tensor x =
              Tensor.normal(
                  RandomKey.of(1, "bench").at(all.rank()),
                  DType.FLOAT32,
                  size.steps,
                  count,
                  size.in);
          return () -> step(layer, Sequences.of(x));
        });
  }

  private static void step(Recurrent layer, Sequences x) {
    try (var _ = Scope.open()) {
      TracedSequence traced = layer.forward(x, layer.start(DType.FLOAT32, x.count()));
      try (var ones = Scope.open()) {
        traced.back(ones.keep(traced.value().zerosLike().plus(1)));
      }
    }
  }

  /// Compares float32 with float64 on a short sequence, so that only a layer that computes
  /// correctly is timed.
  private static void check(Kind kind) {
    try (var _ = Scope.open()) {
      double[] single = gradient(kind, DType.FLOAT32);
      double[] exact = gradient(kind, DType.FLOAT64);
      double scale = Arrays.stream(exact).map(Math::abs).max().orElse(1);
      for (int i = 0; i < exact.length; i++) {
        if (!(Math.abs(single[i] - exact[i]) <= TOLERANCE * scale)) {
          throw new IllegalStateException(
              "LN-%s is not timed: its float32 gradient %s is %s and its float64 one %s"
                  .formatted(kind, i, single[i], exact[i]));
        }
      }
    }
  }

  private static double[] gradient(Kind kind, DType type) {
    var layer = RecurrentLayer.of(Init.he(1), "", kind, GateNorm.LAYER, 20, 24);
    layer.state().values().forEach(param -> param.convert(type));
    Tensor x = Tensor.normal(RandomKey.of(1, "check"), DType.FLOAT32, 5, 3, 20).to(type);
    State start = layer.start(type, 3);
    TracedSequence traced = layer.forward(Sequences.of(x), start);
    return traced.back(traced.value()).dx().toDoubles();
  }
}
