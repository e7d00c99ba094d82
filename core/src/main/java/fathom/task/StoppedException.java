package fathom.task;

/// Ends an evaluation in the middle, on all workers at the same time, because the training was
/// asked to stop.
public final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public StoppedException() {
    super("the training was asked to stop", null, false, false);
  }
}
