package fathom.data;

import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/// What was found in a folder of images before they were brought to one size.
///
/// @param formats how many of the images have each format, by its name: `jpeg`, `png`, ...
/// @param smallest of the images as a viewer shows them, by their number of pixels; the median is
///   the one in the middle
/// @param skipped the files that were left out because they cannot be decoded
/// @param others how many files were not looked at because their extension says that they are no
///   images, by extension
/// @param notices sentences about what else was passed over, and about classes that lack images
/// @param damaged files that belong to the data by their headers and are known not to be decoded:
///   in their place another image of their class is seen, see [Photos]
public record FolderSummary(
    SequencedMap<String, Integer> formats,
    Size smallest,
    Size median,
    Size largest,
    List<Skipped> skipped,
    SequencedMap<String, Integer> others,
    List<String> notices,
    List<Skipped> damaged) {
  public FolderSummary {
    notices = List.copyOf(notices);
    damaged = List.copyOf(damaged);
    skipped = List.copyOf(skipped);
  }

  /// With one sentence more.
  FolderSummary with(String notice) {
    var more = new ArrayList<>(notices);
    more.add(notice);
    return new FolderSummary(formats, smallest, median, largest, skipped, others, more, damaged);
  }

  /// Of an image, in pixels.
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
  /// @param why with the name of the file
  public record Skipped(String file, String why) {}
}
