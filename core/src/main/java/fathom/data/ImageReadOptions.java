package fathom.data;

import fathom.Shape;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// How the images of a folder are read; other data is not concerned.
///
/// @param size the side of the squares as which they are decoded from their files each time they
///   are used; 0 to keep them in memory, in the size that all have, or else as 32×32
/// @param strict whether a file that cannot be decoded is fatal; otherwise it is left out
/// @param split how a folder without a part for testing is divided
/// @param whole whether every file is decoded when the folder is opened, and not its header read
///   alone; strict reading does so too
/// @param tested the shape C×H×W of the images of a run whose data is only tested with: then no
///   file for training or validation is opened, and there are no such images where they would be in
///   memory; null for data of which all is used
/// @param cache the folder where [Manifest]s are kept; null for none
/// @param watcher is told how far the opening is
public record ImageReadOptions(
    int size,
    boolean strict,
    Split split,
    boolean whole,
    @Nullable Shape tested,
    @Nullable Path cache,
    Watcher watcher) {
  /// Which fifth of the images of a class is for testing, where no folder says so.
  public enum Split {
    /// Drawn by the position of an image in its class: an image more moves others. Runs up to
    /// format 6 were trained so.
    BY_POSITION,
    /// Drawn by the name of each image: one more moves no other, or one in a small class. Images
    /// for validation are drawn by position, as the first runs of format 7 have them.
    BY_NAME,
    /// Images for validation are drawn by their names, too.
    ALL_BY_NAME
  }

  /// Sees how many of the files have been looked at; by any thread.
  @FunctionalInterface
  public interface Watcher {
    void at(long files, long of);
  }

  /// In memory; what cannot be decoded is left out.
  public static final ImageReadOptions USUAL = new ImageReadOptions(0, false);

  /// An image of this side and three channels has 48 MB.
  private static final int LARGEST = 4096;

  /// Divided by name.
  public ImageReadOptions(int size, boolean strict) {
    this(size, strict, Split.ALL_BY_NAME);
  }

  /// Without a cache.
  public ImageReadOptions(int size, boolean strict, Split split) {
    this(size, strict, split, false, null, null, (files, of) -> {});
  }

  public ImageReadOptions {
    if (size < 0 || size > LARGEST) {
      throw new IllegalArgumentException(
          "photos are decoded to 1 to %s pixels a side, but `size` is %s".formatted(LARGEST, size));
    }
  }

  /// The same in this size and divided so, which is a run's to say.
  public ImageReadOptions of(int size, Split split) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }

  /// The same for images of a run, of this shape C×H×W, which are only tested with.
  public ImageReadOptions forTests(Shape tested) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }

  /// The same, every file decoded once.
  public ImageReadOptions decodingAll(Watcher watcher) {
    return new ImageReadOptions(size, strict, split, true, tested, cache, watcher);
  }

  /// The same with manifests in this folder; null for none.
  public ImageReadOptions cachedIn(@Nullable Path cache) {
    return new ImageReadOptions(size, strict, split, whole, tested, cache, watcher);
  }
}
