package fathom.train;

/// The loss or a gradient is no longer a finite number. Nothing was changed by the step in which
/// that happened, and the last checkpoint is as it was.
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  DivergedException(long step, String where) {
    super(
        "step %s diverged: %s; try a lower learning rate (`rate`), or a warm-up"
            .formatted(step, where));
  }
}
