package fathom.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/// The data set `digits`: 1797 handwritten digits of 8×8 pixels, embedded so that a net can be
/// trained at once and without a network connection.
///
/// They are the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C.
/// Kaynak, UCI Machine Learning Repository, CC BY 4.0). A value counts the inked cells of a 4×4
/// block of the scanned digit, 0 to 16, and becomes `round(value·255/16)`.
///
/// The images are in their original order, grouped by writer (13 writers with some 130 digits
/// each). The first 1437 are for training and the last 360 for testing, so most test digits are by
/// writers whom training has not seen; of the writer at the boundary, 22 digits are in the training
/// part.
///
/// The resource is the gzip of 1797 records: the label, then the 64 values row by row, one byte
/// each.
final class Digits {
  private static final int COUNT = 1797;
  private static final int TRAIN = 1437;
  private static final int SIDE = 8;

  private Digits() {}

  static DataSet read() {
    byte[] records = records();
    return new DataSet(
        "digits",
        List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
        images(records, 0, TRAIN),
        images(records, TRAIN, COUNT));
  }

  private static Images images(byte[] records, int from, int to) {
    int size = SIDE * SIDE;
    byte[] pixels = new byte[(to - from) * size];
    int[] labels = new int[to - from];
    for (int i = 0; i < labels.length; i++) {
      int record = (from + i) * (size + 1);
      labels[i] = records[record];
      for (int p = 0; p < size; p++) {
        pixels[i * size + p] = (byte) Math.round(records[record + 1 + p] * 255 / 16f);
      }
    }
    return new Images(1, SIDE, SIDE, pixels, labels);
  }

  private static byte[] records() {
    try (InputStream in =
        new GZIPInputStream(
            Objects.requireNonNull(
                Digits.class.getResourceAsStream("digits.gz"),
                "digits.gz lies beside this class"))) {
      return in.readNBytes(COUNT * (SIDE * SIDE + 1));
    } catch (IOException e) {
      throw new UncheckedIOException("the embedded digits cannot be read; is the jar damaged?", e);
    }
  }
}
