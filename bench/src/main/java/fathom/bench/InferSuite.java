package fathom.bench;

import fathom.DType;
import fathom.Draw;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.nn.Folded;
import fathom.nn.Init;
import fathom.train.Predictor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;

/// The prediction of one batch in memory by the folded net on all cores, against PyTorch.
public final class InferSuite {
  private static final String SUITE = "infer";
  private static final double TOLERANCE = 1e-4;
  private static final int WARM_UP = 200; // pictures in as many batches as that takes, at least 10
  private static final int RUNS = 32; // pictures in a row, at least 2 batches

  private InferSuite() {}

  /// Each batch, `rounds` times in turn with each peer.
  public static List<Result> run(Architecture.OfPictures net, List<Integer> batches, int rounds) {
    var results = new ArrayList<Result>();
    for (int batch : batches) {
      results.addAll(run(net, batch, rounds));
    }
    return results;
  }

  private static List<Result> run(Architecture.OfPictures net, int batch, int rounds) {
    var peers = new ArrayList<Peer>();
    try (var _ = Scope.open()) {
      Layer plain = net.build(Init.he(1));
      spread(plain);
      Layer folded = Folded.of(plain);
      CifarNet.Input in = net.input();
      Tensor x =
          Tensor.normal(
                  Draw.of(1, "bench"), DType.FLOAT32, batch, in.channels(), in.height(), in.width())
              .channelsLast();
      check(net.name(), plain, folded, x);
      for (int i = 0; i < Math.max(10, WARM_UP / batch); i++) {
        predict(folded, x);
      }
      peers.addAll(peers(net, batch));
      var contenders = new ArrayList<DoubleSupplier>();
      int count = Math.max(2, RUNS / batch);
      contenders.add(
          () -> Alternation.mean(count, () -> Alternation.milliseconds(() -> predict(folded, x))));
      peers.forEach(peer -> contenders.add(() -> Alternation.mean(count, peer::run)));
      double[][] runs = Alternation.of(rounds, contenders);
      String name = "%s, batch %d, fp32".formatted(net.name(), batch);
      var results = new ArrayList<Result>();
      if (peers.isEmpty()) {
        results.add(Result.of(SUITE, name, runs[0], null, null));
      }
      for (int i = 0; i < peers.size(); i++) {
        results.add(Result.of(SUITE, name, runs[0], peers.get(i).name(), runs[i + 1]));
      }
      return results;
    } finally {
      peers.forEach(Peer::close);
    }
  }

  private static void predict(Layer net, Tensor x) {
    try (var _ = Scope.open()) {
      Predictor.predict(net, x);
    }
  }

  private static List<Peer> peers(Architecture.OfPictures net, int batch) {
    Path python = Peer.python();
    if (python == null) {
      return List.of();
    }
    var peers = new ArrayList<Peer>();
    for (String form : List.of("nchw", "channels-last", "channels-last-compile")) {
      peers.add(
          Peer.start(
              python,
              "PyTorch " + form,
              "resnet.py",
              "infer",
              net.name(),
              form,
              "fp32",
              Integer.toString(batch),
              Integer.toString(Runtime.getRuntime().availableProcessors())));
    }
    return peers;
  }

  /// Running statistics as after a training: folding those of a new net would change nothing.
  private static void spread(Layer net) {
    Draw draw = Draw.of(1, "statistics");
    int i = 0;
    for (Param param : net.state().values()) {
      if (!param.trained()) {
        double[] values = new double[(int) param.value().shape().elements()];
        Draw own = draw.at(i++);
        Arrays.setAll(values, k -> 0.5 + own.uniform(k));
        param.value().copy_(values);
      }
    }
  }

  private static void check(String name, Layer plain, Layer folded, Tensor x) {
    try (var _ = Scope.open()) {
      double[] expected = plain.predict(x).toDoubles();
      double[] actual = Predictor.predict(folded, x).toDoubles();
      double scale = Arrays.stream(expected).map(Math::abs).max().orElse(1);
      for (int i = 0; i < expected.length; i++) {
        if (!(Math.abs(expected[i] - actual[i]) <= TOLERANCE * scale)) {
          throw new IllegalStateException(
              "%s is not timed: folded, it gives %s where the plain net gives %s"
                  .formatted(name, actual[i], expected[i]));
        }
      }
    }
  }
}
