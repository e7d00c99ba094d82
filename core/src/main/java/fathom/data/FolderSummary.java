package fathom.data;

import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/// The summary of a folder of images, made before the images were scaled to one size.
///
/// @param formats the number of images of each format, by its name: `jpeg`, `png`, ...
/// @param smallest the size, as a viewer shows it, of the image with the fewest pixels
/// @param median the size of the image in the middle of the order by number of pixels
/// @param largest the size of the image with the most pixels
/// @param skipped the files that were left out because they cannot be decoded
/// @param others the number of files that were not opened because their extension says that they
///   are no images, by extension
/// @param notices sentences about anything else that was ignored, and about classes that lack
///   images
/// @param damaged the files that belong to the data by their headers but are known not to be
///   decodable; another image of their class is used in their place, see [Photos]
public record FolderSummary(
    SequencedMap<String, Integer> formats,
    Size smallest,
    Size median,
    Size largest,
    List<Skipped> skipped,
    SequencedMap<String, Integer> others,
    List<String> notices,
    List<Skipped> damaged) {
  /// Copies the lists.
  public FolderSummary {
    notices = List.copyOf(notices);
    damaged = List.copyOf(damaged);
    skipped = List.copyOf(skipped);
  }

  /// Returns this summary with one more notice.
  FolderSummary with(String notice) {
    var more = new ArrayList<>(notices);
    more.add(notice);
    return new FolderSummary(formats, smallest, median, largest, skipped, others, more, damaged);
  }

  /// The size of an image, in pixels.
  public record Size(int width, int height) {
    long pixels() {
      return (long) width * height;
    }

    @Override
    public String toString() {
      return width + "×" + height;
    }
  }

  /// A file that was left out.
  ///
  /// @param why the reason, which includes the name of the file
  public record Skipped(String file, String why) {}
}
