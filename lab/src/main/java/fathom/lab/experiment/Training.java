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

/// How the experiments train: momentum 0.9, weight decay 0.0001, batches of 128, one learning rate.
record Training(double learningRate, int epochs) {
  static final int BATCH = 128;

  /// Looks at a net as it trains.
  interface Look {
    /// It has its gradients, but has not been stepped.
    default void before(int step, Layer net) {}

    /// It has been stepped; its weights may be changed.
    default void after(int step, Layer net) {}
  }

  /// Trains `net`; false if the loss is no number any more.
  boolean run(Layer net, Mixture data, long seed, Notebook note, Look look) {
    var sgd = new Sgd(FlatParams.of(net.params()), 0.9, 1e-4);
    RandomKey orders = RandomKey.of(seed, "order");
    int step = 0;
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
          look.before(step, net);
          sgd.step(learningRate);
          look.after(step, net);
          step++;
        }
      }
    }
    return true;
  }

  boolean run(Layer net, Mixture data, long seed, Notebook note) {
    return run(net, data, seed, note, new Look() {});
  }

  /// Trains `net`, and its [#error] on what it was trained with, in percent; NaN if it diverged.
  double fit(Layer net, Mixture data, long seed, Notebook note) {
    return run(net, data, seed, note) ? error(net, data) : Double.NaN;
  }

  /// The share of points, in percent, whose class `net` gets wrong when batch norm takes its
  /// statistics from all of them, which no running average has blurred.
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
