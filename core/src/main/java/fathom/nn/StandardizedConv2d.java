package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.Map;

/// A convolution with weight standardization (Qiao et al. 2019, "Micro-batch training with
/// batch-channel normalization and weight standardization", eqs. 4 and 5). The convolution has the
/// weights w = (v − μ)/√(σ² + ε), where μ and σ² are the mean and the biased variance of v for each
/// output channel, over its input channels and its kernel.
///
/// The wrapped convolution's weights are v and keep their name. With ε = 1e-8, as in BiT's nets, a
/// weight of zeros stays at zeros, but its gradient is multiplied by 10⁴.
///
/// @param convolution the convolution whose weights are v
/// @param epsilon ε
public record StandardizedConv2d(Conv2d convolution, double epsilon) implements Layer {
  /// The ε of BiT's nets.
  private static final double EPSILON = 1e-8;

  private static final long[] INPUTS = {1, 2, 3};

  /// Throws `IllegalArgumentException` if ε is not positive: equal weights would be divided by
  /// zero.
  public StandardizedConv2d {
    if (!(epsilon > 0)) {
      throw new IllegalArgumentException(
          "weight standardization divides by √(σ² + ε) with ε above 0, but ε is " + epsilon);
    }
  }

  /// Returns the convolution with standardized weights and ε = 1e-8.
  public static StandardizedConv2d of(Conv2d convolution) {
    return new StandardizedConv2d(convolution, EPSILON);
  }

  /// Returns this layer with another ε.
  public StandardizedConv2d withEpsilon(double epsilon) {
    return new StandardizedConv2d(convolution, epsilon);
  }

  private Param v() {
    return convolution.weight();
  }

  /// Returns w, O×C×K×K in channels-last memory.
  Tensor standardized() {
    try (var scope = Scope.open()) {
      Tensor centred = v().value().minus(v().value().mean(INPUTS));
      return scope.keep(centred.dividedBy(standardDeviation(centred)).channelsLast());
    }
  }

  /// Returns a plain convolution with the standardized weights, which lie in the innermost scope
  /// and do not follow v.
  public Conv2d plain() {
    return new Conv2d(Param.buffer(standardized()), convolution.stride(), convolution.padding());
  }

  private Tensor standardDeviation(Tensor centred) {
    return centred.square().mean(INPUTS).plus(epsilon).sqrt();
  }

  @Override
  public Traced forward(Tensor x) {
    return convolution.forward(x, standardized(), this::accumulate);
  }

  /// Adds dv = (dw − mean(dw) − w·mean(dw·w))/√(σ² + ε), which is the derivative of a norm over the
  /// weights of each output channel.
  private void accumulate(Tensor dw) {
    try (var _ = Scope.open()) {
      Tensor centred = v().value().minus(v().value().mean(INPUTS));
      Tensor standardDeviation = standardDeviation(centred);
      Tensor w = centred.dividedBy(standardDeviation);
      Tensor along = w.times(dw.times(w).mean(INPUTS));
      v().grad().add_(dw.minus(dw.mean(INPUTS)).minus(along).dividedBy(standardDeviation));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return convolution.shape(x);
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(convolution.predict(x, standardized()));
    }
  }

  @Override
  public Map<String, Param> own() {
    return convolution.own();
  }

  @Override
  public long multiplyAdds(Shape in, Shape out) {
    return convolution.multiplyAdds(in, out);
  }

  @Override
  public String toString() {
    return "Standardized " + convolution;
  }
}
