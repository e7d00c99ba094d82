package fathom.lab.reading;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A WordNet of 36 nouns, written by hand in its format.
final class Miniature {
  private Miniature() {}

  static Path file() {
    return Path.of("src", "test", "resources", "fathom", "lab", "reading", "data.noun");
  }

  static List<Synset> synsets() {
    return WordNet.read(file());
  }

  /// As a file that a test may change.
  static Path copiedTo(Path folder, String from, String to) {
    try {
      Path copy = folder.resolve("data.noun");
      return Files.writeString(copy, Files.readString(file()).replaceFirst(from, to));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
