package fathom.lab.edges;

/// Mean, biased variance and quantities that follow from them.
final class Moments {
  private Moments() {}

  static double mean(double[] of) {
    double sum = 0;
    for (double each : of) {
      sum += each;
    }
    return sum / of.length;
  }

  static double variance(double[] of) {
    double mean = mean(of);
    double sum = 0;
    for (double each : of) {
      sum += (each - mean) * (each - mean);
    }
    return sum / of.length;
  }

  static double standardDeviation(double[] of) {
    return Math.sqrt(variance(of));
  }

  /// Returns the root mean square.
  static double rms(double[] of) {
    double sum = 0;
    for (double each : of) {
      sum += each * each;
    }
    return Math.sqrt(sum / of.length);
  }

  /// Returns the slope b of the least-squares line y = a + b·x; NaN where all x are equal.
  static double slope(double[] x, double[] y) {
    double mx = mean(x);
    double my = mean(y);
    double both = 0;
    double squares = 0;
    for (int i = 0; i < x.length; i++) {
      both += (x[i] - mx) * (y[i] - my);
      squares += (x[i] - mx) * (x[i] - mx);
    }
    return both / squares;
  }
}
