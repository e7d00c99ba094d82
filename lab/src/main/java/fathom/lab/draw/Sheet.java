package fathom.lab.draw;

import fathom.data.Images;
import fathom.data.Png;
import java.util.Arrays;

/// Small images in rows of eight as one PNG file for the report, with a grey line around each.
final class Sheet {
  private static final int COLUMNS = 8;
  private static final byte LINE = (byte) 128;

  private Sheet() {}

  /// @param ones the probability that a pixel is 1, which is white, of all images, row by row
  static byte[] of(double[] ones, int height, int width) {
    int count = ones.length / (height * width);
    int rows = Math.ceilDiv(count, COLUMNS);
    int across = COLUMNS * (width + 1) + 1;
    byte[] sheet = new byte[(rows * (height + 1) + 1) * across];
    Arrays.fill(sheet, LINE);
    for (int i = 0; i < ones.length; i++) {
      int image = i / (height * width);
      int y = image / COLUMNS * (height + 1) + 1 + i / width % height;
      int x = image % COLUMNS * (width + 1) + 1 + i % width;
      sheet[y * across + x] = (byte) Math.round(255 * ones[i]);
    }
    return Png.of(new Images(1, sheet.length / across, across, sheet, new int[1]), 0);
  }
}
