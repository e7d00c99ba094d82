package fathom.lab.ledger;

import java.util.Base64;
import java.util.List;
import java.util.SequencedMap;

/// Images that are shown side by side.
///
/// @param title what the images show
/// @param images the images in their order
public record ImageRow(String title, List<Image> images) {
  /// An image under its caption. It is kept as text, so that a finding equals the one that is read
  /// from its file.
  ///
  /// @param caption the text below the image
  /// @param png a PNG file in base 64
  public record Image(String caption, String png) {
    /// The beginning of every PNG file in base 64.
    private static final String BEGINS = "iVBORw0KGgo";

    /// Checks the text. Throws `IllegalArgumentException` if it is no PNG file in base 64.
    public Image {
      Base64.getDecoder().decode(png);
      if (!png.startsWith(BEGINS)) {
        throw new IllegalArgumentException(
            "an image of a finding is a PNG file in base 64, but \"%s\" begins otherwise"
                .formatted(caption));
      }
    }

    /// Returns the bytes of the PNG file.
    public byte[] bytes() {
      return Base64.getDecoder().decode(png);
    }
  }

  /// Copies the list of images.
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
