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
/// the biased variance σ² of one case over its features. Training and prediction compute the same,
/// and so does a batch of one.
///
/// Statistics are in float64, also for BFLOAT16 inputs, for which gains and biases are FLOAT32. The
/// output for a case whose features are all equal is the bias. The sums and their derivative, one
/// under the other, are in [fathom.kernel.ScalarRowNorm].
///
/// ```java
/// Layer net = Chain.of(Dense.of(init, "fc1", 784, 256), LayerNorm.of(256), new Relu());
/// ```
///
/// @param gain g with the shape `features`, or null for gains of 1
/// @param bias b with the shape `features`, or null for biases of 0
/// @param epsilon ε, inside the square root; at least 0
/// @param over the dimensions that form a case
/// @param features the sizes of the normalised dimensions
public record LayerNorm(
    @Nullable Param gain, @Nullable Param bias, double epsilon, Over over, Shape features)
    implements Layer {
  static final double EPSILON = 1e-5;

  /// The dimensions that form a case.
  public enum Over {
    /// All dimensions after the first: F features of N×F, or the whole C×H×W of an image.
    FEATURES,
    /// The channels at one pixel of N×C×H×W, or the features of N×F.
    POSITION,
    /// The last dimension, with any dimensions before it: T×N×F, N×T×F, N×F.
    LAST
  }

  /// Throws `IllegalArgumentException` if the features have no elements, if `over` and the features
  /// do not fit together, if ε is negative, or if a parameter has another shape than the features.
  public LayerNorm {
    checked(gain, bias, epsilon, over, features);
  }

  /// Returns a layer norm over all dimensions after the first, which have these sizes, with gains
  /// 1, biases 0 and ε = 1e-5.
  public static LayerNorm of(long... features) {
    return of(Over.FEATURES, features);
  }

  /// Returns a layer norm over the channels of each pixel, with gains 1, biases 0 and ε = 1e-5.
  public static LayerNorm ofPosition(long channels) {
    return of(Over.POSITION, channels);
  }

  /// Returns a layer norm over the last dimension, with gains 1, biases 0 and ε = 1e-5.
  public static LayerNorm ofLast(long features) {
    return of(Over.LAST, features);
  }

  private static LayerNorm of(Over over, long... features) {
    checked(null, null, EPSILON, over, Shape.of(features)); // before parameters are made
    return new LayerNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, features).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, features)),
        EPSILON,
        over,
        Shape.of(features));
  }

  /// Returns a layer norm without gains and biases over all dimensions after the first, which have
  /// these sizes.
  public static LayerNorm plain(long... features) {
    return new LayerNorm(null, null, EPSILON, Over.FEATURES, Shape.of(features));
  }

  /// Returns this norm without gains and biases.
  public LayerNorm plain() {
    return new LayerNorm(null, null, epsilon, over, features);
  }

  /// Returns this norm with another ε.
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
