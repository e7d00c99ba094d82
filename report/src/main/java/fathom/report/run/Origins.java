package fathom.report.run;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Shows the readers of a page where an image came from: a short name, and a link that opens the
/// file.
final class Origins {
  private Origins() {}

  /// Returns the name of the file and of its folder, such as `cat/0001.png`. It is empty for no
  /// file, and for a text that is no path.
  static String name(String file) {
    Path path = path(file);
    if (path == null || path.getNameCount() == 0) {
      return "";
    }
    int count = path.getNameCount();
    return path.subpath(Math.max(0, count - 2), count).toString().replace('\\', '/');
  }

  /// Returns a link from the page in the file `page`. It is relative, so that page and images can
  /// be moved together, or absolute where no relative path leads from one to the other.
  static String href(String file, Path page) {
    Path path = path(file);
    if (path == null) {
      return "";
    }
    Path folder = page.toAbsolutePath().normalize().getParent();
    if (folder == null || !Objects.equals(folder.getRoot(), path.getRoot())) {
      return path.toUri().toASCIIString();
    }
    try {
      String relative = folder.relativize(path.normalize()).toString().replace('\\', '/');
      return new URI(null, null, "./" + relative, null).toASCIIString();
    } catch (URISyntaxException _) {
      return path.toUri().toASCIIString();
    }
  }

  private static @Nullable Path path(String file) {
    try {
      return file.isEmpty() ? null : Path.of(file);
    } catch (InvalidPathException _) { // the path is of another system
      return null;
    }
  }
}
