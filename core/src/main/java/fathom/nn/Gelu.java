package fathom.nn;

import fathom.Layer;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// The Gaussian error linear unit y = x·Φ(x), where Φ is the distribution function of the standard
/// normal distribution (Hendrycks and Gimpel 2016, section 2). It uses the error function and not
/// the approximation with tanh.
public record Gelu() implements Layer {
  @Override
  public Traced forward(Tensor x) {
    return new Traced(predict(x), dy -> Torch.geluBackward(dy, x));
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    return Torch.gelu(x);
  }

  @Override
  public String toString() {
    return "Gelu";
  }
}
