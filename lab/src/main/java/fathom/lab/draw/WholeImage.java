package fathom.lab.draw;

import fathom.Tensor;
import fathom.nn.Dense;
import fathom.nn.Init;
import java.util.List;

/// No attention: the whole image and the whole error are read, and W·h is added to the whole canvas
/// (Gregor et al. 2015, eq. 17-18).
record WholeImage(Dense patch) implements Window {
  static WholeImage of(Init init, int hidden, int pixels) {
    return new WholeImage(Dense.of(init, "write", hidden, pixels));
  }

  @Override
  public int numbers() {
    return 2 * Math.toIntExact(patch.weight().value().shape().size(0));
  }

  @Override
  public Tensor read(Tensor x, Tensor error, Tensor h) {
    return Tensor.concatenated(1, List.of(x, error));
  }

  @Override
  public Tensor write(Tensor h) {
    return patch.predict(h);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("write", patch));
  }
}
