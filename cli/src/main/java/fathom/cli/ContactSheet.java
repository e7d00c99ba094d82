package fathom.cli;

import fathom.data.Images;
import fathom.data.LabelledImages;
import java.awt.image.BufferedImage;
import java.util.stream.IntStream;

/// Draws the first images of each class as one image, with a row for each class. Images with sides
/// below 48 pixels are enlarged by a whole factor.
final class ContactSheet {
  /// The largest number of classes that have a row.
  static final int ROWS = 100;

  private static final int COLUMNS = 12;
  private static final int GAP = 2;
  private static final int LEAST_SIDE = 48;
  private static final int WHITE = 0xffffff;

  private ContactSheet() {}

  static BufferedImage of(LabelledImages all, int classes) {
    int rows = Math.min(classes, ROWS);
    Images images = all.select(shown(all, rows)).images();
    int zoom = Math.max(1, LEAST_SIDE / Math.max(images.height(), images.width()));
    int height = images.height() * zoom;
    int width = images.width() * zoom;
    var sheet =
        new BufferedImage(
            COLUMNS * (width + GAP) + GAP, rows * (height + GAP) + GAP, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < sheet.getHeight(); y++) {
      for (int x = 0; x < sheet.getWidth(); x++) {
        sheet.setRGB(x, y, WHITE);
      }
    }
    int[] shown = new int[rows];
    for (int i = 0; i < images.count(); i++) {
      int row = images.labels()[i];
      int left = GAP + shown[row]++ * (width + GAP);
      int top = GAP + row * (height + GAP);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          sheet.setRGB(left + x, top + y, rgb(images, i, y / zoom, x / zoom));
        }
      }
    }
    return sheet;
  }

  /// Returns the indices of the first images of each of the first classes.
  private static int[] shown(LabelledImages images, int rows) {
    int[] counts = new int[rows];
    int[] labels = images.labels();
    return IntStream.range(0, labels.length)
        .filter(i -> labels[i] < rows && counts[labels[i]]++ < COLUMNS)
        .toArray();
  }

  private static int rgb(Images images, int image, int y, int x) {
    int rgb = 0;
    for (int c = 0; c < 3; c++) {
      int channel = Math.min(c, images.channels() - 1);
      int at = image * images.size() + (channel * images.height() + y) * images.width() + x;
      rgb = rgb << 8 | Byte.toUnsignedInt(images.pixels()[at]);
    }
    return rgb;
  }
}
