package fathom.lab.experiment;

import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;

/// y = k·x.
record Scaled(double factor) implements Layer {
  @Override
  public Traced forward(Tensor x) {
    return new Traced(x.times(factor), dy -> dy.times(factor));
  }
}
