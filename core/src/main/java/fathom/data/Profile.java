package fathom.data;

import java.nio.charset.StandardCharsets;

/// Reads the head of a colour profile (ICC.1:2010, section 7.2): its size, the colour space that it
/// is for at offset 16, and its signature at offset 36.
final class Profile {
  private static final int HEAD = 128;

  private Profile() {}

  /// Returns whether this is the beginning of a profile for such a colour space, for example `RGB
  /// `.
  static boolean isFor(byte[] start, String colours) {
    return start.length >= HEAD
        && text(start, 36).equals("acsp")
        && text(start, 16).equals(colours);
  }

  private static String text(byte[] bytes, int at) {
    return new String(bytes, at, 4, StandardCharsets.ISO_8859_1);
  }
}
