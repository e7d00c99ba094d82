package fathom.task.mask;

import fathom.data.Images;
import fathom.data.MaskImage;
import fathom.data.Png;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Converts images and masks to PNG files for people to look at.
public final class Palette {
  private static final int SIDE = 240;
  private static final int UNLABELLED = 0x808080;

  /// Eight colours that people with any colour vision can tell apart (Okabe and Ito 2008). The
  /// first is that of the background. Classes beyond the eighth use the others again.
  private static final List<Integer> COLOURS =
      List.of(0x101820, 0xe69f00, 0x56b4e9, 0x009e73, 0xf0e442, 0x0072b2, 0xd55e00, 0xcc79a7);

  private static final List<String> NAMES =
      List.of("dark", "orange", "sky blue", "green", "yellow", "blue", "vermilion", "purple");

  private Palette() {}

  private static int of(int label) {
    return label == 0 ? 0 : 1 + (label - 1) % (COLOURS.size() - 1);
  }

  /// The colours of classes in words, for example `dark for background, orange for outline`.
  static String names(List<String> classes) {
    return IntStream.range(0, classes.size())
        .mapToObj(label -> NAMES.get(of(label)) + " for " + classes.get(label))
        .collect(Collectors.joining(", "));
  }

  /// Returns a mask of H×W labels as the bytes of a PNG file whose palette indices are the labels.
  public static byte[] indexed(int height, int width, byte[] labels) {
    byte[][] parts = new byte[3][256];
    for (int label = 0; label < 256; label++) {
      int colour = label > Byte.MAX_VALUE ? UNLABELLED : COLOURS.get(of(label));
      for (int part = 0; part < 3; part++) {
        parts[part][label] = (byte) (colour >> (16 - 8 * part));
      }
    }
    var image =
        new BufferedImage(
            width,
            height,
            BufferedImage.TYPE_BYTE_INDEXED,
            new IndexColorModel(8, 256, parts[0], parts[1], parts[2]));
    image.getRaster().setDataElements(0, 0, width, height, labels);
    return Png.of(image);
  }

  static byte[] image(MaskImage image) {
    return Png.small(
        new Images(image.channels(), image.height(), image.width(), image.pixels(), new int[1]),
        0,
        SIDE);
  }

  /// The PNG file of a mask that has the size of this image.
  static byte[] mask(MaskImage image, byte[] mask) {
    int plane = mask.length;
    byte[] pixels = new byte[3 * plane];
    for (int i = 0; i < plane; i++) {
      int colour = mask[i] == MaskImage.UNLABELLED ? UNLABELLED : COLOURS.get(of(mask[i]));
      pixels[i] = (byte) (colour >> 16);
      pixels[plane + i] = (byte) (colour >> 8);
      pixels[2 * plane + i] = (byte) colour;
    }
    return Png.small(new Images(3, image.height(), image.width(), pixels, new int[1]), 0, SIDE);
  }
}
