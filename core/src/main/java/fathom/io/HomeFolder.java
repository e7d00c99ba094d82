package fathom.io;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// Resolves the `~` for the home folder. A shell replaces it only at the start of a word; after
/// `images:`, in a file or in a variable it reaches Fathom unchanged, and has the same meaning.
public final class HomeFolder {
  private HomeFolder() {}

  /// Returns the home folder: the value of `HOME`, as for a shell, or else what the system knows of
  /// the user.
  public static Path home() {
    String home = System.getenv("HOME");
    return Path.of(home == null || home.isBlank() ? System.getProperty("user.home") : home);
  }

  /// Returns the path of this text, in which a `~` before the first separator stands for the user's
  /// home folder. A file called `~` in the current folder is `./~`. Throws `InvalidPathException`
  /// if the text is no path on this system.
  public static Path path(String text) throws InvalidPathException {
    return text.equals("~") || text.startsWith("~/")
        ? home().resolve(text.substring(1).replaceFirst("^/+", ""))
        : Path.of(text);
  }
}
