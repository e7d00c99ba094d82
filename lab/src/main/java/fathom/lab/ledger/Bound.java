package fathom.lab.ledger;

import com.fasterxml.jackson.annotation.JsonIgnore;
import fathom.report.Digits;
import org.jspecify.annotations.Nullable;

/// The range of values that a claim allows, ends included. No bound allows NaN.
///
/// @param low the smallest allowed value; null for none
/// @param high the largest allowed value; null for none
public record Bound(@Nullable Double low, @Nullable Double high) {
  /// The bound of a value that is only shown.
  public static final Bound NONE = new Bound(null, null);

  /// Returns the bound of values from `low` up.
  public static Bound atLeast(double low) {
    return new Bound(low, null);
  }

  /// Returns the bound of values up to `high`.
  public static Bound atMost(double high) {
    return new Bound(null, high);
  }

  /// Returns the bound of values from `low` to `high`.
  public static Bound between(double low, double high) {
    return new Bound(low, high);
  }

  /// Returns whether there is a bound at all.
  @JsonIgnore
  public boolean isSet() {
    return low != null || high != null;
  }

  /// Returns whether the value is within the bound; false for NaN.
  public boolean holds(double value) {
    return !Double.isNaN(value) && (low == null || value >= low) && (high == null || value <= high);
  }

  /// Returns a form like `≥ 80`, `≤ 2` or `0.47 to 0.53`; empty for [#NONE].
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
