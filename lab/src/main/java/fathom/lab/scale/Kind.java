package fathom.lab.scale;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Tensor;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.nn.WeightNorm;

/// The norms behind which the length of a weight has no effect: of each row wᵢ of W under batch and
/// weight norm, of the whole matrix under layer and RMS norm.
enum Kind {
  BATCH("batch norm", true),
  WEIGHT("weight norm", true),
  LAYER("layer norm", false),
  RMS("RMS norm", false);

  final String words;

  /// Whether the length of each single row has no effect.
  final boolean ofRows;

  Kind(String words, boolean ofRows) {
    this.words = words;
    this.ofRows = ofRows;
  }

  /// Returns the factor of W. The ε of batch norm is fixed, and negligible beside variances of 10⁸.
  /// The other norms take ε = 0.
  double size() {
    return this == BATCH ? 1e4 : 1;
  }

  /// Returns a product with W (units×inputs, float64) and this norm, with drawn gains and, where it
  /// has them, drawn biases. Its gradient by W is that of [#weight].
  Layer over(Tensor weights, double epsilon, long seed) {
    int units = (int) weights.shape().size(0);
    int inputs = (int) weights.shape().size(1);
    var dense = Dense.withoutBias((_, _, _) -> weights.plus(0.0), "", inputs, units);
    Layer layer =
        switch (this) {
          case BATCH -> Chain.of(dense, BatchNorm.of(units));
          case WEIGHT -> WeightNorm.of(dense);
          case LAYER -> Chain.of(dense, LayerNorm.of(units).withEpsilon(epsilon));
          case RMS -> Chain.of(dense, RmsNorm.of(units).withEpsilon(epsilon));
        };
    layer
        .state()
        .forEach((path, param) -> {
          param.convert(DType.FLOAT64);
          if (param.trained() && param.value().shape().rank() == 1) {
            param.value().copy_(Tensor.normal(RandomKey.of(seed, path), DType.FLOAT64, units));
          }
        });
    return layer;
  }

  /// Returns the W of a layer that [#over] made.
  static Param weight(Layer layer) {
    return layer.params().stream()
        .filter(param -> param.value().shape().rank() == 2)
        .findFirst()
        .orElseThrow();
  }
}
