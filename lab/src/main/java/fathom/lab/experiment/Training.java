package fathom.lab.experiment;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Notebook;
import fathom.loss.CrossEntropy;
import fathom.optim.Sgd;
import java.util.function.DoubleConsumer;

/// Trains the nets of the experiments: momentum 0.9, weight decay 0.0001, batches of 128, and one
/// learning rate.
record Training(double learningRate, int epochs) {
  static final int BATCH = 128;

  /// Observes a net during training.
  interface Look {
    /// Is called before a step, when the net has its gradients.
    default void before(int step, Layer net) {}

    /// Is called after a step; the weights of the net may be changed.
    default void after(int step, Layer net) {}
  }

  /// Trains `net`. Returns false as soon as the loss is not finite.
  boolean run(Layer net, Mixture data, long seed, Notebook note, Look look) {
    return run(net, new Sgd(FlatParams.of(net.params()), 0.9, 1e-4)::step, data, seed, note, look);
  }

  /// Trains `net` by another rule: `step` makes a step at a learning rate and sets the gradients to
  /// zero. Returns false as soon as the loss is not finite.
  boolean run(Layer net, DoubleConsumer step, Mixture data, long seed, Notebook note, Look look) {
    RandomKey orders = RandomKey.of(seed, "order");
    int number = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = orders.at(epoch).permutation(data.count());
      for (int from = 0; from + BATCH <= data.count(); from += BATCH) {
        note.alive();
        try (var _ = Scope.open()) {
          Traced logits = net.forward(data.at(order, from, from + BATCH));
          Traced loss = CrossEntropy.of(logits.value(), data.labelsAt(order, from, from + BATCH));
          if (!Double.isFinite(loss.value().item())) {
            return false;
          }
          logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
          look.before(number, net);
          step.accept(learningRate);
          look.after(number, net);
          number++;
        }
      }
    }
    return true;
  }

  boolean run(Layer net, Mixture data, long seed, Notebook note) {
    return run(net, data, seed, note, new Look() {});
  }

  /// Trains `net` and returns its [#error] on the training data, in percent; NaN if it diverged.
  double fit(Layer net, Mixture data, long seed, Notebook note) {
    return run(net, data, seed, note) ? error(net, data) : Double.NaN;
  }

  /// Returns the share of points, in percent, that `net` classifies wrongly. Batch norm takes its
  /// statistics from all points, so that they are exact, unlike running averages.
  static double error(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return wrong(net.forward(data.all()).value(), data);
    }
  }

  static double wrong(Tensor logits, Mixture data) {
    int[] predictions = logits.argMax();
    int wrong = 0;
    for (int i = 0; i < predictions.length; i++) {
      wrong += predictions[i] != data.labels()[i] ? 1 : 0;
    }
    return 100.0 * wrong / predictions.length;
  }
}
