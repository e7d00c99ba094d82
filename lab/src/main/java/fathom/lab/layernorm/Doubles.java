package fathom.lab.layernorm;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Tensor;

/// Layers and random numbers in float64.
final class Doubles {
  private Doubles() {}

  static Layer of(Layer layer) {
    convert(layer);
    return layer;
  }

  static void convert(Node node) {
    for (Param param : node.state().values()) {
      param.convert(DType.FLOAT64);
    }
  }

  static Tensor normal(long seed, String what, long... shape) {
    return Tensor.normal(RandomKey.of(seed, "layer norm " + what), DType.FLOAT64, shape);
  }

  static double largest(double[] values) {
    double largest = 0;
    for (double v : values) {
      largest = Double.isNaN(v) ? Double.NaN : Math.max(largest, Math.abs(v));
    }
    return largest;
  }

  /// Returns the largest |aᵢ − bᵢ|.
  static double apart(double[] a, double[] b) {
    double[] differences = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      differences[i] = a[i] - b[i];
    }
    return largest(differences);
  }
}
