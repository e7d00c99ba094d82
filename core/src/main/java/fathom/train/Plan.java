package fathom.train;

import fathom.optim.Adam;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;

/// How a training goes. Together with the net, the task and their data it decides every weight to
/// the bit; only the number of workers changes the rounding of sums.
///
/// @param clip the largest norm of all gradients together; 0 for any
/// @param batch the examples of a batch, over all workers
/// @param seed decides every random key: initial weights, order, augmentation, dropout
/// @param workers threads, each with its share of every batch
public record Plan(
    Optimizer.Spec optimizer,
    Schedule schedule,
    double clip,
    int epochs,
    int batch,
    long seed,
    int workers) {
  /// Adam at a learning rate of 0.001 for ten epochs of batches of 32, on all cores.
  public static final Plan DEFAULT =
      new Plan(
          Adam.of(),
          Schedule.constant(1e-3),
          0,
          10,
          32,
          1,
          Runtime.getRuntime().availableProcessors());

  public Plan {
    atLeastOne("epochs", epochs);
    atLeastOne("batch", batch);
    atLeastOne("workers", workers);
    if (!(clip >= 0) || Double.isInfinite(clip)) {
      throw new IllegalArgumentException(
          "gradients are clipped to a positive norm, or not at all (0), but the limit is " + clip);
    }
  }

  private static void atLeastOne(String name, int count) {
    if (count < 1) {
      throw new IllegalArgumentException("%s is at least 1, but is %s".formatted(name, count));
    }
  }

  public Plan withOptimizer(Optimizer.Spec optimizer) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withSchedule(Schedule schedule) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withClip(double clip) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withEpochs(int epochs) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withBatch(int batch) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withSeed(long seed) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }

  public Plan withWorkers(int workers) {
    return new Plan(optimizer, schedule, clip, epochs, batch, seed, workers);
  }
}
