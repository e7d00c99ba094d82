package fathom.task;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.LabelledImages;
import fathom.data.Png;
import fathom.data.Rows;
import fathom.parallel.Collective;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// What a net predicted of each image, written down while it is evaluated: an [Evaluation.Look]
/// that all workers may share, or of which each has its own and [gathers][#gather] at the end.
public final class Predictions implements Evaluation.Look {
  /// In a [Answers.Mistake], no side of an image is longer.
  private static final int SIDE = 112;

  private final LabelledImages images;
  private final int classes;
  private final int[] predictions;

  /// ln of the probability that was given to the class of an image, and to the predicted one.
  private final double[] truths;

  private final double[] beliefs;

  /// Of these images, nothing predicted yet.
  public Predictions(LabelledImages images, int classes) {
    this.images = images;
    this.classes = classes;
    this.predictions = new int[images.count()];
    this.truths = new double[images.count()];
    this.beliefs = new double[images.count()];
  }

  @Override
  public void at(Rows places, Tensor logits) {
    int[] largest = logits.argMax();
    try (var _ = Scope.open()) {
      double[] logs = logits.logSoftmax(1).toDoubles();
      for (int i = 0; i < largest.length; i++) {
        int image = places.from() + i;
        predictions[image] = largest[i];
        truths[image] = logs[i * classes + images.labels()[image]];
        beliefs[image] = logs[i * classes + largest[i]];
      }
    }
  }

  /// Brings together what each worker saw; all call it once, and all have everything then. What a
  /// worker did not see is 0 with it, so the sums are exact.
  void gather(Collective all) {
    int count = predictions.length;
    var sums = new double[3 * count];
    for (int i = 0; i < count; i++) {
      sums[i] = predictions[i];
      sums[count + i] = truths[i];
      sums[2 * count + i] = beliefs[i];
    }
    all.allReduce(sums);
    for (int i = 0; i < count; i++) {
      predictions[i] = (int) sums[i];
      truths[i] = sums[count + i];
      beliefs[i] = sums[2 * count + i];
    }
  }

  public Confusion confusion() {
    return Confusion.of(images.labels(), predictions, classes);
  }

  /// Of the images that were taken for another class at most `most`: those whose own class got the
  /// least probability, the worst first. Where a logit is no number, nothing can be said.
  public List<Answers.Mistake> worst(int most) {
    return IntStream.range(0, predictions.length)
        .filter(i -> predictions[i] != images.labels()[i] && !Double.isNaN(truths[i]))
        .boxed()
        .sorted(Comparator.comparingDouble(i -> truths[i]))
        .limit(most)
        .map(i ->
            new Answers.Mistake(
                i,
                images.labels()[i],
                Math.exp(truths[i]),
                predictions[i],
                Math.exp(beliefs[i]),
                Png.small(images.select(new int[] {i}).images(), 0, SIDE),
                ""))
        .toList();
  }
}
