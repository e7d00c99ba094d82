package fathom.task;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.ArrayList;
import java.util.List;

/// The reliability diagram of a classifier (Guo et al. 2017, "On calibration of modern neural
/// networks", section 2): images are sorted into bins of one width by their confidence, which is
/// the probability of the predicted class. In a calibrated net the share of right predictions in
/// each bin is its mean confidence.
///
/// @param bins the bins from 0 to 1; bin m of M has the confidences in ((m−1)/M, m/M]
public record Calibration(List<Bin> bins) {
  /// The number of bins, as in the paper's tables.
  public static final int BINS = 15;

  /// More bins than a file has that this program wrote.
  private static final int MOST = 1000;

  /// One bin.
  ///
  /// @param count the number of images
  /// @param confidence their mean confidence, 0 to 1; 0 if there are none
  /// @param accuracy the share of right predictions, 0 to 1; 0 if there are none
  public record Bin(long count, double confidence, double accuracy) {
    public Bin {
      if (count < 0 || !(confidence >= 0 && confidence <= 1) || !(accuracy >= 0 && accuracy <= 1)) {
        throw new IllegalArgumentException(
            "a bin has 0 or more images, and shares from 0 to 1, but has %s, %s and %s"
                .formatted(count, confidence, accuracy));
      }
    }
  }

  /// Throws `IllegalArgumentException` unless there is a bin, and their confidences rise.
  public Calibration {
    bins = List.copyOf(bins);
    if (bins.isEmpty() || bins.size() > MOST) {
      throw new IllegalArgumentException(
          "a reliability diagram has 1 to %s bins, but this has %s".formatted(MOST, bins.size()));
    }
    double before = -1;
    for (Bin bin : bins) {
      if (bin.count > 0 && bin.confidence <= before) {
        throw new IllegalArgumentException(
            "the confidences of bins rise, but %s follows %s".formatted(bin.confidence, before));
      }
      before = bin.count > 0 ? bin.confidence : before;
    }
  }

  /// Sorts predictions into 15 bins. Those whose confidence is NaN are left out.
  ///
  /// @param confidences the probability of each predicted class
  /// @param right whether the prediction is the true class
  public static Calibration of(double[] confidences, boolean[] right) {
    long[] counts = new long[BINS];
    long[] hits = new long[BINS];
    double[] sums = new double[BINS];
    for (int i = 0; i < confidences.length; i++) {
      if (!Double.isNaN(confidences[i])) {
        double confidence = Math.clamp(confidences[i], 0.0, 1.0);
        int bin = Math.clamp((long) Math.ceil(confidence * BINS) - 1, 0, BINS - 1);
        counts[bin]++;
        sums[bin] += confidence;
        hits[bin] += right[i] ? 1 : 0;
      }
    }
    var bins = new ArrayList<Bin>();
    for (int i = 0; i < BINS; i++) {
      bins.add(
          counts[i] == 0
              ? new Bin(0, 0, 0)
              : new Bin(counts[i], Math.min(1, sums[i] / counts[i]), (double) hits[i] / counts[i]));
    }
    return new Calibration(bins);
  }

  /// Returns the number of images.
  public long count() {
    return bins.stream().mapToLong(Bin::count).sum();
  }

  /// Returns the expected calibration error, Σ (n_m/n)·|accuracy − confidence| over the bins, from
  /// 0 to 1 (equation 3); 0 without images.
  @JsonIgnore
  public double error() {
    double sum = 0;
    for (Bin bin : bins) {
      sum += bin.count * Math.abs(bin.accuracy - bin.confidence);
    }
    return sum / Math.max(1, count());
  }
}
