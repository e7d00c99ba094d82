package fathom.data;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What a net can be trained on.
public interface Data {
  String TEXT = "text:";

  /// What the user called it.
  String name();

  /// What tells whether other data is this.
  DataIdentity identity();

  /// The file or folder that it was read from, absolute; null for what comes with Fathom or was
  /// made in memory.
  @Nullable Path place();

  /// The names of the classes, in the order of a net's outputs; of a text, its characters.
  List<String> classes();

  /// Channels, height and width of an image as training sees it; empty for text.
  List<Integer> input();

  /// The word before the path in what a user calls data, with its colon; empty where there is none.
  static String prefix(String spec) {
    return Stream.of(TEXT, DataSet.IMAGES, MaskSet.PREFIX)
        .filter(spec::startsWith)
        .findFirst()
        .orElse("");
  }

  /// Reads the data that `spec` names: `text:FILE`, `masks:DIR`, or what [DataSet#open]
  /// understands. Throws `IllegalArgumentException` for a name that means nothing here and
  /// [fathom.io.BadFileException] for a file that is missing or whose content is not what it should
  /// be.
  static Data open(String spec) {
    return open(spec, ImageReadOptions.USUAL);
  }

  /// The same, the images of a folder read in this way.
  static Data open(String spec, ImageReadOptions reading) {
    if (spec.startsWith(TEXT)) {
      return Text.open(spec);
    }
    return MaskSet.isNamedBy(spec) ? MaskSet.open(spec) : DataSet.open(spec, reading);
  }
}
