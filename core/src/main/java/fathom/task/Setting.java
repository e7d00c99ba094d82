package fathom.task;

import fathom.Collective;
import fathom.data.Epochs;
import fathom.data.Rows;

/// What a worker's [Session] may know of the training it is part of.
///
/// @param workers among whom every batch is divided; this worker is one of them
/// @param batch the examples of a batch, over all workers
/// @param epochs how many there are in all
/// @param seed decides every random key
/// @param step how many steps have been made already, so that what the next one needs can be
///   prefetched
public record Setting(Collective workers, int batch, int epochs, long seed, long step) {
  public Setting {
    if (batch < 1 || epochs < 1 || step < 0) {
      throw new IllegalArgumentException(
          "batch and epochs are at least 1 and steps 0 or more, but are %s, %s and %s"
              .formatted(batch, epochs, step));
    }
  }

  /// The order in which epochs visit `count` examples, and their batches.
  public Epochs over(int count) {
    return new Epochs(seed, count, batch);
  }

  /// This worker's share of `rows`.
  public Rows share(Rows rows) {
    return rows.share(workers.rank(), workers.size());
  }
}
