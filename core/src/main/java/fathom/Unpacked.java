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

/// The native libraries as JavaCPP unpacks them from their jars, once for all starts.
///
/// A first start that is killed leaves a library cut short. JavaCPP would unpack it again when its
/// turn comes, but the system finds it before, as a part of another one, and the process dies of
/// SIGBUS: at that start and all that follow.
final class Unpacked {
  private Unpacked() {}

  /// Deletes what is not as long as it should be, so that it is unpacked again. What cannot be
  /// looked at is left for JavaCPP to complain of.
  static void deleteWhatIsCutShort() {
    try {
      deleteWhatIsCutShort(Loader.getCacheDir().toPath());
    } catch (IOException | UncheckedIOException e) {
      return; // JavaCPP is going to look there next
    }
  }

  /// With JavaCPP's own lock, under which nobody else is unpacking.
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
