package fathom.cli;

import fathom.RandomKey;
import fathom.data.Images;
import fathom.data.LabelledImages;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.run.Preprocessing;
import fathom.run.Variation;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
    return of(all.select(shown(all, rows)).images(), rows);
  }

  /// Draws the same images as a training sees them, with the crops and flips that the convolutional
  /// nets have. Every column is a batch, whose images are mixed with one another.
  static BufferedImage varied(
      LabelledImages all, int classes, Normalization normalization, Variation variation) {
    int rows = Math.min(classes, ROWS);
    LabelledImages chosen = all.select(shown(all, rows));
    var loader = new Loader(chosen, normalization);
    Preprocessing how = Preprocessing.usual(chosen, false).with(variation);
    var drawn = new ArrayList<Images>();
    for (int[] column : columns(chosen.labels(), rows)) {
      RandomKey key = RandomKey.of(1, "sheet").at(drawn.size());
      int[] order = Arrays.stream(key.permutation(column.length)).map(i -> column[i]).toArray();
      drawn.add(
          loader.shown(
              new Loader.Batch(order, new Rows(0, order.length), how.augmentation(), key),
              variation.mixing().of(key, chosen.height(), chosen.width())));
    }
    return of(Images.joined(drawn), rows);
  }

  /// Returns the positions of the first images of each class, those of the second ones, and so on.
  private static List<int[]> columns(int[] labels, int rows) {
    int[] counts = new int[rows];
    int[] column = Arrays.stream(labels).map(label -> counts[label]++).toArray();
    return IntStream.range(0, COLUMNS)
        .mapToObj(c -> IntStream.range(0, labels.length).filter(i -> column[i] == c).toArray())
        .filter(positions -> positions.length > 0)
        .toList();
  }

  private static BufferedImage of(Images images, int rows) {
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
