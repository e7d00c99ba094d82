package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// The rectified linear unit (ReLU) y = max(x, 0).
public record Relu() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    Tensor y = predict(x);
    return new Traced(y, dy -> Torch.reluBackward(dy, y));
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return x.relu();
  }

  @Override
  public String toString() {
    return "Relu";
  }
}
