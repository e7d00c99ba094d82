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
/// features of one case: [LayerNorm] without centring and without bias.
///
/// @param gain g of the shape `features`, or null for 1
/// @param epsilon ε, inside the square root
public record RmsNorm(@Nullable Param gain, double epsilon, Over over, Shape features)
    implements Layer {
  public RmsNorm {
    checked(gain, epsilon, over, features);
  }

  /// Gains 1 over all dimensions after the first, of these sizes, ε = 1e-5.
  public static RmsNorm of(long... features) {
    return of(Over.FEATURES, features);
  }

  /// The same over the channels of each pixel.
  public static RmsNorm ofPosition(long channels) {
    return of(Over.POSITION, channels);
  }

  /// The same over the last dimension.
  public static RmsNorm ofLast(long features) {
    return of(Over.LAST, features);
  }

  private static RmsNorm of(Over over, long... features) {
    checked(null, LayerNorm.EPSILON, over, Shape.of(features)); // before anything is made
    return new RmsNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, features).plus(1)),
        LayerNorm.EPSILON,
        over,
        Shape.of(features));
  }

  /// Without gains over all dimensions after the first, of these sizes.
  public static RmsNorm plain(long... features) {
    return new RmsNorm(null, LayerNorm.EPSILON, Over.FEATURES, Shape.of(features));
  }

  /// The same without gains.
  public RmsNorm plain() {
    return new RmsNorm(null, epsilon, over, features);
  }

  /// The same with another ε.
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
