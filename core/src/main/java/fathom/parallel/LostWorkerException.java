package fathom.parallel;

import org.jspecify.annotations.Nullable;

/// Thrown when a worker has failed or did not arrive at a barrier, so that the others cannot go on.
public final class LostWorkerException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public LostWorkerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
