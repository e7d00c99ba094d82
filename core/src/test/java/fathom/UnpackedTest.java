package fathom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedTest {
  @TempDir private Path cache;

  /// As a start leaves it that was killed while it unpacked the second library.
  @Test
  void aLibraryThatIsCutShortIsDeletedAndNothingElse() throws Exception {
    String folder = "org/bytedeco/pytorch/" + Loader.getPlatform() + "/";
    String library = System.mapLibraryName("c10");
    URL url = Objects.requireNonNull(Loader.class.getClassLoader().getResource(folder + library));
    var jar = (JarURLConnection) url.openConnection();
    String name = Path.of(jar.getJarFile().getName()).getFileName().toString();
    byte[] whole;
    try (InputStream in = url.openStream()) {
      whole = in.readAllBytes();
    }
    Path good = write(name + "/" + folder + library, whole);
    Path ofAnother = write("pytorch-1.0.jar/" + folder + library, new byte[] {1});
    Path strange = write(name + "/" + folder + "notes.txt", new byte[] {1});
    Unpacked.deleteWhatIsCutShort(cache);
    assertTrue(Files.exists(good));

    byte[] half = new byte[whole.length / 2];
    Path torn = write(name + "/" + folder + library, half);
    Unpacked.deleteWhatIsCutShort(cache);
    var left = new TreeSet<Path>();
    try (var files = Files.walk(cache)) {
      files.filter(Files::isRegularFile).forEach(left::add);
    }
    left.remove(cache.resolve(".lock"));
    assertEquals(new TreeSet<>(List.of(ofAnother, strange)), left, torn + " is gone");
  }

  private Path write(String name, byte[] content) throws Exception {
    Path file = cache.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }
}
