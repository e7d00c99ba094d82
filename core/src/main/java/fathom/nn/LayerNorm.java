package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Layer norm (Ba, Kiros and Hinton 2016, eq. 3): y = g·(a − μ)/√(σ² + ε) + b, with the mean μ and
/// the biased variance σ² of one case over its features. The same in training and prediction, and
/// for a batch of one.
///
/// Statistics are float64, also of BFLOAT16 arguments, for which gains and biases are FLOAT32. A
/// case whose features are all equal is normalised to its bias.
///
/// @param gain g of the shape `features`, or null for 1
/// @param bias b of that shape, or null for 0
/// @param epsilon ε, inside the square root
public record LayerNorm(
    @Nullable Param gain, @Nullable Param bias, double epsilon, Over over, Shape features)
    implements Layer {
  static final double EPSILON = 1e-5;

  /// What a case is.
  public enum Over {
    /// All dimensions after the first: F features of N×F, or the whole C×H×W of an image.
    FEATURES,
    /// The channels at one pixel of N×C×H×W, or the features of N×F.
    POSITION,
    /// The last dimension, whatever stands before it: T×N×F, N×T×F, N×F.
    LAST
  }

  public LayerNorm {
    checked(gain, bias, epsilon, over, features);
  }

  /// Gains 1 and biases 0 over all dimensions after the first, of these sizes, ε = 1e-5.
  public static LayerNorm of(long... features) {
    return of(Over.FEATURES, features);
  }

  /// The same over the channels of each pixel.
  public static LayerNorm ofPosition(long channels) {
    return of(Over.POSITION, channels);
  }

  /// The same over the last dimension.
  public static LayerNorm ofLast(long features) {
    return of(Over.LAST, features);
  }

  private static LayerNorm of(Over over, long... features) {
    checked(null, null, EPSILON, over, Shape.of(features)); // before anything is made
    return new LayerNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, features).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, features)),
        EPSILON,
        over,
        Shape.of(features));
  }

  /// Without gains and biases over all dimensions after the first, of these sizes.
  public static LayerNorm plain(long... features) {
    return new LayerNorm(null, null, EPSILON, Over.FEATURES, Shape.of(features));
  }

  /// The same without gains and biases.
  public LayerNorm plain() {
    return new LayerNorm(null, null, epsilon, over, features);
  }

  /// The same with another ε.
  public LayerNorm withEpsilon(double epsilon) {
    return new LayerNorm(gain, bias, epsilon, over, features);
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
    return checked(gain, bias, epsilon, over, features);
  }

  private static CaseNorm checked(
      @Nullable Param gain, @Nullable Param bias, double epsilon, Over over, Shape features) {
    return new CaseNorm("LayerNorm " + features, gain, bias, epsilon, true, over, features);
  }

  @Override
  public Map<String, Param> own() {
    return rows().own();
  }

  @Override
  public String toString() {
    return "LayerNorm " + features + (over == Over.POSITION ? " per position" : "");
  }
}
