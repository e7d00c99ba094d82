package fathom.data;

import fathom.Shape;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The options by which the images of a folder are read. They do not affect other data.
///
/// @param size the side in pixels, up to 4096, of the squares that images are decoded to each time
///   they are used; 0 keeps the images in memory, in their common size or else as 32×32
/// @param strict whether a file that cannot be decoded is an error; otherwise the file is left out
/// @param split how a folder without a part for testing is divided
/// @param whole whether every file is decoded when the folder is opened, instead of reading only
///   its header; strict reading of images that stay in their files does so too
/// @param tested the shape C×H×W of the images of a run whose data is only tested with; then no
///   file for training or validation is opened, and parts that would be in memory have no such
///   images. Null for data of which all is used
/// @param cache the folder where [Manifest]s are kept; null for none
/// @param watcher receives reports on the progress of opening the folder
public record ImageReadOptions(
    int size,
    boolean strict,
    Split split,
    boolean whole,
    @Nullable Shape tested,
    @Nullable Path cache,
    Watcher watcher) {
  /// The rule that chooses which fifth of the images of a class is for testing, where no folder
  /// says so.
  public enum Split {
    /// Draws by the position of an image in its class, so that one more image moves others. Runs up
    /// to format 6 were trained this way.
    BY_POSITION,
    /// Draws by the name of each image, so that one more image moves no other, or a single one in a
    /// small class. Images for validation are drawn by position, as in the first runs of format 7.
    BY_NAME,
    /// Draws test images as [#BY_NAME] does, and images for validation by their names, too.
    ALL_BY_NAME
  }

  /// Receives reports on how many files have been looked at. Any thread may call it.
  @FunctionalInterface
  public interface Watcher {
    /// Reports that `files` of the `of` files have been looked at.
    void at(long files, long of);
  }

  /// The default options: images are kept in memory, and files that cannot be decoded are left out.
  public static final ImageReadOptions USUAL = new ImageReadOptions(0, false);

  /// The largest side; an image of this side with three channels takes 48 MB.
  private static final int LARGEST = 4096;

  /// Makes options with a split by name.
  public ImageReadOptions(int size, boolean strict) {
    this(size, strict, Split.ALL_BY_NAME);
  }

  /// Makes options without a cache.
  public ImageReadOptions(int size, boolean strict, Split split) {
    this(size, strict, split, false, null, null, (files, of) -> {});
  }

  /// Throws `IllegalArgumentException` if `size` is out of range.
  public ImageReadOptions {
    if (size < 0 || size > LARGEST) {
      throw new IllegalArgumentException(
          "photos are decoded to 1 to %s pixels a side, but `size` is %s".formatted(LARGEST, size));
    }
  }

  /// Returns these options with another size and split, which belong to a run.
  public ImageReadOptions of(int size, Split split) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }

  /// Returns these options for data that is only tested with, by a run whose images have the shape
  /// C×H×W.
  public ImageReadOptions forTests(Shape tested) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }

  /// Returns these options such that every file is decoded once when the folder is opened;
  /// `watcher` receives the reports.
  public ImageReadOptions decodingAll(Watcher watcher) {
    return new ImageReadOptions(size, strict, split, true, tested, cache, watcher);
  }

  /// Returns these options with manifests in this folder; null stands for no manifests.
  public ImageReadOptions cachedIn(@Nullable Path cache) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }
}
