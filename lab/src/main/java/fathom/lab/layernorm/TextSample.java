package fathom.lab.layernorm;

import fathom.data.Text;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// The plays of Shakespeare as one text, `tinyshakespeare.txt`, from the folder that FATHOM_DATA
/// names. Any other text of this name works as well.
final class TextSample {
  private static final String NAME = "tinyshakespeare.txt";

  private TextSample() {}

  private static Optional<Path> file() {
    return Optional.ofNullable(System.getenv("FATHOM_DATA"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, NAME))
        .filter(Files::exists);
  }

  /// Returns what is missing, in a sentence for the user; empty if nothing is.
  static Optional<String> missing() {
    return file().isPresent()
        ? Optional.empty()
        : Optional.of("it needs a text %s in the folder that FATHOM_DATA names".formatted(NAME));
  }

  /// Returns the first characters of the training part and of the held-out part, with the
  /// vocabulary of the whole text.
  static Text of(int train, int validation) {
    Text all = Text.open(Text.TEXT + file().orElseThrow());
    return new Text(
        all.name(),
        all.vocabulary(),
        Arrays.copyOf(all.train(), Math.min(train, all.train().length)),
        Arrays.copyOf(all.validation(), Math.min(validation, all.validation().length)));
  }
}
