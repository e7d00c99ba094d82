package fathom.data;

import java.util.Arrays;

/// A text as streams of equal length side by side, which are read one window at a time: the state
/// of a net at the end of a window is its state at the start of the next one.
///
/// Stream s of S streams reads the characters s·L to s·L + L − 1, where L is ⌊(length − 1) / S⌋,
/// and at each of them the next one is to be predicted; up to S − 1 characters at the end are left
/// out. The L places are divided into as few windows of at most `window` as possible, whose lengths
/// differ by at most one.
///
/// @param text the characters as places in a vocabulary
/// @param count the number of streams: S
/// @param window the most characters that a stream reads at a time
public record Streams(int[] text, int count, int window) {
  /// Throws `IllegalArgumentException` if `count` or `window` is less than 1, or if the text has no
  /// more characters than there are streams.
  public Streams {
    if (count < 1 || window < 1 || text.length <= count) {
      throw new IllegalArgumentException(
          "streams and windows are at least 1, and every stream predicts a character, but there are %s streams with windows of %s and %s characters"
              .formatted(count, window, text.length));
    }
  }

  /// Returns the number of characters that each stream reads: L.
  public int length() {
    return (text.length - 1) / count;
  }

  /// Returns the number of windows.
  public int windows() {
    return Math.ceilDiv(length(), window);
  }

  /// Returns the places that every stream reads in window `i`, counted from 0. Throws
  /// `IllegalArgumentException` if there is no such window.
  public Rows window(int i) {
    if (i < 0 || i >= windows()) {
      throw new IllegalArgumentException(
          "there are the windows 0 to %s, but %s was asked for".formatted(windows() - 1, i));
    }
    return new Rows(0, length()).share(i, windows());
  }

  /// Returns the characters that the streams `of` read at `places`: T×N.
  public int[][] read(Rows places, Rows of) {
    return at(places, of, 0);
  }

  /// Returns the characters that the same streams are to predict there, which are the following
  /// ones: T×N in row-major order.
  public int[] next(Rows places, Rows of) {
    int[] next = new int[places.count() * of.count()];
    int i = 0;
    for (int[] row : at(places, of, 1)) {
      System.arraycopy(row, 0, next, i, row.length);
      i += row.length;
    }
    return next;
  }

  private int[][] at(Rows places, Rows of, int offset) {
    int[][] read = new int[places.count()][of.count()];
    for (int t = 0; t < read.length; t++) {
      for (int n = 0; n < of.count(); n++) {
        read[t][n] = text[(of.from() + n) * length() + places.from() + t + offset];
      }
    }
    return read;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Streams other
        && count == other.count
        && window == other.window
        && Arrays.equals(text, other.text);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Arrays.hashCode(text) + count) + window;
  }

  @Override
  public String toString() {
    return "%s streams of %s in windows of %s".formatted(count, length(), window);
  }
}
