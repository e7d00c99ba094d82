package fathom.parallel;

import org.jspecify.annotations.Nullable;

/// Thrown when another process of a training has ended, does not answer, has never started, or has
/// failed, so that this one cannot go on. The message names its rank.
public final class LostProcessException extends RuntimeException {
  private static final long serialVersionUID = 1;

  LostProcessException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
