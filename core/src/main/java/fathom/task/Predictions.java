package fathom.task;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.LabelledImages;
import fathom.data.Png;
import fathom.data.Rows;
import fathom.parallel.Collective;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The predictions of a net for each image, recorded during an evaluation. It is an
/// [Evaluation.Look]: either all workers share one instance, or each worker has its own and all
/// [gather][#gather] at the end.
public final class Predictions implements Evaluation.Look {
  /// The longest side, in pixels, of an image in an [Answers.Mistake].
  private static final int SIDE = 112;

  private final LabelledImages images;
  private final int classes;
  private final int[] predictions;

  /// ln of the probability of the true class and of the predicted class, for each image.
  private final double[] truths;

  private final double[] beliefs;

  /// The same with the temperature.
  private final double[] scaledTruths;

  private final double[] scaledBeliefs;
  private final double temperature;

  /// Makes a record for these images, in which nothing is predicted yet.
  public Predictions(LabelledImages images, int classes) {
    this(images, classes, 1);
  }

  /// Makes such a record that also knows what a temperature makes of the probabilities.
  public Predictions(LabelledImages images, int classes, double temperature) {
    this.images = images;
    this.classes = classes;
    this.predictions = new int[images.count()];
    this.truths = new double[images.count()];
    this.beliefs = new double[images.count()];
    this.scaledTruths = new double[images.count()];
    this.scaledBeliefs = new double[images.count()];
    this.temperature = temperature;
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
        scaledTruths[image] = scaled(logs, i, images.labels()[image]);
        scaledBeliefs[image] = scaled(logs, i, largest[i]);
      }
    }
  }

  private double scaled(double[] logs, int row, int at) {
    return Temperature.logProbability(logs, row * classes, classes, at, temperature);
  }

  /// Combines the records of all workers. Every worker calls it once, and then every worker has all
  /// predictions. The sums are exact, because an image that a worker did not predict is 0 in its
  /// record.
  void gather(Collective all) {
    int count = predictions.length;
    var sums = new double[5 * count];
    for (int i = 0; i < count; i++) {
      sums[i] = predictions[i];
      sums[count + i] = truths[i];
      sums[2 * count + i] = beliefs[i];
      sums[3 * count + i] = scaledTruths[i];
      sums[4 * count + i] = scaledBeliefs[i];
    }
    all.allReduce(sums);
    for (int i = 0; i < count; i++) {
      predictions[i] = (int) sums[i];
      truths[i] = sums[count + i];
      beliefs[i] = sums[2 * count + i];
      scaledTruths[i] = sums[3 * count + i];
      scaledBeliefs[i] = sums[4 * count + i];
    }
  }

  /// Returns the confusion matrix of all images.
  public Confusion confusion() {
    return Confusion.of(images.labels(), predictions, classes);
  }

  /// Returns the reliability of the probabilities.
  public Calibration calibration() {
    return calibration(beliefs);
  }

  private Calibration calibration(double[] logs) {
    double[] confidences = Arrays.stream(logs).map(Math::exp).toArray();
    boolean[] right = new boolean[predictions.length];
    for (int i = 0; i < right.length; i++) {
      right[i] = predictions[i] == images.labels()[i];
    }
    return Calibration.of(confidences, right);
  }

  /// Returns what the temperature makes of the probabilities.
  ///
  /// @param fittedOn the number of validation images by which it was found
  public TemperatureScaling scaling(int fittedOn) {
    double crossEntropy = -Arrays.stream(scaledTruths).average().orElse(Double.NaN);
    return new TemperatureScaling(temperature, fittedOn, crossEntropy, calibration(scaledBeliefs));
  }

  /// Returns up to `most` mistakes: the wrongly predicted images whose true class got the least
  /// probability, the worst first. Images for which that probability is NaN are left out.
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
