package fathom.infer;

import fathom.Predictor;
import fathom.Scope;
import fathom.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Test-time augmentation: a net predicts several views of each image, and their probabilities are
/// averaged.
public enum Views {
  /// The image alone.
  ONE,
  /// The image and its mirror image.
  FLIP,
  /// The four corners and the centre of a larger image, and their mirror images (Krizhevsky et al.
  /// 2012, section 4.1; the residual paper's standard 10-crop testing, section 3.4).
  TEN_CROP;

  /// Returns a predictor of images N×C×S×S that gives the logarithm of the mean probability over
  /// the views, N×K, which is as good as logits: its softmax is that mean.
  ///
  /// @param net predicts the logits of images of `side` pixels
  /// @param side the side of a view; S is at least as large, and the same except for ten crops
  public Predictor of(Predictor net, int side) {
    return this == ONE ? net : images -> mean(net, images, side);
  }

  /// The views of images N×C×S×S, in the innermost scope: the corners from the left to the right
  /// and from the top to the bottom, the centre, and then the mirror images in the same order.
  List<Tensor> views(Tensor images, int side) {
    if (this == ONE) {
      return List.of(images);
    }
    var views = new ArrayList<Tensor>();
    if (this == TEN_CROP) {
      long last = images.shape().size(2) - side;
      if (last < 0) {
        throw new IllegalArgumentException(
            "crops of %s pixels need images at least as large, but these are %s"
                .formatted(side, images.shape()));
      }
      views.add(crop(images, 0, 0, side));
      views.add(crop(images, 0, last, side));
      views.add(crop(images, last, 0, side));
      views.add(crop(images, last, last, side));
      views.add(crop(images, last / 2, last / 2, side));
    } else {
      views.add(images);
    }
    List.copyOf(views).forEach(view -> views.add(view.flipped(3).channelsLast()));
    return views;
  }

  private static Tensor crop(Tensor images, long top, long left, int side) {
    return images.narrow(2, top, top + side).narrow(3, left, left + side).channelsLast();
  }

  /// ln of the mean over the views of softmax of their logits. The sum is taken from the largest
  /// logarithm on, so that small probabilities do not vanish.
  private Tensor mean(Predictor net, Tensor images, int side) {
    try (var scope = Scope.open()) {
      var logs = new ArrayList<double[]>();
      for (Tensor view : views(images, side)) {
        try (var _ = Scope.open()) {
          logs.add(net.predict(view).logSoftmax(1).toDoubles());
        }
      }
      double[] mean = new double[logs.getFirst().length];
      for (int i = 0; i < mean.length; i++) {
        mean[i] = logMean(logs, i);
      }
      long count = images.shape().size(0);
      return scope.keep(Tensor.of(mean, count, mean.length / count));
    }
  }

  private static double logMean(List<double[]> logs, int i) {
    double most = Double.NEGATIVE_INFINITY;
    for (double[] each : logs) {
      most = Math.max(most, each[i]);
    }
    if (Double.isInfinite(most)) {
      return most;
    }
    double sum = 0;
    for (double[] each : logs) {
      sum += Math.exp(each[i] - most);
    }
    return most + Math.log(sum / logs.size());
  }
}
