package fathom.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The transformation from an image as it is stored to the image as it is displayed: first rows and
/// columns are exchanged if it is `transposed`, then it is mirrored left to right, then top to
/// bottom. Cameras record it as a number from 1 to 8 (Exif 2.32, tag 0x0112).
record Orientation(boolean transposed, boolean mirrored, boolean upsideDown) {
  static final Orientation UPRIGHT = new Orientation(false, false, false);

  private static final List<Orientation> BY_NUMBER =
      List.of(
          UPRIGHT,
          new Orientation(false, true, false),
          new Orientation(false, true, true),
          new Orientation(false, false, true),
          new Orientation(true, false, false),
          new Orientation(true, true, false),
          new Orientation(true, true, true),
          new Orientation(true, false, true));

  private static final int TAG = 0x0112;
  private static final int ENTRY = 12;

  /// The size of each type that is a whole number. Programs write the orientation as a number of
  /// any size, not only as the standard's two bytes.
  private static final int[] BYTES = {0, 1, 0, 2, 4, 0, 1, 0, 2, 4};

  /// A rectangle in an image, in pixels.
  record Box(double left, double top, double width, double height) {}

  /// Returns the part of the stored image that is displayed at `seen`, in an image that is
  /// displayed as `width`×`height`.
  Box stored(Box seen, int width, int height) {
    double left = mirrored ? width - seen.left - seen.width : seen.left;
    double top = upsideDown ? height - seen.top - seen.height : seen.top;
    return transposed
        ? new Box(top, left, seen.height, seen.width)
        : new Box(left, top, seen.width, seen.height);
  }

  /// Reads the orientation from the content of an Exif block, which is a TIFF file, perhaps after
  /// the word Exif and two zeros. Returns null if there is none that can be understood.
  ///
  /// A TIFF header says where the first directory is. A directory has the number of its entries,
  /// then for each its tag, type, count and value. Only the entry of the orientation is read, so
  /// damage to others does not matter.
  static @Nullable Orientation ofExif(byte[] exif) {
    int start = exif.length > 4 && new String(exif, 0, 4, ISO_8859_1).equals("Exif") ? 6 : 0;
    if (exif.length < start + 8) {
      return null;
    }
    boolean little = exif[start] == 'I';
    long at = start + number(exif, start + 4, 4, little);
    if (at + 2 > exif.length) {
      return null;
    }
    int count = (int) number(exif, (int) at, 2, little);
    for (long entry = at + 2;
        entry < at + 2 + (long) count * ENTRY && entry + ENTRY <= exif.length;
        entry += ENTRY) {
      if (number(exif, (int) entry, 2, little) == TAG) {
        int type = (int) number(exif, (int) entry + 2, 2, little);
        int bytes = type > 0 && type < BYTES.length ? BYTES[type] : 0;
        long number = number(exif, (int) entry + 8, bytes, little);
        return number >= 1 && number <= 8 ? BY_NUMBER.get((int) number - 1) : null;
      }
    }
    return null;
  }

  private static long number(byte[] bytes, int at, int count, boolean little) {
    long number = 0;
    for (int i = 0; i < count; i++) {
      number = (number << 8) | (bytes[at + (little ? count - 1 - i : i)] & 0xff);
    }
    return number;
  }
}
