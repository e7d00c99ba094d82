package fathom.data;

import java.nio.file.Path;
import java.util.List;

/// The outlines of one image as several people have drawn them independently. A benchmark compares
/// predictions with each of them, while [MaskSet] has the outlines of all people in one mask.
///
/// @param drawn for each person, H×W labels in row-major order: 1 where there is an outline,
///   otherwise 0
public record Outlines(int height, int width, List<byte[]> drawn) {
  /// Copies the list, but not the arrays in it.
  public Outlines {
    drawn = List.copyOf(drawn);
  }

  /// Reads a `.mat` file of BSDS500. Throws [fathom.io.BadFileException] if the file is not in that
  /// form, and [fathom.DeviceException] if the heap is too small for it.
  public static Outlines of(Path file) {
    return MaskFile.drawings(file);
  }
}
