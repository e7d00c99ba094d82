package fathom.report;

import java.math.BigDecimal;
import java.math.MathContext;

/// Numbers as they stand in a table: plain ASCII that a program can read back.
public final class Digits {
  private Digits() {}

  /// Whole numbers in full, others to five digits: `60000`, `0.12346`, `1.5e-9`, `NaN`.
  public static String rounded(double value) {
    if (!Double.isFinite(value)) {
      return Double.toString(value);
    }
    BigDecimal exact = new BigDecimal(value);
    int whole = exact.precision() - exact.scale();
    return plain(exact.round(new MathContext(Math.clamp(whole, 5, 15))));
  }

  /// As many digits as tell the number from every other double.
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
