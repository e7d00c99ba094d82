package fathom.run;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.LabelledImages;
import fathom.data.Loader;
import fathom.data.Rows;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.task.ImageClassification;
import fathom.task.LogisticRegression;
import fathom.train.Tuning;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A new classifier that begins as the [LogisticRegression] of what the net makes of the training
/// images: where training the classifier alone would end, after one pass of the images through the
/// net.
///
/// A classifier of random numbers sends random gradients through the layers below in its first
/// steps, and undoes there what the weights know (Kumar et al. 2022, "Fine-tuning can distort
/// pretrained features and underperform out-of-distribution"). Few images are too few steps to mend
/// that.
///
/// Each worker of a process has a net of its own; the first of them that is filled finds the
/// classifier, and all get the same one.
final class FittedHead {
  /// The number of images that the net sees at a time.
  private static final int BATCH = 16;

  private @Nullable LogisticRegression fitted;

  /// Fits the classifier of a net whose other layers have their weights, on the training images as
  /// evaluation sees them. All nets that are filled here have the same weights and task.
  synchronized void fill(Layer net, ImageClassification task) {
    Param weight = Objects.requireNonNull(net.state().get(Tuning.head(net) + ".weight"));
    var heads = new ArrayList<Dense>();
    Layer body =
        Layer.map(
            net,
            (_, layer) -> {
              if (layer instanceof Dense dense && dense.weight() == weight) {
                heads.add(dense);
                return new Identity();
              }
              return layer;
            });
    Dense head = heads.getFirst();
    LogisticRegression by = fitted;
    if (by == null) {
      int[] labels = task.data().train().labels();
      by = LogisticRegression.of(features(body, task), labels, task.data().classes().size());
      fitted = by;
    }
    copy(Arrays.stream(by.weight()).flatMapToDouble(Arrays::stream).toArray(), head.weight());
    copy(by.bias(), Objects.requireNonNull(head.bias()));
  }

  private static double[][] features(Layer body, ImageClassification task) {
    LabelledImages images = task.data().train();
    int[] all = IntStream.range(0, images.count()).toArray();
    var loader = new Loader(images, task.normalization());
    List<Rows> parts =
        IntStream.range(0, Math.ceilDiv(all.length, BATCH))
            .mapToObj(i -> new Rows(i * BATCH, Math.min(all.length, (i + 1) * BATCH)))
            .toList();
    loader.expect(parts.stream().map(rows -> Loader.Batch.of(all, rows)).iterator());
    double[][] features = new double[all.length][];
    for (Rows rows : parts) {
      try (var _ = Scope.open()) {
        double[] values = body.predict(loader.images(all, rows)).toDoubles();
        int size = values.length / rows.count();
        for (int i = 0; i < rows.count(); i++) {
          features[rows.from() + i] = Arrays.copyOfRange(values, i * size, (i + 1) * size);
        }
      }
    }
    return features;
  }

  private static void copy(double[] from, Param to) {
    float[] values = new float[from.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) from[i];
    }
    try (var _ = Scope.open()) {
      to.value().copy_(Tensor.of(values, to.value().shape().toArray()));
    }
  }
}
