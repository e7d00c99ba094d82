package fathom.data;

/// How weights from elsewhere see images in tests: the shorter side is scaled to `shorter` pixels
/// by a filter, and the centre is cropped. Pixels outside of the centre count where the filter
/// reaches them, as if the whole image had been scaled first; in Fathom's own tests ([Photos]) they
/// do not.
///
/// @param shorter the length in pixels of the shorter side before the crop
/// @param filter the filter
public record CentreCrop(int shorter, Filter filter) {
  private static final int LARGEST = 1 << 16;

  /// Throws `IllegalArgumentException` if the side is out of range.
  public CentreCrop {
    if (shorter < 1 || shorter > LARGEST) {
      throw new IllegalArgumentException(
          "the shorter side of an image is scaled to 1 to %s pixels, but was to be %s"
              .formatted(LARGEST, shorter));
    }
  }

  /// Returns the crop of `side` pixels that sees this share of the shorter side, which becomes
  /// ⌊side/share⌋ as in timm.
  public static CentreCrop of(int side, double share, Filter filter) {
    return new CentreCrop((int) Math.floor(side / share), filter);
  }
}
