package fathom.bench;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A line of the benchmark.
///
/// @param unit `ms`, `images/s` or `MB` of a million bytes
/// @param low the smallest of the runs
/// @param peer what it was measured against, or null where that is not installed
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

  static double median(double[] runs) {
    double[] sorted = runs.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}
