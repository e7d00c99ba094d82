package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// The hyperbolic tangent y = tanh(x).
public record Tanh() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Tensor y = predict(x);
    return new Traced(y, dy -> Torch.tanhBackward(dy, y));
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return x.tanh();
  }

  @Override
  public String toString() {
    return "Tanh";
  }
}
