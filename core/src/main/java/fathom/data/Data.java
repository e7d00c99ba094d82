package fathom.data;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a net can be trained on.
public sealed interface Data permits DataSet, Text {
  String TEXT = "text:";

  /// What the user called it.
  String name();

  /// What tells whether other data is this.
  DataIdentity identity();

  /// The file or folder that it was read from, absolute; null for what comes with Fathom or was
  /// made in memory.
  @Nullable Path place();

  /// Whether `spec` names a text, and not pictures.
  static boolean isText(String spec) {
    return spec.startsWith(TEXT);
  }

  /// Reads the data that `spec` names: `text:FILE`, or what [DataSet#open] understands. Throws
  /// `IllegalArgumentException` for a name that means nothing here and [fathom.BadFileException]
  /// for a file that is missing or whose content is not what it should be.
  static Data open(String spec) {
    return open(spec, Reading.USUAL);
  }

  /// The same, the pictures of a folder read in this way.
  static Data open(String spec, Reading reading) {
    return isText(spec) ? Text.open(spec) : DataSet.open(spec, reading);
  }
}
