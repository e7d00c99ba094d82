package fathom.data;

import java.io.IOException;
import java.util.List;
import javax.imageio.stream.ImageInputStream;

/// How a picture as it is stored becomes the picture as it is seen: first its rows become columns
/// if it is `transposed`, then it is mirrored left to right, then top to bottom. Cameras say so by
/// a number from 1 to 8 (Exif 2.32, tag 0x0112).
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
  private static final int JPEG_START = 0xffd8;
  private static final int JPEG_SCAN = 0xffda;
  private static final int JPEG_EXIF = 0xffe1;
  private static final int MOST_BYTES = 1 << 16; // as many as a segment of a JPEG file has
  private static final int MOST_PARTS = 1000;

  /// A place in a picture, in pixels, and its size.
  record Box(double left, double top, double width, double height) {}

  /// The part of the stored picture that is seen at `seen`, in a picture that is seen as
  /// `width`×`height`.
  Box stored(Box seen, int width, int height) {
    double left = mirrored ? width - seen.left - seen.width : seen.left;
    double top = upsideDown ? height - seen.top - seen.height : seen.top;
    return transposed
        ? new Box(top, left, seen.height, seen.width)
        : new Box(left, top, seen.width, seen.height);
  }

  /// What the file says, in whose format that is; upright where it says nothing that can be
  /// understood. The stream is at any place, before and after.
  static Orientation of(ImageInputStream in, String format) throws IOException {
    return switch (format) {
      case "jpeg" -> ofJpeg(in);
      case "png" -> ofChunks(in, 8, "eXIf", false);
      case "webp" -> ofChunks(in, 12, "EXIF", true);
      default -> UPRIGHT;
    };
  }

  /// Segments follow one another: a mark of two bytes, then the length of the rest.
  private static Orientation ofJpeg(ImageInputStream in) throws IOException {
    in.seek(0);
    if (in.length() < 4 || in.readUnsignedShort() != JPEG_START) {
      return UPRIGHT;
    }
    for (int part = 0; part < MOST_PARTS && in.getStreamPosition() + 4 <= in.length(); part++) {
      int mark = in.readUnsignedShort();
      int length = in.readUnsignedShort() - 2;
      if (mark < 0xff00 || mark == JPEG_SCAN || length < 0) {
        return UPRIGHT;
      }
      long next = in.getStreamPosition() + length;
      if (mark == JPEG_EXIF && length > 6) {
        byte[] bytes = bytes(in, length);
        if (text(bytes, 4).equals("Exif")) {
          return ofTiff(bytes, 6);
        }
      }
      in.seek(next);
    }
    return UPRIGHT;
  }

  /// Chunks of PNG are length, name, content and checksum, those of WebP name, length and content,
  /// filled to even length.
  private static Orientation ofChunks(ImageInputStream in, int start, String wanted, boolean riff)
      throws IOException {
    long at = start;
    for (int part = 0; part < MOST_PARTS && at + 8 <= in.length(); part++) {
      in.seek(at);
      byte[] head = bytes(in, 8);
      String name = riff ? text(head, 4) : text(new byte[] {head[4], head[5], head[6], head[7]}, 4);
      long length = riff ? number(head, 4, 4, true) : number(head, 0, 4, false);
      if (name.equals(wanted)) {
        byte[] bytes = bytes(in, (int) Math.min(length, MOST_BYTES));
        // Some programs repeat the head that only JPEG needs.
        return ofTiff(bytes, text(bytes, 4).equals("Exif") ? 6 : 0);
      }
      at += 8 + length + (riff ? length & 1 : 4);
    }
    return UPRIGHT;
  }

  /// A TIFF header at `start` says where the first directory is: the number of its entries, then
  /// for each its tag, type, count and value.
  private static Orientation ofTiff(byte[] bytes, int start) {
    if (bytes.length < start + 8) {
      return UPRIGHT;
    }
    boolean little = bytes[start] == 'I';
    long at = start + number(bytes, start + 4, 4, little);
    if (at + 2 > bytes.length) {
      return UPRIGHT;
    }
    int count = (int) number(bytes, (int) at, 2, little);
    for (long entry = at + 2;
        entry < at + 2 + (long) count * ENTRY && entry + ENTRY <= bytes.length;
        entry += ENTRY) {
      if (number(bytes, (int) entry, 2, little) == TAG) {
        int number = (int) number(bytes, (int) entry + 8, 2, little);
        return number >= 1 && number <= 8 ? BY_NUMBER.get(number - 1) : UPRIGHT;
      }
    }
    return UPRIGHT;
  }

  /// At most `count` bytes: as many as there are.
  private static byte[] bytes(ImageInputStream in, int count) throws IOException {
    byte[] bytes = new byte[(int) Math.min(count, in.length() - in.getStreamPosition())];
    in.readFully(bytes);
    return bytes;
  }

  private static String text(byte[] bytes, int count) {
    var text = new StringBuilder();
    for (int i = 0; i < Math.min(count, bytes.length); i++) {
      text.append((char) (bytes[i] & 0xff));
    }
    return text.toString();
  }

  private static long number(byte[] bytes, int at, int count, boolean little) {
    long number = 0;
    for (int i = 0; i < count; i++) {
      number = (number << 8) | (bytes[at + (little ? count - 1 - i : i)] & 0xff);
    }
    return number;
  }
}
