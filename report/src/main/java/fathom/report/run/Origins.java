package fathom.report.run;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Where images came from, for who reads a page: a short name, and a link that opens the file.
final class Origins {
  private Origins() {}

  /// The file and the folder that it lies in, as `cat/0001.png`; empty for no file, and for a text
  /// that is no path.
  static String name(String file) {
    Path path = path(file);
    if (path == null || path.getNameCount() == 0) {
      return "";
    }
    int count = path.getNameCount();
    return path.subpath(Math.max(0, count - 2), count).toString().replace('\\', '/');
  }

  /// A link from the page at `page`: relative, so that both can be moved together, or absolute
  /// where there is no way from one to the other.
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
    } catch (InvalidPathException _) { // of another system
      return null;
    }
  }
}
