package fathom;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// The versions of the native libraries on the class path, as Maven's metadata in their jars
/// records them. Reading them loads nothing of the libraries themselves.
public final class Release {
  private Release() {}

  /// Returns the versions of libtorch and JavaCPP, for example `libtorch 2.10.0-1.5.13, JavaCPP
  /// 1.5.13`.
  public static String libtorch() {
    return "libtorch %s, JavaCPP %s".formatted(of("pytorch"), of("javacpp"));
  }

  /// Returns the version of an artifact of org.bytedeco, or `unknown` if it is not on the class
  /// path.
  static String of(String artifact) {
    try (InputStream in =
        Release.class.getResourceAsStream(
            "/META-INF/maven/org.bytedeco/%s/pom.properties".formatted(artifact))) {
      if (in == null) {
        return "unknown";
      }
      var properties = new Properties();
      properties.load(in);
      return properties.getProperty("version", "unknown");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
