package fathom.bench;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Summary;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.optim.Sgd;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import fathom.train.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Measures whole training steps (forward pass, backward pass, sum over workers, SGD with momentum
/// and weight decay) on one batch that stays in memory, against the same in PyTorch, JAX and DJL.
/// The data path is not included.
public final class TrainSuite {
  private static final String SUITE = "train";
  private static final int WARM_UP = 15;
  private static final int STEPS = 4;
  private static final double LONG_TURN = 2000; // ms
  private static final String EAGER = "channels-last-fused";
  private static final String COMPILED = "channels-last-compile";

  /// Of deeper nets only PyTorch's two best forms are measured, and compiled only under the C
  /// library's allocator: XLA compiles those for many minutes, and PyTorch once more under each.
  private static final int MOST_LAYERS = 20;

  /// The same holds for larger batches of photos, whose steps take seconds.
  private static final int MOST_PHOTOS = 8;

  private TrainSuite() {}

  /// Measures one step of `batch` images over all workers, `rounds` times in turn with each peer,
  /// and the share of the peak throughput of multiply-adds that large matrix products reach in the
  /// same minutes.
  public static List<Result> run(
      Architecture.Convolutional net,
      int batch,
      int rounds,
      int workers,
      int recompute,
      Precision precision,
      Peers peers) {
    precision.check();
    try (var ours = ours(net, batch, workers, recompute, precision, WARM_UP);
        var peak = Product.standing(workers);
        var floor = floor(net, batch, workers, precision);
        var lineup = new Peers.Lineup()) {
      start(peers, lineup, net, batch, workers, precision);
      int steps = (int) Math.clamp(LONG_TURN / ours.run(), 1, STEPS);
      var contenders = new ArrayList<DoubleSupplier>();
      contenders.add(() -> Alternation.mean(steps, ours::run));
      contenders.add(() -> Alternation.mean(steps, peak::run));
      contenders.add(() -> Alternation.mean(steps, floor::run));
      contenders.addAll(lineup.contenders(steps));
      double[][] runs = Alternation.of(rounds, contenders);
      String name = name(net, batch, workers, recompute, precision);
      var results =
          new ArrayList<Result>(
              lineup.results(
                  runs,
                  3,
                  (peer, theirs) ->
                      Result.ofRate(SUITE, name, "images/s", batch, runs[0], peer, theirs)));
      double[] rates =
          Arrays.stream(runs[1]).map(ms -> Product.perMillisecond(workers, ms) / 1e6).toArray();
      results.add(
          Result.of(
              SUITE,
              "matrix product of %s, %s workers".formatted(Product.SIZE, workers),
              "GFLOP/s",
              rates));
      results.add(share(name, net, batch, workers, runs[0], runs[1]));
      results.add(Result.of(SUITE, name + ", convolutions alone", "ms", runs[2]));
      double[] times = new double[rounds];
      Arrays.setAll(times, i -> runs[0][i] / runs[2][i]);
      results.add(Result.of(SUITE, name + ", step by its convolutions", "times", times));
      return results;
    }
  }

  private static void start(
      Peers peers,
      Peers.Lineup lineup,
      Architecture.Convolutional net,
      int batch,
      int workers,
      Precision precision) {
    boolean all =
        net instanceof CifarNet cifar ? cifar.depth() <= MOST_LAYERS : batch <= MOST_PHOTOS;
    for (String form :
        all ? List.of("nchw", "channels-last", EAGER, COMPILED) : List.of(EAGER, COMPILED)) {
      peers.python(
          lineup,
          Peers.PYTORCH,
          form,
          "resnet.py",
          arguments(net, form, batch, workers, precision));
    }
    for (String form : all ? List.of(EAGER, COMPILED) : List.of(EAGER)) {
      peers.pythonWithAllocators(
          lineup,
          Peers.PYTORCH,
          form,
          "resnet.py",
          arguments(net, form, batch, workers, precision));
    }
    if (!all) {
      return;
    }
    if (net instanceof CifarNet cifar) {
      String depth = Integer.toString(cifar.depth());
      String images = Integer.toString(batch);
      peers.python(lineup, Peers.JAX, "", "jax_resnet.py", depth, images, spelled(precision));
      if (precision == Precision.FP32) { // the other two have no other precision here
        peers.python(
            lineup, Peers.KERAS, "", "keras_resnet.py", depth, images, Integer.toString(workers));
        peers.java(lineup, "DJL", java -> java.djl(net.name(), batch, workers));
      }
    }
  }

  private static String[] arguments(
      Architecture.Convolutional net, String form, int batch, int workers, Precision precision) {
    return new String[] {
      "train",
      net.name(),
      form,
      spelled(precision),
      Integer.toString(batch),
      Integer.toString(workers)
    };
  }

  /// Returns the share of the peak: three times the multiply-adds of a forward pass, for the
  /// activations and both gradients, over those of the matrix products in the same time.
  private static Result share(
      String name,
      Architecture.Convolutional net,
      int batch,
      int workers,
      double[] runs,
      double[] peak) {
    ImageShape in = net.input();
    double work;
    try (var _ = Scope.open()) {
      Shape image = Shape.of(in.channels(), in.height(), in.width());
      work = 3.0 * batch * Summary.of(net.build(Init.zeros()), image).multiplyAdds();
    }
    double perMillisecond = Product.perMillisecond(workers, Result.median(peak)) / 2;
    double[] shares = Arrays.stream(runs).map(ms -> 100 * work / ms / perMillisecond).toArray();
    return Result.of(SUITE, name + ", multiply-adds", "% of peak", shares);
  }

  /// Starts the convolutions alone: each worker computes those of its rows, without waiting for the
  /// others.
  private static Standing floor(
      Architecture.Convolutional net, int batch, int workers, Precision precision) {
    return Standing.start(
        workers,
        3,
        all -> {
          int rows = new Rows(0, batch).share(all.rank(), all.size()).count();
          return Convolutions.of(net.build(Init.he(1)), images(net, rows, precision), precision);
        });
  }

  /// Returns images of noise.
  private static Tensor images(Architecture.Convolutional net, int rows, Precision precision) {
    ImageShape in = net.input();
    return precision
        .of(
            Tensor.normal(
                RandomKey.of(1, "bench").at(rows),
                DType.FLOAT32,
                rows,
                in.channels(),
                in.height(),
                in.width()))
        .channelsLast();
  }

  /// Starts training steps on one batch. They throw `IllegalStateException` if the loss does not
  /// fall, because then the work that is timed is no training.
  static Standing ours(
      Architecture.Convolutional net,
      int batch,
      int workers,
      int recompute,
      Precision precision,
      int warmUp) {
    var shared = new AtomicReference<@Nullable FlatParams>();
    return Standing.start(
        workers,
        warmUp,
        all -> {
          int rows = new Rows(0, batch).share(all.rank(), all.size()).count();
          Tensor x = images(net, rows, precision);
          return worker(net, batch, recompute, all, shared, () -> x, true);
        });
  }

  /// Starts training steps on batches that every worker makes anew for every step, in the innermost
  /// scope.
  static Standing fed(
      Architecture.Convolutional net,
      int batch,
      int workers,
      int warmUp,
      Function<Collective, Supplier<Tensor>> feed) {
    var shared = new AtomicReference<@Nullable FlatParams>();
    return Standing.start(
        workers, warmUp, all -> worker(net, batch, 0, all, shared, feed.apply(all), false));
  }

  /// Returns what is trained and how, for people.
  public static String name(
      Architecture.Convolutional net, int batch, int workers, int recompute, Precision precision) {
    return "%s, batch %s, %s, %s workers%s"
        .formatted(
            net.name(),
            batch,
            spelled(precision),
            workers,
            recompute == 0 ? "" : ", recompute " + recompute);
  }

  static String spelled(Precision precision) {
    return precision.name().toLowerCase(Locale.ROOT);
  }

  private static Runnable worker(
      Architecture.Convolutional net,
      int batch,
      int recompute,
      Collective all,
      AtomicReference<@Nullable FlatParams> shared,
      Supplier<Tensor> images,
      boolean sameBatch) {
    Layer plain = net.build(all.rank() == 0 ? Init.he(1) : Init.zeros());
    Layer layers = Fused.of(recompute > 0 ? Recompute.every(recompute, plain) : plain);
    FlatParams flat = TimedSteps.share(all, shared, layers.params());
    var sgd = new Sgd(flat, 0.9, 1e-4);
    int rows = new Rows(0, batch).share(all.rank(), all.size()).count();
    int[] labels = new int[rows];
    Arrays.setAll(labels, i -> i % 10);
    var steps = new TimedSteps("a batch", sameBatch ? WARM_UP : 0);
    return () ->
        steps.add(
            new Step(1, steps.count(), all, batch)
                .run(() -> step(all, layers, images, labels, flat, sgd)));
  }

  private static double step(
      Collective all, Layer net, Supplier<Tensor> images, int[] labels, FlatParams flat, Sgd sgd) {
    try (var _ = Scope.open()) {
      Traced logits = net.forward(images.get());
      Traced loss = CrossEntropy.of(logits.value(), labels);
      logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      double[] sum = {loss.value().item()};
      all.allReduce(sum);
      all.allReduce(flat.gradient());
      if (all.rank() == 0) {
        sgd.step(0.01);
      } else {
        flat.gradients().fill((byte) 0);
      }
      all.barrier();
      return sum[0];
    }
  }
}
