package fathom.io;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/// The `~` that a shell replaces only where it stands at the start of a word: behind `images:`, in
/// a file or in a variable it reaches us, and means the same.
public final class HomeFolder {
  private HomeFolder() {}

  /// What `HOME` says, as for a shell; where it says nothing, what the system knows of the user.
  public static Path home() {
    String home = System.getenv("HOME");
    return Path.of(home == null || home.isBlank() ? System.getProperty("user.home") : home);
  }

  /// The path of this text, a `~` before its first separator being the user's home folder. A file
  /// of that name here is `./~`. Throws `InvalidPathException` if it is no path on this system.
  public static Path path(String text) throws InvalidPathException {
    return text.equals("~") || text.startsWith("~/")
        ? home().resolve(text.substring(1).replaceFirst("^/+", ""))
        : Path.of(text);
  }
}
