package fathom.lab.cards;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Param;
import fathom.blackjack.Shoe;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.DynamicTanh;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.RmsNorm;
import fathom.nn.WithMoments;
import java.util.ArrayList;
import java.util.List;

/// The nets that the experiments on cards compare: 10-64-64-1 units, with one kind of norm before
/// each of the two rectifiers. The inputs have no constant part, so the arm decides what is
/// constant in the net.
///
/// A bias before a norm starts at 0, as is usual, or is drawn, so that it need not be learned.
///
/// Weights of the same name and shape start equal in all arms. The head starts at zero, so that
/// every net first predicts 0, because the quantity to be learned from rewards is a hundred times
/// smaller than the output of a random head.
enum Arm {
  NO_NORM("no norm"),
  BATCH_NORM("batch norm"),
  LAYER_NORM("layer norm, no bias before it"),
  LAYER_NORM_BIAS("layer norm behind a bias"),
  LAYER_NORM_DRAWN("layer norm behind a drawn bias"),
  RMS_NORM("RMS norm, no bias before it"),
  RESIDUAL("layer norm beside an un-normalised stream"),
  MOMENTS("layer norm with its moments"),
  DYNAMIC_TANH("dynamic tanh"),
  REFERENCES("layer norm with reference units");

  static final int WIDTH = 64;

  private final String label;

  Arm(String label) {
    this.label = label;
  }

  @Override
  public String toString() {
    return label;
  }

  /// Returns the net. Its first child is the first product, and its second child precedes the
  /// rectifier.
  Chain build(Init init) {
    return build(init, Shoe.RANKS, 1);
  }

  /// The same between other numbers of inputs and outputs.
  Chain build(Init init, int inputs, int outputs) {
    if (this == RESIDUAL) { // the head reads the stream, h + F(LN h) twice
      return new Chain(
          List.of(
              new Child("dense0", Dense.withoutBias(init, "dense0", inputs, WIDTH)),
              new Child("norm0", branch(init, "dense1")),
              new Child("norm1", branch(init, "dense2")),
              new Child("head", Dense.of(Init.zeros(), "head", WIDTH, outputs))));
    }
    var parts = new ArrayList<Child>();
    int in = inputs;
    for (int i = 0; i < 2; i++) {
      parts.add(new Child("dense" + i, product(init, "dense" + i, in)));
      if (this != NO_NORM) {
        parts.add(new Child("norm" + i, norm()));
      }
      parts.add(new Child("relu" + i, new Relu()));
      in = this == MOMENTS || this == REFERENCES ? WIDTH + 2 : WIDTH;
    }
    parts.add(new Child("head", Dense.of(Init.zeros(), "head", in, outputs)));
    return new Chain(parts);
  }

  private Layer product(Init init, String name, int in) {
    return switch (this) {
      case NO_NORM, LAYER_NORM_BIAS -> Dense.of(init, name, in, WIDTH);
      case LAYER_NORM_DRAWN -> // its standard deviation is 1, as that of the product
          new Dense(
              Param.of(init.weights(name + ".weight", in, WIDTH, in)),
              Param.of(init.weights(name + ".bias", 2, WIDTH)));
      case BATCH_NORM, LAYER_NORM, RMS_NORM, RESIDUAL, MOMENTS, DYNAMIC_TANH, REFERENCES ->
          Dense.withoutBias(init, name, in, WIDTH);
    };
  }

  private static Layer branch(Init init, String name) {
    return new Residual(
        Chain.of(LayerNorm.of(WIDTH), new Relu(), Dense.of(init, name, WIDTH, WIDTH)));
  }

  private Layer norm() {
    return switch (this) {
      case BATCH_NORM -> BatchNorm.of(WIDTH);
      case LAYER_NORM, LAYER_NORM_BIAS, LAYER_NORM_DRAWN -> LayerNorm.of(WIDTH);
      case RMS_NORM -> RmsNorm.of(WIDTH);
      case MOMENTS -> new WithMoments(LayerNorm.of(WIDTH));
      case DYNAMIC_TANH -> DynamicTanh.of(0.5, WIDTH);
      case REFERENCES -> Chain.of(new References(), LayerNorm.of(WIDTH + 2));
      case NO_NORM, RESIDUAL -> throw new IllegalStateException(this + " has none");
    };
  }
}
