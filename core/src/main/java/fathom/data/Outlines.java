package fathom.data;

import java.nio.file.Path;
import java.util.List;

/// The outlines of one image as several people have drawn them, each for himself: what a benchmark
/// compares with, where [MaskSet] has the outlines of all of them in one mask.
///
/// @param drawn of each person H×W labels in row-major order, 1 where there is an outline, else 0
public record Outlines(int height, int width, List<byte[]> drawn) {
  public Outlines {
    drawn = List.copyOf(drawn);
  }

  /// Reads a `.mat` file of BSDS500. Throws [fathom.io.BadFileException] if it is none.
  public static Outlines of(Path file) {
    return MaskFile.drawings(file);
  }
}
