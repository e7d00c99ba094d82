package fathom.train;

import fathom.Collective;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import java.util.stream.IntStream;

/// How well a net predicts labelled pictures.
///
/// @param count the number of pictures
/// @param errors how many of them got their largest logit in another class than their own
/// @param crossEntropy the mean over the pictures, in nats
public record Evaluation(int count, long errors, double crossEntropy) {
  private static final int BATCH = 256;

  /// The share of wrong predictions, in percent.
  public double error() {
    return 100.0 * errors / count;
  }

  /// Predicts all pictures, as they are, the workers of `collective` sharing each batch. Every
  /// worker gets the same result.
  public static Evaluation of(
      Layer net, Images images, Normalization normalization, Collective collective) {
    var loader = new Loader(images, normalization);
    int[] indices = IntStream.range(0, images.count()).toArray();
    double[] sums = new double[2];
    for (int from = 0; from < images.count(); from += BATCH) {
      Rows batch = new Rows(from, Math.min(images.count(), from + BATCH));
      Rows own = batch.share(collective.rank(), collective.size());
      try (var _ = Scope.open()) {
        Tensor logits = net.predict(loader.pictures(indices, own));
        int[] labels = loader.labels(indices, own);
        sums[0] += errors(logits, labels);
        sums[1] += CrossEntropy.sum(logits, labels);
      }
    }
    collective.allReduce(sums);
    return new Evaluation(images.count(), Math.round(sums[0]), sums[1] / images.count());
  }

  /// How many rows of `logits` are largest in another column than their label's.
  static int errors(Tensor logits, int[] labels) {
    int[] predicted = logits.argMax();
    int errors = 0;
    for (int i = 0; i < labels.length; i++) {
      errors += predicted[i] == labels[i] ? 0 : 1;
    }
    return errors;
  }
}
