package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One measured quantity under one condition, with a number for each seed.
///
/// @param what quantity, condition and unit
/// @param perSeed the numbers in the order of the seeds
/// @param bound the range that the claim allows
public record Value(String what, List<Double> perSeed, Bound bound) {
  /// The 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom. The last one, which is
  /// slightly too large, stands for more than 30.
  private static final double[] T = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042
  };

  /// Copies the list of numbers.
  public Value {
    perSeed = List.copyOf(perSeed);
  }

  /// Returns the mean over the seeds.
  @JsonProperty
  public double mean() {
    return perSeed.stream().mapToDouble(d -> d).average().orElse(Double.NaN);
  }

  /// Returns the spread, the largest minus the smallest number.
  @JsonProperty
  public double spread() {
    var all = perSeed.stream().mapToDouble(d -> d).summaryStatistics();
    return all.getMax() - all.getMin();
  }

  /// Returns half the width of the 95 % interval of the mean by Student's t; null for fewer than
  /// two seeds.
  @JsonProperty
  public @Nullable Double interval() {
    int n = perSeed.size();
    if (n < 2) {
      return null;
    }
    double mean = mean();
    double squares = perSeed.stream().mapToDouble(d -> (d - mean) * (d - mean)).sum();
    double t = T[Math.min(n - 2, T.length - 1)];
    return t * Math.sqrt(squares / (n - 1) / n);
  }

  /// Returns for how many seeds the number is within the bound.
  public long held() {
    return perSeed.stream().filter(bound::holds).count();
  }
}
