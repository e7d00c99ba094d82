package fathom.cli;

import java.util.Locale;

/// Formats large numbers for people.
final class Count {
  private Count() {}

  /// Formats like 269,722.
  static String exact(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }

  /// Formats like 40.55 M.
  static String millions(long n) {
    return String.format(Locale.ROOT, "%,.2f M", n / 1e6);
  }
}
