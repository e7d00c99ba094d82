package fathom.bench;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A line of the benchmark.
///
/// @param unit `ms`, `images/s`, `GFLOP/s`, `% of peak`, `%`, `times` or `MB` of a million bytes
/// @param low the smallest of the runs
/// @param peer what it was measured against, or null for nothing
/// @param peerMedian null where that is not installed
/// @param ratio above 1 if Fathom is better
public record Result(
    String suite,
    String name,
    String unit,
    double median,
    double low,
    double high,
    @Nullable String peer,
    @Nullable Double peerMedian,
    @Nullable Double ratio) {

  /// Of values that no peer has.
  static Result of(String suite, String name, String unit, double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Result(
        suite, name, unit, median(sorted), sorted[0], sorted[sorted.length - 1], null, null, null);
  }

  /// Of runs in milliseconds, and those of a peer.
  static Result of(
      String suite, String name, double[] runs, @Nullable String peer, double @Nullable [] peers) {
    double[] sorted = runs.clone();
    Arrays.sort(sorted);
    double median = median(runs);
    Double other = peers == null ? null : median(peers);
    return new Result(
        suite,
        name,
        "ms",
        median,
        sorted[0],
        sorted[sorted.length - 1],
        peer,
        other,
        other == null ? null : other / median);
  }

  /// Of runs in milliseconds that each did `count` images, as images in a second.
  static Result ofRate(
      String suite,
      String name,
      int count,
      double[] runs,
      @Nullable String peer,
      double @Nullable [] peers) {
    Result time = of(suite, name, runs, peer, peers);
    double all = 1e3 * count;
    return new Result(
        suite,
        name,
        "images/s",
        all / time.median,
        all / time.high,
        all / time.low,
        peer,
        time.peerMedian == null ? null : all / time.peerMedian,
        time.ratio);
  }

  static double median(double[] runs) {
    double[] sorted = runs.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
