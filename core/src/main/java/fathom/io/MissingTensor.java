package fathom.io;

import java.nio.file.Path;
import java.util.List;
import java.util.SequencedSet;

/// The message for a tensor that a file does not have.
final class MissingTensor {
  private static final int SHOWN = 5;

  private MissingTensor() {}

  static BadFileException in(Path file, String name, SequencedSet<String> names) {
    List<String> some = names.stream().limit(SHOWN).map(Shown::name).toList();
    return new BadFileException(
        file,
        "tensor %s is needed, but the file has %s others: %s%s; is it of another model?"
            .formatted(
                Shown.name(name),
                names.size(),
                String.join(", ", some),
                some.size() < names.size() ? ", ..." : ""));
  }
}
