package fathom.lab.edges;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.ledger.Notebook;
import fathom.loss.PixelLoss;
import fathom.nn.Fused;
import fathom.optim.Adam;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Trains nets for outlines: Adam at one learning rate, batches of 16, and cross-entropy of pixels
/// in which an outline pixel counts three times.
record EdgeTraining(double learningRate, int epochs) {
  private static final int BATCH = 16;
  private static final PixelLoss LOSS = PixelLoss.crossEntropy(1, 3);

  /// Trains a net and returns the mean loss of each epoch, measured during training. Training ends
  /// at the first loss that is not finite; the losses of this epoch and of all later ones are NaN.
  double[] run(Layer plain, List<Scene> scenes, long seed, Notebook note) {
    Layer net = Fused.of(plain);
    var adam = new Adam(FlatParams.of(net.params()));
    RandomKey orders = RandomKey.of(seed, "order");
    double[] losses = new double[epochs];
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = orders.at(epoch).permutation(scenes.size());
      int steps = scenes.size() / BATCH;
      for (int step = 0; step < steps; step++) {
        note.alive();
        var batch = new ArrayList<Scene>();
        for (int i = step * BATCH; i < (step + 1) * BATCH; i++) {
          batch.add(scenes.get(order[i]));
        }
        try (var _ = Scope.open()) {
          Traced scores = net.forward(Scene.images(batch));
          Traced loss = LOSS.of(scores.value(), Scene.outlines(batch));
          losses[epoch] += loss.value().item() / steps;
          if (!Double.isFinite(losses[epoch])) {
            Arrays.fill(losses, epoch, epochs, Double.NaN);
            return losses;
          }
          scores.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
          adam.step(learningRate);
        }
      }
    }
    return losses;
  }

  /// Returns the probability of an outline at each pixel, image by image.
  static double[] predict(Layer net, List<Scene> scenes) {
    int plane = scenes.getFirst().outline().length;
    double[] all = new double[scenes.size() * plane];
    for (int from = 0; from < scenes.size(); from += BATCH) {
      List<Scene> some = scenes.subList(from, Math.min(scenes.size(), from + BATCH));
      try (var _ = Scope.open()) {
        Tensor scores = net.predict(Scene.images(some));
        double[] apart =
            scores.narrow(1, 1, 2).minus(scores.narrow(1, 0, 1)).contiguous().toDoubles();
        for (int i = 0; i < apart.length; i++) {
          all[from * plane + i] = 1 / (1 + Math.exp(-apart[i]));
        }
      }
    }
    return all;
  }
}
