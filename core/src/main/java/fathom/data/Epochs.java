package fathom.data;

import fathom.RandomKey;

/// How a run goes through its images: every epoch visits each of them once, in an order of its own,
/// in batches of one size; the last batch of an epoch may be smaller.
///
/// @param seed the run's seed: with the epoch's number it decides order and augmentation
/// @param count the number of images
/// @param batchSize the number of images of a batch, over all workers
public record Epochs(long seed, int count, int batchSize) {
  public Epochs {
    if (count < 1 || batchSize < 1) {
      throw new IllegalArgumentException(
          "an epoch needs at least one image and batches of at least one, but there are %s in batches"
                  .formatted(count)
              + " of %s".formatted(batchSize));
    }
  }

  /// The number of batches of an epoch.
  public int batches() {
    return Math.ceilDiv(count, batchSize);
  }

  /// The indices of the images in the order in which epoch `epoch` visits them.
  public int[] order(long epoch) {
    return RandomKey.of(seed, "order").at(epoch).permutation(count);
  }

  /// The key of epoch `epoch` for [Loader#fill].
  public RandomKey augment(long epoch) {
    return RandomKey.of(seed, "augment").at(epoch);
  }

  /// Which rows of [#order] are batch `batch` of the epoch, counted from 0.
  public Rows batch(int batch) {
    if (batch < 0 || batch >= batches()) {
      throw new IllegalArgumentException(
          "an epoch has the batches 0 to %s, but %s was asked for".formatted(batches() - 1, batch));
    }
    int from = batch * batchSize;
    return new Rows(from, from + Math.min(batchSize, count - from));
  }
}
