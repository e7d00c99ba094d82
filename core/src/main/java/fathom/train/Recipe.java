package fathom.train;

import fathom.data.Augmentation;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Normalization;
import fathom.net.CifarNet;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.optim.Schedule;
import java.util.List;

/// Everything that decides a training, resolved: what a run remembers.
///
/// @param model the name, `resnet20` or `plain20`
/// @param data the data set as the user named it
/// @param divideAt the fractions of all steps at which the rate is divided by ten
/// @param warmUp the steps at a tenth of the rate before it
/// @param crop the width of the border from which pictures are cropped at random; 0 for none
/// @param pixelMean whether the mean of each pixel is subtracted, as in the residual paper;
///   otherwise each channel is brought to mean 0 and deviation 1
/// @param shardStatistics whether batch norm's statistics are those of each worker's share
public record Recipe(
    String model,
    Shortcut shortcut,
    Norm norm,
    int width,
    String data,
    int epochs,
    int batch,
    double rate,
    List<Double> divideAt,
    long warmUp,
    double momentum,
    double weightDecay,
    int crop,
    boolean flip,
    boolean pixelMean,
    long seed,
    int workers,
    boolean shardStatistics) {

  /// From this depth on the paper warms up (section 4.2).
  private static final int WARM_UP_DEPTH = 110;

  private static final long PAPER_STEPS = 64_000;

  public Recipe {
    divideAt = List.copyOf(divideAt);
    if (epochs < 1 || batch < 1 || workers < 1) {
      throw new IllegalArgumentException(
          "epochs, batch and workers are at least 1, but are %d, %d and %d"
              .formatted(epochs, batch, workers));
    }
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is positive, but is " + rate);
    }
  }

  /// The residual paper's recipe for CIFAR-10: rate 0.1 divided by ten at a half and three quarters
  /// of 64,000 steps of 128, per-pixel mean, pad-and-crop and flip.
  public static Recipe paper(CifarNet net, DataSet data, long seed, int workers) {
    int epochs = (int) Math.ceilDiv(PAPER_STEPS, Math.ceilDiv(data.train().count(), 128));
    return of(net, data, epochs, 128, List.of(0.5, 0.75), true, seed, workers);
  }

  /// Much shorter, for two cores: 20 epochs of batches of 64 for fewer than 10,000 pictures, 10 of
  /// 128 for more; rate 0.1 divided by ten at 60 % and 85 %; channels normalised.
  public static Recipe fast(CifarNet net, DataSet data, long seed, int workers) {
    boolean small = data.train().count() < 10_000;
    return of(
        net, data, small ? 20 : 10, small ? 64 : 128, List.of(0.6, 0.85), false, seed, workers);
  }

  /// Pictures in colour are cropped and flipped, those in grey, where a flip may change the class,
  /// stay as they are.
  private static Recipe of(
      CifarNet net,
      DataSet data,
      int epochs,
      int batch,
      List<Double> divideAt,
      boolean pixelMean,
      long seed,
      int workers) {
    boolean colour = data.train().channels() == 3;
    return new Recipe(
        net.name(),
        net.shortcut(),
        net.norm(),
        net.width(),
        data.name(),
        epochs,
        batch,
        0.1,
        divideAt,
        net.depth() >= WARM_UP_DEPTH ? Schedule.WARM_UP_STEPS : 0,
        0.9,
        1e-4,
        colour ? 4 : 0,
        colour,
        pixelMean,
        seed,
        workers,
        false);
  }

  /// The net, for pictures of this size and so many classes.
  public CifarNet net(CifarNet.Input input, int classes) {
    return CifarNet.named(model)
        .withShortcut(shortcut)
        .withNorm(norm)
        .withWidth(width)
        .on(input, classes);
  }

  Augmentation augmentation() {
    return new Augmentation(crop, flip);
  }

  Normalization normalization(Images train) {
    return pixelMean ? Normalization.perPixelMean(train) : Normalization.perChannel(train);
  }

  /// The rate over `steps` steps in all.
  Schedule schedule(long steps) {
    return Schedule.divided(
            rate, steps, divideAt.stream().mapToDouble(Double::doubleValue).toArray())
        .withWarmUp(warmUp);
  }

  public Recipe withEpochs(int epochs) {
    return with(epochs, batch, rate, workers, shardStatistics);
  }

  public Recipe withBatch(int batch) {
    return with(epochs, batch, rate, workers, shardStatistics);
  }

  public Recipe withRate(double rate) {
    return with(epochs, batch, rate, workers, shardStatistics);
  }

  public Recipe withWorkers(int workers) {
    return with(epochs, batch, rate, workers, shardStatistics);
  }

  public Recipe withShardStatistics(boolean shardStatistics) {
    return with(epochs, batch, rate, workers, shardStatistics);
  }

  private Recipe with(int epochs, int batch, double rate, int workers, boolean shardStatistics) {
    return new Recipe(
        model,
        shortcut,
        norm,
        width,
        data,
        epochs,
        batch,
        rate,
        divideAt,
        warmUp,
        momentum,
        weightDecay,
        crop,
        flip,
        pixelMean,
        seed,
        workers,
        shardStatistics);
  }
}
