package fathom.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How an image as it is stored becomes the image as it is seen: first its rows become columns if
/// it is `transposed`, then it is mirrored left to right, then top to bottom. Cameras say so by a
/// number from 1 to 8 (Exif 2.32, tag 0x0112).
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

  /// Of the types that are whole numbers: programs write it as a number of any size, not only as
  /// the standard's two bytes.
  private static final int[] BYTES = {0, 1, 0, 2, 4, 0, 1, 0, 2, 4};

  /// A place in an image, in pixels, and its size.
  record Box(double left, double top, double width, double height) {}

  /// The part of the stored image that is seen at `seen`, in an image that is seen as
  /// `width`×`height`.
  Box stored(Box seen, int width, int height) {
    double left = mirrored ? width - seen.left - seen.width : seen.left;
    double top = upsideDown ? height - seen.top - seen.height : seen.top;
    return transposed
        ? new Box(top, left, seen.height, seen.width)
        : new Box(left, top, seen.width, seen.height);
  }

  /// What the content of an Exif block says: a TIFF file, perhaps behind the word Exif and two
  /// zeros. Null where it says nothing that can be understood.
  ///
  /// A TIFF header says where the first directory is: the number of its entries, then for each its
  /// tag, type, count and value. Of the entries only this one is looked at, so that no damage to
  /// others matters.
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
