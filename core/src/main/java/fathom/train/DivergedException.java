package fathom.train;

/// Thrown when the loss or a gradient is no longer a finite number. The step in which that happened
/// changed no weight, and the last checkpoint is unchanged.
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  DivergedException(long step, String where) {
    super(
        "step %s diverged: %s; try a lower learning rate (`rate`), or a warm-up"
            .formatted(step, where));
  }
}
