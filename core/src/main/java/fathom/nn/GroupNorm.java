package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;

/// Group norm (Wu and He 2018, eq. 7). The channels of N×C×H×W, or the features of N×C, form groups
/// of C/G, and each group of an image is normalised over its channels and pixels; then y = g·x̂ + b
/// with a gain and a bias for each channel. With one group it is layer norm with gains per channel;
/// with as many groups as channels it is instance norm (Ulyanov et al. 2016).
public record GroupNorm(Param gain, Param bias, int groups, double epsilon) implements Layer {
  /// Throws `IllegalArgumentException` unless the number of groups is at least 1 and divides the
  /// number of channels.
  public GroupNorm {
    check(groups, gain.value().shape().size(0));
  }

  private static void check(int groups, long channels) {
    if (groups < 1 || channels < 1 || channels % groups != 0) {
      throw new IllegalArgumentException(
          "group norm divides its channels into groups of one size of at least 1, but there are %s channels and %s groups"
              .formatted(channels, groups));
    }
  }

  /// Returns a group norm with gains 1, biases 0 and ε = 1e-5.
  public static GroupNorm of(int groups, int channels) {
    check(groups, channels);
    return new GroupNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, channels).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, channels)),
        groups,
        LayerNorm.EPSILON);
  }

  /// Returns an instance norm, which normalises every channel of an image by itself.
  public static GroupNorm instance(int channels) {
    return of(channels, channels);
  }

  /// Returns this norm with another ε.
  public GroupNorm withEpsilon(double epsilon) {
    return new GroupNorm(gain, bias, groups, epsilon);
  }

  @Override
  public Traced forward(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, this::forward);
    }
    Shape shape = input(x);
    var normed = rows(shape).forward(grouped(x, shape), null);
    Tensor normal = normed.value().reshape(shape.toArray());
    return new Traced(
        affine(normal),
        dy -> {
          try (var scope = Scope.open()) {
            long[] others = PerChannel.others(shape);
            bias.grad().add_(dy.sum(others).reshape(channels()));
            gain.grad().add_(dy.times(normal).sum(others).reshape(channels()));
            Tensor w = dy.times(PerChannel.of(gain, shape));
            Tensor dx = normed.back().apply(grouped(w, shape), null);
            return scope.keep(dx.reshape(shape.toArray()));
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.predict(x, this::predict);
    }
    try (var scope = Scope.open()) {
      Shape shape = input(x);
      Tensor normal = rows(shape).predict(grouped(x, shape), null);
      return scope.keep(affine(normal.reshape(shape.toArray())));
    }
  }

  private Tensor affine(Tensor normal) {
    try (var scope = Scope.open()) {
      Shape shape = normal.shape();
      return scope.keep(normal.times(PerChannel.of(gain, shape)).plus(PerChannel.of(bias, shape)));
    }
  }

  /// Returns the elements with a row for each group of each image.
  private Tensor grouped(Tensor x, Shape shape) {
    return x.reshape(shape.size(0) * groups, perGroup(shape));
  }

  private CaseNorm rows(Shape shape) {
    return LayerNorm.plain(perGroup(shape)).withEpsilon(epsilon).rows();
  }

  private long perGroup(Shape shape) {
    long pixels = shape.rank() == 2 ? 1 : shape.size(2) * shape.size(3);
    return shape.size(1) / groups * pixels;
  }

  private Shape input(Tensor x) {
    PerChannel.check(this, gain, x);
    if (x.shape().rank() == 4 && x.shape().size(2) * x.shape().size(3) == 0) {
      throw new IllegalArgumentException(
          "%s is over at least one pixel, but was given %s".formatted(this, x.shape()));
    }
    return x.shape();
  }

  private long channels() {
    return gain.value().shape().size(0);
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight", gain);
    byName.put("bias", bias);
    return byName;
  }

  @Override
  public String toString() {
    return "GroupNorm %s in %s".formatted(channels(), groups);
  }
}
