package fathom.parallel;

import org.jspecify.annotations.Nullable;

/// A worker failed or did not come; the others cannot go on.
public final class LostWorkerException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public LostWorkerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
