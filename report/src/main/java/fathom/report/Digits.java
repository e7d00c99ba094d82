package fathom.report;

import java.math.BigDecimal;
import java.math.MathContext;

/// Formats numbers for tables in plain ASCII that a program can read back.
public final class Digits {
  private Digits() {}

  /// Formats a number: a whole number of up to 15 digits in full, any other number to five
  /// significant digits. Examples: `60000`, `0.12346`, `1.5e-9`, `NaN`.
  public static String rounded(double value) {
    if (!Double.isFinite(value)) {
      return Double.toString(value);
    }
    BigDecimal exact = new BigDecimal(value);
    int whole = exact.precision() - exact.scale();
    return plain(exact.round(new MathContext(Math.clamp(whole, 5, 15))));
  }

  /// Formats a number with the digits that tell it from every other double.
  static String exact(double value) {
    return plain(BigDecimal.valueOf(value));
  }

  private static String plain(BigDecimal value) {
    if (value.signum() == 0) {
      return "0";
    }
    BigDecimal v = value.stripTrailingZeros();
    int exponent = v.precision() - v.scale() - 1;
    return exponent < -5 || exponent >= 15
        ? v.movePointLeft(exponent).toPlainString() + "e" + exponent
        : v.toPlainString();
  }
}
