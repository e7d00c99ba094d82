package fathom.train;

import fathom.optim.Adam;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;

/// The settings of a training. Together with the net, the task and their data they decide every
/// weight to the bit; only the number of workers changes the rounding of sums. The constructor
/// throws `IllegalArgumentException` if a number is out of its range.
///
/// @param optimizer the optimizer
/// @param schedule the learning rate as a function of the step
/// @param clip the largest norm of all gradients together; 0 for no limit
/// @param epochs the number of epochs, at least 1
/// @param batch the number of examples of a batch, over all workers, at least 1
/// @param seed the seed of every random key: initial weights, order, augmentation, dropout
/// @param workers the number of threads, each with its share of every batch, at least 1
/// @param tuning which layers are trained, and at which part of the learning rate
/// @param earlyStop after how many epochs without a better validation error the training ends
/// @param ema the decay of the exponential moving average of weights and buffers that is evaluated,
///   and saved under the names of the weights; 0 for none. After t steps the average e becomes e +
///   (1−d)(w−e) with d = min(ema, (1+t)/(10+t)), so that it soon forgets the initial weights
public record Plan(
    Optimizer.Spec optimizer,
    Schedule schedule,
    double clip,
    int epochs,
    int batch,
    long seed,
    int workers,
    Tuning tuning,
    EarlyStopping earlyStop,
    double ema) {
  /// Adam at a learning rate of 0.001 for ten epochs with batches of 32 examples, on all cores.
  public static final Plan DEFAULT =
      new Plan(
          Adam.of(),
          Schedule.constant(1e-3),
          0,
          10,
          32,
          1,
          Runtime.getRuntime().availableProcessors(),
          Tuning.NONE,
          EarlyStopping.NONE,
          0);

  public Plan {
    atLeastOne("epochs", epochs);
    atLeastOne("batch", batch);
    atLeastOne("workers", workers);
    if (!(clip >= 0) || Double.isInfinite(clip)) {
      throw new IllegalArgumentException(
          "gradients are clipped to a positive norm, or not at all (0), but the limit is " + clip);
    }
    if (!(ema >= 0 && ema < 1)) {
      throw new IllegalArgumentException(
          "weights are averaged with a decay of 0 or more and less than 1, but `ema` is " + ema);
    }
  }

  private static void atLeastOne(String name, int count) {
    if (count < 1) {
      throw new IllegalArgumentException("%s is at least 1, but is %s".formatted(name, count));
    }
  }

  /// Returns this plan with another optimizer.
  public Plan withOptimizer(Optimizer.Spec optimizer) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another learning rate schedule.
  public Plan withSchedule(Schedule schedule) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another limit of the gradients' norm; 0 for no limit.
  public Plan withClip(double clip) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another number of epochs.
  public Plan withEpochs(int epochs) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another number of examples in a batch of all workers.
  public Plan withBatch(int batch) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another seed of all random keys.
  public Plan withSeed(long seed) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another number of workers, which are threads.
  public Plan withWorkers(int workers) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another choice of the layers that are trained.
  public Plan withTuning(Tuning tuning) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with another early stopping.
  public Plan withEarlyStop(EarlyStopping earlyStop) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }

  /// Returns this plan with a moving average of the weights of another decay; 0 for none.
  public Plan withEma(double ema) {
    return new Plan(
        optimizer, schedule, clip, epochs, batch, seed, workers, tuning, earlyStop, ema);
  }
}
