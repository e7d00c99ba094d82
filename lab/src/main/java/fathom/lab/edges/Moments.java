package fathom.lab.edges;

/// Mean, biased variance and what follows from them.
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

  /// The root of the mean square.
  static double rms(double[] of) {
    double sum = 0;
    for (double each : of) {
      sum += each * each;
    }
    return Math.sqrt(sum / of.length);
  }

  /// Of the line y = a + b·x with the least squares: b. NaN where all x are one.
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
