package fathom.lab.layernorm;

import fathom.data.Text;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/// The plays of Shakespeare as one text, `tinyshakespeare.txt`, from the folder that FATHOM_DATA
/// names; any other text under this name serves as well.
final class TextSample {
  private static final String NAME = "tinyshakespeare.txt";

  private TextSample() {}

  private static Optional<Path> file() {
    return Optional.ofNullable(System.getenv("FATHOM_DATA"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, NAME))
        .filter(Files::exists);
  }

  /// What is not there, in a sentence for the user.
  static Optional<String> missing() {
    return file().isPresent()
        ? Optional.empty()
        : Optional.of("it needs a text %s in the folder that FATHOM_DATA names".formatted(NAME));
  }

  /// The first characters of it to train with and to be held out; all of its vocabulary.
  static Text of(int train, int validation) {
    Text all = Text.open(Text.TEXT + file().orElseThrow());
    return new Text(
        all.name(),
        all.vocabulary(),
        Arrays.copyOf(all.train(), Math.min(train, all.train().length)),
        Arrays.copyOf(all.validation(), Math.min(validation, all.validation().length)));
  }
}
