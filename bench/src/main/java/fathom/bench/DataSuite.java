package fathom.bench;

import fathom.Draw;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Augmentation;
import fathom.data.Epochs;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The data path by itself, on one core: from bytes in memory to a batch of normalised pictures as
/// a tensor, varied and as they are. A training has as many of it as it has workers.
public final class DataSuite {
  private static final String SUITE = "data";
  private static final int BATCH = 128;
  private static final int BATCHES = 40;
  private static final int WARM_UP = 10;

  private DataSuite() {}

  /// Pictures of CIFAR's and of MNIST's size, `rounds` epochs of each.
  public static List<Result> run(int rounds) {
    return List.of(
        timed("3x32x32, cropped and mirrored", pictures(3, 32), Augmentation.CIFAR, rounds),
        timed("3x32x32, as they are", pictures(3, 32), Augmentation.NONE, rounds),
        timed("1x28x28, as they are", pictures(1, 28), Augmentation.NONE, rounds));
  }

  private static Images pictures(int channels, int size) {
    Draw draw = Draw.of(1, "bench");
    int count = BATCH * BATCHES;
    byte[] pixels = new byte[count * channels * size * size];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) draw.bits(i);
    }
    return new Images(channels, size, size, pixels, new int[count]);
  }

  private static Result timed(String name, Images images, Augmentation how, int rounds) {
    var epochs = new Epochs(1, images.count(), BATCH);
    var loader = new Loader(images, Normalization.perChannel(images));
    check(name, loader, how);
    var rates = new ArrayList<Double>();
    for (int epoch = -WARM_UP; epoch < rounds; epoch++) {
      int[] order = epochs.order(Math.max(0, epoch));
      Draw augment = epochs.augment(Math.max(0, epoch));
      double milliseconds =
          Alternation.milliseconds(() -> {
            for (int batch = 0; batch < epochs.batches(); batch++) {
              try (var _ = Scope.open()) {
                loader.pictures(order, epochs.batch(batch), how, augment);
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

  /// What is timed makes what it should: all values of the plain batch have mean 0 and deviation 1,
  /// and a varied one is another.
  private static void check(String name, Loader loader, Augmentation how) {
    int[] order = new int[loader.images().count()];
    Arrays.setAll(order, i -> i);
    Rows all = new Rows(0, order.length);
    try (var _ = Scope.open()) {
      Tensor plain = loader.pictures(order, all);
      double n = plain.shape().elements();
      double mean = plain.sum().item() / n;
      double square = plain.square().sum().item() / n;
      Tensor varied = loader.pictures(order, all, how, Draw.of(1, "check"));
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
