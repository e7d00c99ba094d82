package fathom.data;

/// How the pictures of a folder are read; other data is not concerned.
///
/// @param size the side of the squares as which they are decoded from their files each time they
///   are used; 0 to keep them in memory, in the size that all have, or else as 32×32
/// @param strict whether a file that cannot be decoded is fatal; otherwise it is left out
/// @param split how a folder without a part for testing is divided
public record Reading(int size, boolean strict, Split split) {
  /// Which fifth of the images of a class is for testing, where no folder says so.
  public enum Split {
    /// Drawn by the position of an image in its class: an image more moves others. Runs up to
    /// format 6 were trained so.
    BY_POSITION,
    /// Drawn by the name of each image: one more moves no other, or one in a small class.
    BY_NAME
  }

  /// In memory; what cannot be decoded is left out.
  public static final Reading USUAL = new Reading(0, false);

  /// A picture of this side and three channels has 48 MB.
  private static final int LARGEST = 4096;

  /// Divided by name.
  public Reading(int size, boolean strict) {
    this(size, strict, Split.BY_NAME);
  }

  public Reading {
    if (size < 0 || size > LARGEST) {
      throw new IllegalArgumentException(
          "photographs are decoded to 1 to %s pixels a side, but --size is %s"
              .formatted(LARGEST, size));
    }
  }
}
