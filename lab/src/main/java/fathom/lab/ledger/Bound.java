package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonIgnore;
import fathom.report.Digits;
import org.jspecify.annotations.Nullable;

/// The values that a claim allows, ends included; an end that is null is open. No bound allows NaN.
public record Bound(@Nullable Double low, @Nullable Double high) {
  /// For what is only shown.
  public static final Bound NONE = new Bound(null, null);

  public static Bound atLeast(double low) {
    return new Bound(low, null);
  }

  public static Bound atMost(double high) {
    return new Bound(null, high);
  }

  public static Bound between(double low, double high) {
    return new Bound(low, high);
  }

  @JsonIgnore
  public boolean isSet() {
    return low != null || high != null;
  }

  public boolean holds(double value) {
    return !Double.isNaN(value) && (low == null || value >= low) && (high == null || value <= high);
  }

  /// `≥ 80`, `≤ 2`, `0.47 to 0.53`; empty where there is none.
  @Override
  public String toString() {
    if (low != null && high != null) {
      return Digits.rounded(low) + " to " + Digits.rounded(high);
    }
    return low != null
        ? "≥ " + Digits.rounded(low)
        : high != null ? "≤ " + Digits.rounded(high) : "";
  }
}
