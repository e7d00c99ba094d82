package fathom;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/// The native libraries as JavaCPP unpacks them from their jars into a cache that all later starts
/// share.
///
/// A first start that is killed can leave a truncated library in the cache. JavaCPP would unpack it
/// again when it comes to load it, but the system's loader finds the file earlier, as a dependency
/// of another library, and the process dies of SIGBUS at this start and at all that follow.
final class Unpacked {
  private Unpacked() {}

  /// Deletes files whose length differs from that in their jar, so that JavaCPP unpacks them again.
  /// Files that cannot be read are left for JavaCPP to report.
  static void deleteWhatIsCutShort() {
    try {
      deleteWhatIsCutShort(Loader.getCacheDir().toPath());
    } catch (IOException | UncheckedIOException e) {
      return; // JavaCPP reads the same folder next and reports the error
    }
  }

  /// Deletes truncated files while holding JavaCPP's own lock, so that no other process is
  /// unpacking.
  static void deleteWhatIsCutShort(Path cache) throws IOException {
    try (var channel =
            FileChannel.open(
                cache.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var _ = channel.lock();
        Stream<Path> paths = Files.walk(cache)) {
      List<Path> files =
          paths.filter(p -> Files.isRegularFile(p, LinkOption.NOFOLLOW_LINKS)).toList();
      for (Path file : files) {
        Path inside = cache.relativize(file); // NAME.jar/org/bytedeco/...
        if (inside.getNameCount() > 1 && isCutShort(file, inside)) {
          Files.delete(file);
        }
      }
    }
  }

  private static boolean isCutShort(Path file, Path inside) throws IOException {
    Path entry = inside.subpath(1, inside.getNameCount());
    URL url = Loader.class.getClassLoader().getResource(entry.toString().replace('\\', '/'));
    return url != null
        && url.openConnection() instanceof JarURLConnection jar
        && Path.of(jar.getJarFile().getName()).endsWith(inside.getName(0))
        && jar.getJarEntry().getSize() != Files.size(file);
  }
}
