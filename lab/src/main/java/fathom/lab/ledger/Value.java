package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/// One measured quantity in one condition, for every seed in their order.
///
/// @param what quantity, condition and unit
public record Value(String what, List<Double> perSeed, Bound bound) {
  public Value {
    perSeed = List.copyOf(perSeed);
  }

  @JsonProperty
  public double mean() {
    return perSeed.stream().mapToDouble(d -> d).average().orElse(Double.NaN);
  }

  /// The largest less the smallest.
  @JsonProperty
  public double spread() {
    var all = perSeed.stream().mapToDouble(d -> d).summaryStatistics();
    return all.getMax() - all.getMin();
  }

  /// For how many seeds it is within its bound.
  public long held() {
    return perSeed.stream().filter(bound::holds).count();
  }
}
