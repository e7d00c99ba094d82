package fathom.task;

import fathom.Scope;
import fathom.Tensor;
import fathom.data.Rows;
import java.util.Arrays;
import java.util.function.Consumer;

/// Finds the temperature T > 0 for which softmax(logits/T) has the least cross-entropy on
/// validation data (Guo et al. 2017, section 4.2, "temperature scaling"). Predictions stay what
/// they are; only their probabilities change. T above 1 makes a net less confident.
///
/// The cross-entropy is convex in β = 1/T: its derivative is `Σ E[z] − z_label`, where E is the
/// mean of an image's logits z under softmax(β·z), and its second derivative `Σ Var[z]`. Newton's
/// method finds the root; a step that leaves the interval in which the root lies is replaced by its
/// middle.
///
/// It is an [Evaluation.Look] that keeps the logits: either all workers share one, or each has its
/// own and all sum what they have.
public final class Temperature implements Evaluation.Look {
  /// The least and the greatest temperature. A net without an error on its validation data would
  /// have the temperature 0.
  public static final double LEAST = 0.05;

  public static final double MOST = 20;

  /// The most logits that are kept, 256 MB of them: 65 thousand images of a thousand classes.
  private static final long MOST_VALUES = 1L << 26;

  private static final int ITERATIONS = 100;
  private static final double PRECISION = 1e-10;

  private final int[] labels;
  private final int kept;
  private final float[][] logits;

  /// Makes a search over images with these labels. Of more images than fit into 256 MB the first
  /// ones are used.
  public Temperature(int[] labels, int classes) {
    this.labels = labels;
    this.kept = (int) Math.min(labels.length, MOST_VALUES / classes);
    this.logits = new float[kept][];
  }

  /// Returns the number of images by which the temperature is found.
  public int count() {
    return kept;
  }

  @Override
  public void at(Rows places, Tensor of) {
    try (var _ = Scope.open()) {
      double[] values = of.toDoubles();
      int classes = values.length / Math.max(1, places.count());
      for (int i = 0; i < places.count() && places.from() + i < kept; i++) {
        float[] row = new float[classes];
        for (int c = 0; c < classes; c++) {
          row[c] = (float) values[i * classes + c];
        }
        logits[places.from() + i] = row;
      }
    }
  }

  /// Returns the temperature, from [#LEAST] to [#MOST].
  ///
  /// @param sum replaces what a worker has by its sum over the workers; does nothing if all workers
  ///   share this
  public double fit(Consumer<double[]> sum) {
    double low = 1 / MOST;
    double high = 1 / LEAST;
    double beta = 1;
    if (derivatives(low, sum)[0] >= 0) {
      return MOST;
    }
    if (derivatives(high, sum)[0] <= 0) {
      return LEAST;
    }
    for (int i = 0; i < ITERATIONS && high - low > PRECISION * low; i++) {
      double[] d = derivatives(beta, sum);
      if (d[0] < 0) {
        low = beta;
      } else {
        high = beta;
      }
      double next = beta - d[0] / d[1];
      if (Math.abs(next - beta) < PRECISION * beta) {
        return 1 / next;
      }
      beta = next > low && next < high ? next : (low + high) / 2;
    }
    return 1 / beta;
  }

  /// The first and the second derivative of the cross-entropy with respect to β. Images with a
  /// logit that is not finite are left out.
  private double[] derivatives(double beta, Consumer<double[]> sum) {
    double[] sums = new double[2];
    for (int i = 0; i < kept; i++) {
      if (logits[i] != null) {
        add(logits[i], labels[i], beta, sums);
      }
    }
    sum.accept(sums);
    return sums;
  }

  private static void add(float[] z, int label, double beta, double[] sums) {
    double most = Float.NEGATIVE_INFINITY;
    for (float value : z) {
      if (!Float.isFinite(value)) {
        return;
      }
      most = Math.max(most, value);
    }
    double all = 0;
    double mean = 0;
    double square = 0;
    for (float value : z) {
      double from = value - most;
      double p = Math.exp(beta * from);
      all += p;
      mean += p * from;
      square += p * from * from;
    }
    mean /= all;
    sums[0] += mean - (z[label] - most);
    sums[1] += Math.max(0, square / all - mean * mean);
  }

  /// Returns ln softmax(z/T) at one class, for logits z that begin at `from` in `values`.
  static double logProbability(double[] values, int from, int classes, int at, double temperature) {
    double most =
        Arrays.stream(values, from, from + classes).max().orElse(Double.NEGATIVE_INFINITY);
    double sum = 0;
    for (int c = from; c < from + classes; c++) {
      sum += Math.exp((values[c] - most) / temperature);
    }
    return (values[from + at] - most) / temperature - Math.log(sum);
  }
}
