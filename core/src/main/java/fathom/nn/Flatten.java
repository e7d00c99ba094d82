package fathom.nn;

import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;

/// N×A×B×... as N×(A·B·...), in row-major order: features for a dense layer.
public record Flatten() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    long[] shape = x.shape().toArray();
    return new Traced(predict(x), dy -> dy.reshape(shape));
  }

  @Override
  public Tensor predict(Tensor x) {
    long rows = x.shape().size(0);
    long features = 1;
    for (int i = 1; i < x.shape().rank(); i++) {
      features *= x.shape().size(i);
    }
    return x.reshape(rows, features);
  }

  @Override
  public String toString() {
    return "Flatten";
  }
}
