package fathom.data;

import fathom.RandomKey;

/// The order in which a run visits its images: every epoch visits each image once, in an order of
/// its own, in batches of one size. The last batch of an epoch may be smaller.
///
/// @param seed the run's seed, which together with the epoch's number decides order and
///   augmentation
/// @param count the number of images
/// @param batchSize the number of images in a batch, over all workers
public record Epochs(long seed, int count, int batchSize) {
  /// Throws `IllegalArgumentException` if `count` or `batchSize` is less than 1.
  public Epochs {
    if (count < 1 || batchSize < 1) {
      throw new IllegalArgumentException(
          "an epoch needs at least one image and batches of at least one, but there are %s in batches"
                  .formatted(count)
              + " of %s".formatted(batchSize));
    }
  }

  /// Returns the number of batches in an epoch.
  public int batches() {
    return Math.ceilDiv(count, batchSize);
  }

  /// Returns the indices of the images in the order in which epoch `epoch` visits them.
  public int[] order(long epoch) {
    return RandomKey.of(seed, "order").at(epoch).permutation(count);
  }

  /// Returns the random key of epoch `epoch` that [Loader#fill] draws the augmentation from.
  public RandomKey augment(long epoch) {
    return RandomKey.of(seed, "augment").at(epoch);
  }

  /// Returns the random key of a batch of epoch `epoch` that [Mixing] draws from.
  public RandomKey mixing(long epoch, int batch) {
    return RandomKey.of(seed, "mixing").at(epoch).at(batch);
  }

  /// Returns the rows of [#order] that form batch `batch` of an epoch, counted from 0. Throws
  /// `IllegalArgumentException` if there is no such batch.
  public Rows batch(int batch) {
    if (batch < 0 || batch >= batches()) {
      throw new IllegalArgumentException(
          "an epoch has the batches 0 to %s, but %s was asked for".formatted(batches() - 1, batch));
    }
    int from = batch * batchSize;
    return new Rows(from, from + Math.min(batchSize, count - from));
  }
}
