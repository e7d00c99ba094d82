package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;

/// Reshapes N×A×B×... to N×(A·B·...) in row-major order, which makes images into features for a
/// dense layer.
public record Flatten() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    long[] shape = x.shape().toArray();
    return new Traced(predict(x), dy -> dy.reshape(shape));
  }

  @Override
  public Shape shape(Shape x) {
    long features = 1;
    for (int i = 1; i < x.rank(); i++) {
      features *= x.size(i);
    }
    return Shape.of(x.size(0), features);
  }

  @Override
  public Tensor predict(Tensor x) {
    return x.reshape(shape(x.shape()).toArray());
  }

  @Override
  public String toString() {
    return "Flatten";
  }
}
