package fathom.train;

import java.util.function.BooleanSupplier;

/// Remembers whether a training was asked to stop. A request to stop is never taken back.
final class Stop {
  private static final long LOOK_EVERY_NANOS = 1_000_000_000;

  private final BooleanSupplier asked;
  private volatile boolean heard;
  private volatile long lookedAt = System.nanoTime();

  Stop(BooleanSupplier asked) {
    this.asked = asked;
  }

  /// Asks; to be called between two steps.
  boolean look() {
    lookedAt = System.nanoTime();
    if (!heard && asked.getAsBoolean()) {
      heard = true;
    }
    return heard;
  }

  /// Asks at most once a second, however often it is called and by how many workers.
  boolean lookNowAndThen() {
    return heard || (System.nanoTime() - lookedAt > LOOK_EVERY_NANOS && look());
  }
}
