package fathom.train;

/// An evaluation was broken off because somebody asked for it. All workers throw it together.
final class StoppedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  StoppedException() {
    super("stopped");
  }
}
