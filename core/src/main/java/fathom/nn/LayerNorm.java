package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;

/// Layer norm (Ba, Kiros and Hinton 2016, eq. 3): y = g·(a − μ)/√(σ² + ε) + b, with the mean μ and
/// the biased variance σ² of one case over all its features, which are the dimensions after the
/// first: F features of N×F, or the whole C×H×W of a picture. The same in training and prediction,
/// and for a batch of one.
public record LayerNorm(Param gain, Param bias, double epsilon) implements Layer {
  /// Gains 1 and biases 0 for features of this shape, ε = 1e-5.
  public static LayerNorm of(long... features) {
    return new LayerNorm(
        Param.of(Tensor.zeros(DType.FLOAT32, features).plus(1)),
        Param.of(Tensor.zeros(DType.FLOAT32, features)),
        1e-5);
  }

  @Override
  public Traced forward(Tensor x) {
    Tensor rows = input(x);
    var normed = Torch.layerNorm(rows, features(), gain.value(), bias.value(), epsilon);
    return new Traced(
        normed.value(),
        dy -> {
          try (var scope = Scope.open()) {
            var gradients =
                Torch.layerNormBackward(
                    dy.contiguous(), rows, features(), normed, gain.value(), bias.value());
            gain.grad().add_(gradients.dgain());
            bias.grad().add_(gradients.dbias());
            return scope.keep(gradients.dx());
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(
          Torch.layerNorm(input(x), features(), gain.value(), bias.value(), epsilon).value());
    }
  }

  private Tensor input(Tensor x) {
    boolean fits = x.shape().rank() == features().rank() + 1;
    for (int i = 0; fits && i < features().rank(); i++) {
      fits = x.shape().size(i + 1) == features().size(i);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "%s needs N×%s, but was given %s".formatted(this, features(), x.shape()));
    }
    return x.contiguous();
  }

  private Shape features() {
    return gain.value().shape();
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
    return "LayerNorm " + features();
  }
}
