package fathom.train;

/// Measures the time that a training takes, without its interruptions, and the throughput of its
/// epochs.
final class Clock {
  private final double before;
  private final long begun = System.nanoTime();
  private long epochBegun = begun;
  private long seen;
  private double perSecond;

  /// Starts the clock.
  ///
  /// @param before the seconds that earlier parts of the training took
  /// @param perSecond the throughput of the epoch with which the training continues, in examples
  ///   per second
  Clock(double before, double perSecond) {
    this.before = before;
    this.perSecond = perSecond;
  }

  double seconds() {
    return before + (System.nanoTime() - begun) / 1e9;
  }

  /// Marks the start of an epoch, or its continuation.
  void begin() {
    epochBegun = System.nanoTime();
    seen = 0;
  }

  /// Counts `examples` further examples of training.
  void add(long examples) {
    seen += examples;
    perSecond = seen / ((System.nanoTime() - epochBegun) / 1e9);
  }

  /// The throughput over the epoch so far; after its end, over the whole epoch.
  double examplesPerSecond() {
    return perSecond;
  }
}
