package fathom.lab.cards;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.blackjack.Shoe;
import fathom.lab.ledger.Notebook;
import fathom.loss.SquaredError;
import fathom.nn.Chain;
import fathom.optim.Adam;

/// Trains the nets of this package to predict a number from the cards seen: Adam on half the
/// squared error, with a learning rate that falls from `learningRate` to 0 along a cosine.
record Regression(double learningRate, int batch, int epochs) {
  /// Trains `net` on rows of inputs N×10 and their targets. Returns false as soon as the loss is
  /// not finite.
  boolean fit(Layer net, float[] inputs, float[] targets, long seed, Notebook note) {
    var adam = new Adam(FlatParams.of(net.params()));
    int count = targets.length;
    int each = count / batch;
    double steps = (double) each * epochs;
    int step = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = RandomKey.of(seed, "order").at(epoch).permutation(count);
      for (int b = 0; b < each; b++) {
        note.alive();
        float[] x = new float[batch * Shoe.RANKS];
        float[] t = new float[batch];
        for (int i = 0; i < batch; i++) {
          int at = order[b * batch + i];
          System.arraycopy(inputs, at * Shoe.RANKS, x, i * Shoe.RANKS, Shoe.RANKS);
          t[i] = targets[at];
        }
        try (var _ = Scope.open()) {
          Traced y = net.forward(Tensor.of(x, batch, Shoe.RANKS));
          Traced loss = SquaredError.of(y.value(), Tensor.of(t, batch, 1));
          if (!Double.isFinite(loss.value().item())) {
            return false;
          }
          y.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
          adam.step(learningRate * 0.5 * (1 + Math.cos(Math.PI * step / steps)));
        }
        step++;
      }
    }
    return true;
  }

  /// Returns the prediction of the net for each row.
  static double[] predict(Layer net, Tensor x) {
    try (var _ = Scope.open()) {
      return net.predict(x).toDoubles();
    }
  }

  /// Returns the output of the children of `net` before index `end` for `x`.
  static Tensor upTo(Chain net, int end, Tensor x) {
    return new Chain(net.children().subList(0, end)).predict(x);
  }

  /// Returns the children of `net` from index `begin`.
  static Chain from(Chain net, int begin) {
    return new Chain(net.children().subList(begin, net.children().size()));
  }
}
