package fathom.bench;

import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Augmentation;
import fathom.data.Decoders;
import fathom.data.Epochs;
import fathom.data.Images;
import fathom.data.LabelledImages;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.net.Architecture;
import fathom.net.PhotoNet;
import fathom.parallel.Collective;
import fathom.train.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Measures the data path by itself, from bytes in memory or JPEG files to a batch of normalised
/// images as a tensor, and what it adds to a training step.
///
/// The JPEG files are synthetic: smoothed noise of 500×375 pixels in quality 90, made for the run.
public final class DataSuite {
  private static final String SUITE = "data";
  private static final int BATCH = 128;
  private static final int BATCHES = 40;
  private static final int WARM_UP = 10;
  private static final int PHOTOS = 128;
  private static final int DECODED_BATCH = 16;
  private static final int STEP_WARM_UP = 5;
  private static final int STEPS = 8;

  private DataSuite() {}

  /// Measures images of CIFAR's and of MNIST's size, `rounds` epochs of each; photos on one core
  /// and on all; and training steps of `net`, `rounds` times with a batch that stays in memory, in
  /// turn with batches from the data path.
  public static List<Result> run(
      Architecture.Convolutional net, int batch, int rounds, int workers) {
    var results =
        new ArrayList<>(
            List.of(
                timed("3x32x32, cropped and mirrored", images(3, 32), Augmentation.CIFAR, rounds),
                timed("3x32x32, as they are", images(3, 32), Augmentation.NONE, rounds),
                timed("1x28x28, as they are", images(1, 28), Augmentation.NONE, rounds)));
    try (var folder = SyntheticPhotos.make(PHOTOS)) {
      results.add(decoded(folder.images(224), rounds, 0));
      results.add(decoded(folder.images(224), rounds, Runtime.getRuntime().availableProcessors()));
      boolean photos = net instanceof PhotoNet;
      results.addAll(
          cost(
              net,
              photos
                  ? folder.images(net.input().height())
                  : images(net.input().channels(), net.input().height()),
              photos ? Augmentation.PHOTOS : Augmentation.CIFAR,
              batch,
              rounds,
              workers));
    }
    return results;
  }

  /// Measures the data path from files to tensors: all photos, a random part of each. Nothing is
  /// decoded before the time begins or after it ends.
  private static Result decoded(LabelledImages photos, int rounds, int decoders) {
    var epochs = new Epochs(1, photos.count(), DECODED_BATCH);
    try (var threads = Decoders.start(decoders)) {
      var loader = new Loader(photos.decodedBy(threads), Normalization.perChannel(photos));
      var rates = new ArrayList<Double>();
      for (int epoch = -2; epoch < rounds; epoch++) {
        List<Loader.Batch> batches = batches(epochs, epoch + 2);
        double milliseconds =
            Alternation.milliseconds(() -> {
              loader.expect(batches.iterator());
              for (Loader.Batch batch : batches) {
                try (var _ = Scope.open()) {
                  loader.images(batch);
                }
              }
            });
        if (epoch >= 0) {
          rates.add(photos.count() / milliseconds * 1e3);
        }
      }
      return Result.of(
          SUITE,
          "synthetic JPEG 500x375 to a random part of 224x224, %s"
              .formatted(
                  decoders == 0 ? "one core" : "%s decoders and who asks".formatted(decoders)),
          "images/s",
          rates.stream().mapToDouble(Double::doubleValue).toArray());
    }
  }

  private static List<Loader.Batch> batches(Epochs epochs, int epoch) {
    int[] order = epochs.order(epoch);
    return IntStream.range(0, epochs.batches())
        .mapToObj(batch ->
            new Loader.Batch(
                order, epochs.batch(batch), Augmentation.PHOTOS, epochs.augment(epoch)))
        .toList();
  }

  /// Measures a step with the data path and without. With it, all decoding that its batches cause
  /// is timed, also the part that would overlap with the next steps.
  private static List<Result> cost(
      Architecture.Convolutional net,
      LabelledImages images,
      Augmentation how,
      int batch,
      int rounds,
      int workers) {
    Normalization normalization = Normalization.perChannel(images);
    var epochs = new Epochs(1, images.count() / batch * batch, batch);
    try (var decoders = Decoders.start();
        var resident = TrainSuite.ours(net, batch, workers, 0, Precision.FP32, STEP_WARM_UP);
        var fed =
            TrainSuite.fed(
                net,
                batch,
                workers,
                STEP_WARM_UP,
                all -> feed(all, images.decodedBy(decoders), normalization, epochs, how))) {
      double[][] runs =
          Alternation.of(
              rounds,
              List.of(
                  () -> Alternation.mean(STEPS, resident::run),
                  () ->
                      Alternation.milliseconds(() -> {
                        for (int i = 0; i < STEPS; i++) {
                          fed.run();
                        }
                        decoders.settle();
                      })
                          / STEPS));
      double[] more = new double[rounds];
      Arrays.setAll(more, i -> 100 * (runs[1][i] / runs[0][i] - 1));
      String name = TrainSuite.name(net, batch, workers, 0, Precision.FP32);
      String from = images instanceof Images ? "memory" : "JPEG files";
      return List.of(
          Result.of(SUITE, name + ", step on a resident batch", "ms", runs[0]),
          Result.of(SUITE, name + ", step on batches from " + from, "ms", runs[1]),
          Result.of(SUITE, name + ", what the data path adds", "%", more));
    }
  }

  /// Returns a worker's share of one batch after the other, epoch after epoch.
  private static Supplier<Tensor> feed(
      Collective all,
      LabelledImages images,
      Normalization normalization,
      Epochs epochs,
      Augmentation how) {
    var loader = new Loader(images, normalization);
    IntFunction<Loader.Batch> batches =
        step -> {
          int epoch = step / epochs.batches();
          return new Loader.Batch(
              epochs.order(epoch),
              epochs.batch(step % epochs.batches()).share(all.rank(), all.size()),
              how,
              epochs.augment(epoch));
        };
    loader.expect(IntStream.iterate(0, step -> step + 1).mapToObj(batches).iterator());
    int[] step = {0};
    return () -> loader.images(batches.apply(step[0]++));
  }

  private static Images images(int channels, int size) {
    RandomKey key = RandomKey.of(1, "bench");
    int count = BATCH * BATCHES;
    byte[] pixels = new byte[count * channels * size * size];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) key.bits(i);
    }
    return new Images(channels, size, size, pixels, new int[count]);
  }

  private static Result timed(String name, Images images, Augmentation how, int rounds) {
    var epochs = new Epochs(1, images.count(), BATCH);
    var loader = new Loader(images, Normalization.perChannel(images));
    check(name, images.count(), loader, how);
    var rates = new ArrayList<Double>();
    for (int epoch = -WARM_UP; epoch < rounds; epoch++) {
      int[] order = epochs.order(Math.max(0, epoch));
      RandomKey augment = epochs.augment(Math.max(0, epoch));
      double milliseconds =
          Alternation.milliseconds(() -> {
            for (int batch = 0; batch < epochs.batches(); batch++) {
              try (var _ = Scope.open()) {
                loader.images(new Loader.Batch(order, epochs.batch(batch), how, augment));
              }
            }
          });
      if (epoch >= 0) {
        rates.add(images.count() / milliseconds * 1e3);
      }
    }
    return Result.of(
        SUITE,
        name + ", one core",
        "images/s",
        rates.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /// Checks the batches before they are timed: the values of the plain batch have mean 0 and
  /// standard deviation 1, and an augmented batch differs from the plain one.
  private static void check(String name, int count, Loader loader, Augmentation how) {
    int[] order = new int[count];
    Arrays.setAll(order, i -> i);
    Rows all = new Rows(0, order.length);
    try (var _ = Scope.open()) {
      Tensor plain = loader.images(order, all);
      double n = plain.shape().elements();
      double mean = plain.sum().item() / n;
      double square = plain.square().sum().item() / n;
      Tensor varied = loader.images(new Loader.Batch(order, all, how, RandomKey.of(1, "check")));
      boolean same = Arrays.equals(plain.toDoubles(), varied.toDoubles());
      if (!(Math.abs(mean) < 1e-2 && Math.abs(square - 1) < 1e-2)
          || same != how.equals(Augmentation.NONE)) {
        throw new IllegalStateException(
            "%s is not timed: its batches have mean %s and mean square %s, and are varied: %s"
                .formatted(name, mean, square, !same));
      }
    }
  }
}
