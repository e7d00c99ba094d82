package fathom.lab.ledger;

import java.util.Base64;
import java.util.List;
import java.util.SequencedMap;

/// Images that are looked at side by side.
///
/// @param title what they are of
public record ImageRow(String title, List<Image> images) {
  /// An image under its caption. It is text, so that a finding is equal to what its file gives.
  ///
  /// @param png a PNG file in base 64
  public record Image(String caption, String png) {
    /// The signature that every PNG file begins with.
    private static final String BEGINS = "iVBORw0KGgo";

    /// Throws `IllegalArgumentException` for what is no base 64 of a PNG file.
    public Image {
      Base64.getDecoder().decode(png);
      if (!png.startsWith(BEGINS)) {
        throw new IllegalArgumentException(
            "an image of a finding is a PNG file in base 64, but \"%s\" begins otherwise"
                .formatted(caption));
      }
    }

    /// The bytes of the PNG file.
    public byte[] bytes() {
      return Base64.getDecoder().decode(png);
    }
  }

  public ImageRow {
    images = List.copyOf(images);
  }

  static ImageRow of(String title, SequencedMap<String, byte[]> byCaption) {
    return new ImageRow(
        title,
        byCaption.entrySet().stream()
            .map(e -> new Image(e.getKey(), Base64.getEncoder().encodeToString(e.getValue())))
            .toList());
  }
}
