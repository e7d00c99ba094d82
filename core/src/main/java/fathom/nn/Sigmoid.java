package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// The logistic function y = 1 / (1 + e⁻ˣ).
public record Sigmoid() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Tensor y = predict(x);
    return new Traced(y, dy -> Torch.sigmoidBackward(dy, y));
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return x.sigmoid();
  }

  @Override
  public String toString() {
    return "Sigmoid";
  }
}
