package fathom.optim;

/// A learning rate that rises from `low` to `high` by the same factor in every step, as a learning
/// rate range test needs it (Smith 2017, arXiv 1506.01186, section 3.3, which raises it linearly).
/// In step t of S it is low·(high/low)^(t/(S−1)), and `high` afterwards.
///
/// @param low the learning rate of the first step
/// @param high the learning rate of the last step
/// @param sweep S, the number of steps, at least 2
public record ExponentialSweep(double low, double high, int sweep) implements Schedule {
  /// Throws `IllegalArgumentException` unless 0 < low < high and there are 2 steps.
  public ExponentialSweep {
    if (!(low > 0 && low < high && high < Double.POSITIVE_INFINITY) || sweep < 2) {
      throw new IllegalArgumentException(
          "a sweep rises between two positive learning rates in at least 2 steps, but from %s to %s in %s"
              .formatted(low, high, sweep));
    }
  }

  @Override
  public double at(long step, long steps) {
    double share = Math.min(1, step / (sweep - 1.0));
    return share == 1 ? high : low * StrictMath.pow(high / low, share);
  }
}
