package fathom.bench;

import static java.util.stream.Collectors.joining;

import fathom.DType;
import fathom.Layer;
import fathom.Lifetime;
import fathom.Param;
import fathom.Predictor;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.infer.PackedNet;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.onnx.Onnx;
import fathom.train.Precision;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import java.util.stream.LongStream;

/// Measures the prediction of one batch in memory by the folded net on all cores, against PyTorch,
/// ONNX Runtime and OpenVINO.
public final class InferSuite {
  private static final String SUITE = "infer";
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /// The batches before the first that counts: so many, and for so long that the JIT compiler has
  /// done what it will, which of small images it has not after hundreds.
  private static final int WARM_UP = 10;

  private static final double WARM_UP_MILLISECONDS = 5_000;

  /// The number of input values that are predicted in a row, those of 32 photos or 1570 small
  /// images, at least 2 batches: a quarter of a second and more.
  private static final int VALUES = 32 * 3 * 224 * 224;

  private static final String BEST = "channels-last-freeze";

  private InferSuite() {}

  /// Measures the batch `rounds` times, in turn with each peer. Throws `IllegalStateException` if
  /// the logits of the folded net or of a runtime for ONNX models are not those of the plain net.
  public static List<Result> run(
      Architecture.OfClasses net, int batch, int rounds, Precision precision, Peers peers) {
    precision.check();
    try (var _ = Scope.open();
        var life = new Lifetime();
        var lineup = new Peers.Lineup()) {
      Layer plain = asTrained(net);
      ImageShape in = net.input();
      Tensor x =
          Tensor.normal(
                  RandomKey.of(1, "bench"),
                  DType.FLOAT32,
                  batch,
                  in.channels(),
                  in.height(),
                  in.width())
              .channelsLast();
      Shape image = Shape.of(in.channels(), in.height(), in.width());
      Predictor packed = PackedNet.of(() -> asTrained(net), precision.type(), image, life);
      double[] expected = expected(plain, x);
      check(net.name(), "the folded net", expected, predicted(packed, x), tolerance(precision));
      double warm = 0;
      for (int i = 0; i < WARM_UP || warm < WARM_UP_MILLISECONDS; i++) {
        warm += Alternation.milliseconds(() -> predict(packed, x));
      }
      start(peers, lineup, net, batch, precision);
      if (precision == Precision.FP32) { // it has no kernels for bfloat16 on processors
        onnx(peers, lineup, plain, x, expected);
      }
      var contenders = new ArrayList<DoubleSupplier>();
      int count = Math.toIntExact(Math.max(2, VALUES / x.shape().elements()));
      contenders.add(
          () -> Alternation.mean(count, () -> Alternation.milliseconds(() -> predict(packed, x))));
      contenders.addAll(lineup.contenders(count));
      double[][] runs = Alternation.of(rounds, contenders);
      String name = "%s, batch %s, %s".formatted(net.name(), batch, TrainSuite.spelled(precision));
      return lineup.results(
          runs, 1, (peer, theirs) -> Result.of(SUITE, name, runs[0], peer, theirs));
    }
  }

  private static void predict(Predictor net, Tensor x) {
    try (var _ = Scope.open()) {
      net.predict(x);
    }
  }

  private static void start(
      Peers peers,
      Peers.Lineup lineup,
      Architecture.OfClasses net,
      int batch,
      Precision precision) {
    for (String form :
        List.of("nchw", "channels-last", "channels-last-jit", "channels-last-compile", BEST)) {
      peers.python(
          lineup, Peers.PYTORCH, form, "resnet.py", arguments(net, form, batch, precision));
    }
    peers.pythonWithAllocators(
        lineup, Peers.PYTORCH, BEST, "resnet.py", arguments(net, BEST, batch, precision));
  }

  private static String[] arguments(
      Architecture.OfClasses net, String form, int batch, Precision precision) {
    return new String[] {
      "infer",
      net.name(),
      form,
      TrainSuite.spelled(precision),
      Integer.toString(batch),
      Integer.toString(CORES)
    };
  }

  /// Starts runtimes for ONNX models with the same net on the same images, and checks their logits.
  private static void onnx(
      Peers peers, Peers.Lineup lineup, Layer net, Tensor x, double[] expected) {
    long[] shape = x.shape().toArray();
    try (var files = new Exchange()) {
      Onnx.write(files.model(), net, Shape.of(shape[1], shape[2], shape[3]), Map.of());
      files.writeImages(x);
      String sizes = LongStream.of(shape).mapToObj(Long::toString).collect(joining(","));
      for (String form : List.of("spinning", "sleeping")) {
        onnx(peers, lineup, Peers.ONNX_RUNTIME, form, "onnxruntime", files, sizes);
        check(Peers.ONNX_RUNTIME, expected, files);
      }
      onnx(peers, lineup, Peers.OPENVINO, "latency", "openvino", files, sizes);
      check(Peers.OPENVINO, expected, files);
      peers.java(
          lineup,
          Peers.ONNX_RUNTIME + " for Java",
          java -> java.onnxRuntime(files.model(), files.images(), files.logits(), shape, CORES));
      check(Peers.ONNX_RUNTIME + " for Java", expected, files);
    }
  }

  private static void onnx(
      Peers peers,
      Peers.Lineup lineup,
      String system,
      String form,
      String engine,
      Exchange files,
      String sizes) {
    peers.python(
        lineup,
        system,
        form,
        "onnx_net.py",
        engine,
        form,
        files.model().toString(),
        files.images().toString(),
        files.logits().toString(),
        sizes,
        Integer.toString(CORES));
  }

  /// Checks and takes away the logits that a peer has written, if it was started.
  private static void check(String name, double[] expected, Exchange files) {
    if (Files.exists(files.logits())) {
      check(name, "it", expected, files.takeLogits(), tolerance(Precision.FP32));
    }
  }

  /// Builds a net with running statistics as after a training, because folding those of a new net
  /// would change nothing.
  static Layer asTrained(Architecture.OfClasses architecture) {
    Layer net = architecture.build(Init.he(1));
    RandomKey key = RandomKey.of(1, "statistics");
    int i = 0;
    for (Param param : net.state().values()) {
      if (!param.trained()) {
        double[] values = new double[(int) param.value().shape().elements()];
        RandomKey own = key.at(i++);
        Arrays.setAll(values, k -> 0.5 + own.uniform(k));
        param.value().copy_(values);
      }
    }
    return net;
  }

  private static double[] expected(Layer plain, Tensor x) {
    try (var _ = Scope.open()) {
      return plain.predict(x).toDoubles();
    }
  }

  private static double[] predicted(Predictor net, Tensor x) {
    try (var _ = Scope.open()) {
      return net.predict(x).toDoubles();
    }
  }

  /// Returns how far a logit may be from the plain net's in float32, as a part of the largest. A
  /// bfloat16 activation is rounded by 2⁻⁹ of itself after each layer, of which there may be more
  /// than a hundred.
  private static double tolerance(Precision precision) {
    return switch (precision) {
      case FP32 -> 1e-4;
      case BF16 -> 0.05;
    };
  }

  private static void check(
      String name, String what, double[] expected, double[] actual, double tolerance) {
    double scale = Arrays.stream(expected).map(Math::abs).max().orElse(1);
    for (int i = 0; i < expected.length; i++) {
      if (actual.length != expected.length
          || !(Math.abs(expected[i] - actual[i]) <= tolerance * scale)) {
        throw new IllegalStateException(
            "%s is not timed: %s gives %s where the plain net gives %s"
                .formatted(name, what, i < actual.length ? actual[i] : "nothing", expected[i]));
      }
    }
  }
}
