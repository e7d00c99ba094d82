package fathom.io;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The exception for a file or folder that is missing, damaged or not as expected. The message
/// names the file, what was expected, what was found and what to do; [Shown#message] makes it safe
/// to show.
public final class BadFileException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// Makes an exception without a cause.
  ///
  /// @param problem what is wrong, to follow the name of the file and a colon
  public BadFileException(Path file, String problem) {
    this(file, problem, null);
  }

  /// Makes an exception with the error that caused it, or null.
  ///
  /// @param problem what is wrong, to follow the name of the file and a colon
  public BadFileException(Path file, String problem, @Nullable Throwable cause) {
    super(Shown.message(file + ": " + problem), cause);
  }
}
