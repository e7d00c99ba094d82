package fathom.data;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The data that a net can be trained on: a [DataSet] of labelled images, a [MaskSet] or a [Text].
public interface Data {
  /// The prefix that marks a specification of data as the path of a text.
  String TEXT = "text:";

  /// The specification by which the user named the data, for example `digits` or `text:FILE`.
  String name();

  /// Returns the counts and fingerprints that tell whether other data is the same as this.
  DataIdentity identity();

  /// The absolute path of the file or folder that the data was read from; null for data that comes
  /// with Fathom or was made in memory.
  @Nullable Path place();

  /// The names of the classes, in the order of a net's outputs; for a text, its characters.
  List<String> classes();

  /// The channels, height and width of an image as training sees it; empty for text.
  List<Integer> input();

  /// Returns the word before the path in a specification of data, with its colon, such as
  /// `images:`; empty if there is none.
  static String prefix(String spec) {
    return Stream.of(TEXT, DataSet.IMAGES, DataSet.SHARDS, MaskSet.PREFIX)
        .filter(spec::startsWith)
        .findFirst()
        .orElse("");
  }

  /// Reads the data that `spec` names: `text:FILE`, `masks:DIR`, or any name that [DataSet#open]
  /// understands. Throws `IllegalArgumentException` for an unknown name, and
  /// [fathom.io.BadFileException] for a file that is missing or whose content is not as expected.
  static Data open(String spec) {
    return open(spec, ImageReadOptions.USUAL);
  }

  /// Does the same as [#open(String)], with the options by which the images of a folder are read.
  static Data open(String spec, ImageReadOptions reading) {
    if (spec.startsWith(TEXT)) {
      return Text.open(spec);
    }
    return MaskSet.isNamedBy(spec) ? MaskSet.open(spec) : DataSet.open(spec, reading);
  }
}
