package fathom.bench;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A line of the benchmark.
///
/// @param suite the suite that measured it
/// @param name what was measured
/// @param unit `ms`, `images/s`, `characters/s`, `GFLOP/s`, `% of peak`, `%`, `times` or `MB` of a
///   million bytes
/// @param median the median of the runs
/// @param low the smallest of the runs
/// @param high the largest of the runs
/// @param peer the system that it is compared with, or null for none
/// @param peerMedian the peer's median; null where it is not installed
/// @param ratio how many times faster Fathom is; above 1 if Fathom is better
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

  /// Returns the result of values without a peer.
  static Result of(String suite, String name, String unit, double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Result(
        suite, name, unit, median(sorted), sorted[0], sorted[sorted.length - 1], null, null, null);
  }

  /// Returns the result of runs in milliseconds, compared with those of a peer.
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

  /// Returns the result of runs in milliseconds that each did `count` pieces, as a throughput in a
  /// unit such as `images/s`.
  static Result ofRate(
      String suite,
      String name,
      String unit,
      int count,
      double[] runs,
      @Nullable String peer,
      double @Nullable [] peers) {
    Result time = of(suite, name, runs, peer, peers);
    double all = 1e3 * count;
    return new Result(
        suite,
        name,
        unit,
        all / time.median,
        all / time.high,
        all / time.low,
        peer,
        time.peerMedian == null ? null : all / time.peerMedian,
        time.ratio);
  }

  /// Returns the result of a peak of memory in MB, compared with that of a peer; less is better.
  static Result ofMemory(
      String suite,
      String name,
      double megabytes,
      @Nullable String peer,
      double @Nullable [] peers) {
    Result same = of(suite, name, new double[] {megabytes}, peer, peers);
    return new Result(
        suite, name, "MB", megabytes, megabytes, megabytes, peer, same.peerMedian, same.ratio);
  }

  static double median(double[] runs) {
    double[] sorted = runs.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
