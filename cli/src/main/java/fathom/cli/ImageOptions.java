package fathom.cli;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.FolderSummary;
import fathom.data.ImageReadOptions;
import fathom.data.Manifest;
import java.util.List;
import picocli.CommandLine.Option;

/// The options for how the images of a folder are read, and the messages about files that cannot be
/// read.
final class ImageOptions {
  /// The number of skipped files that a message names.
  private static final int NAMED = 3;

  private static final int MOST_NOTICES = 6;

  @OnResume
  @Rare
  @Option(
      names = "--strict",
      description = "Ends at a file that cannot be decoded, which is skipped otherwise.")
  private boolean strict;

  @OnResume
  @Rare
  @Option(
      names = "--no-cache",
      description =
          "Reads the header of every image anew. Otherwise what the files' headers say is "
              + "kept in $FATHOM_CACHE, or in the user's cache folder, and looked up for files that "
              + "are unchanged.")
  private boolean noCache;

  /// Returns the image read options, with images of `size`×`size` pixels where the data is a folder
  /// of images.
  ImageReadOptions of(int size) {
    return new ImageReadOptions(size, strict)
        .cachedIn(noCache ? null : Manifest.place(System::getenv));
  }

  /// Prints what was passed over in the folder, and how many files were skipped with the first
  /// [#NAMED] of them. From now on, a damaged image is reported when it is found.
  static void tell(Data of, Output output) {
    if (!(of instanceof DataSet data)) {
      return;
    }
    FolderSummary summary = data.summary();
    if (summary == null) {
      return; // only a folder of images has anything to report
    }
    summary.notices().stream()
        .limit(MOST_NOTICES)
        .forEach(notice -> output.remark("fathom: " + notice));
    if (summary.notices().size() > MOST_NOTICES) {
      output.remark(
          "fathom: and %s more such; fathom data info %s lists them"
              .formatted(summary.notices().size() - MOST_NOTICES, data.name()));
    }
    tell(
        "skipped %s that cannot be decoded (--strict refuses them):",
        summary.skipped(), data, output);
    tell(
        "in place of %s that cannot be decoded another of its class is seen (--strict refuses"
            + " them):",
        summary.damaged(), data, output);
    data.onDamage(damaged ->
        output.remark(
            "fathom: %s; another image of its class is seen in its place"
                .formatted(damaged.why())));
  }

  private static void tell(
      String text, List<FolderSummary.Skipped> files, DataSet data, Output output) {
    int count = files.size();
    if (count == 0) {
      return;
    }
    output.remark("fathom: " + text.replace("%s", count == 1 ? "1 file" : count + " files"));
    files.stream().limit(NAMED).forEach(skipped -> output.remark("  " + skipped.why()));
    if (count > NAMED) {
      output.remark(
          "  and %s more; fathom data info %s lists them".formatted(count - NAMED, data.name()));
    }
  }
}
