package fathom.io;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A file or folder that is missing, damaged or not what it should be. The message names the file,
/// what was expected, what was found and what to do, as [Shown#message] has it.
public final class BadFileException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public BadFileException(Path file, String problem) {
    this(file, problem, null);
  }

  public BadFileException(Path file, String problem, @Nullable Throwable cause) {
    super(Shown.message(file + ": " + problem), cause);
  }
}
