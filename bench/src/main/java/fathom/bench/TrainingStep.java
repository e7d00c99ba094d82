package fathom.bench;

import fathom.Collective;
import fathom.DType;
import fathom.Draw;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Scope;
import fathom.Step;
import fathom.Tensor;
import fathom.Traced;
import fathom.loss.CrossEntropy;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.optim.Sgd;
import fathom.train.Workers;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The time of a whole training step (forward, back, sum over workers, SGD) on one batch that stays
/// in memory: what `pytorch_resnet.py` and the like time too. The data path is not in it.
///
/// @param net what is trained
/// @param batch pictures in a step, over all workers
/// @param steps timed steps
/// @param recompute blocks that are computed again at a time ([Recompute#every]), 0 for none
public record TrainingStep(
    Architecture.Convolutional net, int batch, int steps, int workers, int recompute) {
  private static final int WARM_UP = 15;

  /// Seconds per step.
  ///
  /// @param loss after the last step: with one batch seen again and again it must have come down
  public record Timing(double median, double low, double high, double loss) {}

  /// Throws `IllegalStateException` if the loss does not fall, because then it is not training that
  /// was timed.
  public Timing run() {
    double[] seconds = new double[steps];
    double[] losses = work(WARM_UP, seconds);
    if (!(losses[1] < losses[0])) {
      throw new IllegalStateException(
          "a batch that is seen again and again is learned, but its loss went from %s to %s"
              .formatted(losses[0], losses[1]));
    }
    Arrays.sort(seconds);
    return new Timing(seconds[steps / 2], seconds[0], seconds[steps - 1], losses[1]);
  }

  /// Only trains, without a warm-up. Throws `IllegalStateException` if the loss is not a number in
  /// the end.
  void train() {
    double[] losses = work(0, new double[steps]);
    if (!Double.isFinite(losses[1])) {
      throw new IllegalStateException(
          "the loss of %s is %s after %d steps".formatted(net.name(), losses[1], steps));
    }
  }

  /// Fills in the seconds of the steps after the warm-up; returns the first loss and the last.
  private double[] work(int warmUp, double[] seconds) {
    double[] losses = new double[2];
    var shared = new AtomicReference<@Nullable FlatParams>();
    Workers.run(workers, all -> work(all, shared, warmUp, seconds, losses));
    return losses;
  }

  private void work(
      Collective all,
      AtomicReference<@Nullable FlatParams> shared,
      int warmUp,
      double[] seconds,
      double[] losses) {
    try (var _ = Scope.open()) {
      Layer plain = net.build(all.rank() == 0 ? Init.he(1) : Init.zeros());
      Layer layers = Fused.of(recompute > 0 ? Recompute.every(recompute, plain) : plain);
      if (all.rank() == 0) {
        shared.set(FlatParams.of(layers.params()));
      }
      all.barrier();
      FlatParams first = Objects.requireNonNull(shared.get());
      FlatParams flat = all.rank() == 0 ? first : first.shareWith(layers.params());
      var sgd = new Sgd(flat, 0.9, 1e-4);
      int rows = batch * (all.rank() + 1) / all.size() - batch * all.rank() / all.size();
      CifarNet.Input in = net.input();
      Tensor x =
          Tensor.normal(
                  Draw.of(1, "bench").at(all.rank()),
                  DType.FLOAT32,
                  rows,
                  in.channels(),
                  in.height(),
                  in.width())
              .channelsLast();
      int[] labels = new int[rows];
      Arrays.setAll(labels, i -> i % net.classes());
      for (int i = -warmUp; i < steps; i++) {
        long start = System.nanoTime();
        double loss =
            new Step(1, i + warmUp, all, batch).run(() -> step(all, layers, x, labels, flat, sgd));
        if (all.rank() == 0) {
          if (i >= 0) {
            seconds[i] = (System.nanoTime() - start) / 1e9;
          }
          losses[i == -warmUp ? 0 : 1] = loss;
        }
      }
    }
  }

  private static double step(
      Collective all, Layer net, Tensor x, int[] labels, FlatParams flat, Sgd sgd) {
    try (var _ = Scope.open()) {
      Traced logits = net.forward(x);
      Traced loss = CrossEntropy.of(logits.value(), labels);
      logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      double[] sum = {loss.value().item()};
      all.allReduce(sum);
      all.allReduce(flat.gradient());
      if (all.rank() == 0) {
        sgd.step(0.1);
      } else {
        flat.gradients().fill((byte) 0);
      }
      all.barrier();
      return sum[0];
    }
  }
}
