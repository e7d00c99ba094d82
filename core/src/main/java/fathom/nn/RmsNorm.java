package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.LayerNorm.Over;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// RMS norm (Zhang and Sennrich 2019, eq. 4): y = g·a/√(mean(a²) + ε), with the mean over the
/// features of one case. It is [LayerNorm] without centring and without bias.
///
/// @param gain g with the shape `features`, or null for gains of 1
/// @param epsilon ε, inside the square root; at least 0
/// @param over the dimensions that form a case
/// @param features the sizes of the normalised dimensions
public record RmsNorm(@Nullable Param gain, double epsilon, Over over, Shape features)
    implements Layer {
  /// Throws `IllegalArgumentException` if the features have no elements, if `over` and the features
  /// do not fit together, if ε is negative, or if the gain has another shape than the features.
  public RmsNorm {
    checked(gain, epsilon, over, features);
  }

  /// Returns an RMS norm over all dimensions after the first, which have these sizes, with gains 1
  /// and ε = 1e-5.
  public static RmsNorm of(long... features) {
    return of(Over.FEATURES, features);
  }

  /// Returns an RMS norm over the channels of each pixel, with gains 1 and ε = 1e-5.
  public static RmsNorm ofPosition(long channels) {
    return of(Over.POSITION, channels);
  }

  /// Returns an RMS norm over the last dimension, with gains 1 and ε = 1e-5.
  public static RmsNorm ofLast(long features) {
    return of(Over.LAST, features);
  }

  private static RmsNorm of(Over over, long... features) {
    checked(null, LayerNorm.EPSILON, over, Shape.of(features)); // before parameters are made
    return new RmsNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, features).plus(1)),
        LayerNorm.EPSILON,
        over,
        Shape.of(features));
  }

  /// Returns an RMS norm without gains over all dimensions after the first, which have these sizes.
  public static RmsNorm plain(long... features) {
    return new RmsNorm(null, LayerNorm.EPSILON, Over.FEATURES, Shape.of(features));
  }

  /// Returns this norm without gains.
  public RmsNorm plain() {
    return new RmsNorm(null, epsilon, over, features);
  }

  /// Returns this norm with another ε.
  public RmsNorm withEpsilon(double epsilon) {
    return new RmsNorm(gain, epsilon, over, features);
  }

  @Override
  public Traced forward(Tensor x) {
    var normed = rows().forward(x, null);
    return new Traced(normed.value(), dy -> normed.back().apply(dy, null));
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return rows().predict(x, null);
  }

  CaseNorm rows() {
    return checked(gain, epsilon, over, features);
  }

  private static CaseNorm checked(@Nullable Param gain, double epsilon, Over over, Shape features) {
    return new CaseNorm("RmsNorm " + features, gain, null, epsilon, false, over, features);
  }

  @Override
  public Map<String, Param> own() {
    return rows().own();
  }

  @Override
  public String toString() {
    return "RmsNorm " + features + (over == Over.POSITION ? " per position" : "");
  }
}
