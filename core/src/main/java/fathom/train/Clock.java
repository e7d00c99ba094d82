package fathom.train;

/// The time that a training takes, without its interruptions, and the throughput of its epochs.
final class Clock {
  private final double before;
  private final long begun = System.nanoTime();
  private long epochBegun = begun;
  private long seen;
  private double perSecond;

  /// @param before the seconds that earlier parts of the training took
  /// @param perSecond the throughput of the epoch that it goes on with
  Clock(double before, double perSecond) {
    this.before = before;
    this.perSecond = perSecond;
  }

  double seconds() {
    return before + (System.nanoTime() - begun) / 1e9;
  }

  /// An epoch begins, or goes on.
  void begin() {
    epochBegun = System.nanoTime();
    seen = 0;
  }

  /// So many examples more were trained with.
  void add(long examples) {
    seen += examples;
    perSecond = seen / ((System.nanoTime() - epochBegun) / 1e9);
  }

  /// Over the epoch so far; after its end that of the whole.
  double examplesPerSecond() {
    return perSecond;
  }
}
