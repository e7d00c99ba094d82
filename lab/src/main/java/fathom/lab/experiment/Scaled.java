package fathom.lab.experiment;

import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;

/// The layer y = k·x with a fixed k.
record Scaled(double factor) implements Layer {
  @Override
  public Traced forward(Tensor x) {
    return new Traced(x.times(factor), dy -> dy.times(factor));
  }
}
