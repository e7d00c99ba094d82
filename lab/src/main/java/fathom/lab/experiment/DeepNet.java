package fathom.lab.experiment;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// A fully connected net of equal hidden layers in blocks. A layer is a product, batch norm and a
/// rectifier. A shortcut leads around each block and ends before its last rectifier (He et al.
/// 2016, figure 2). Without shortcuts it is the plain net with the same parameters and the same
/// initial weights.
///
/// @param in the number of features of a point
/// @param width the units of a hidden layer
/// @param depth hidden layers behind the first product, a multiple of `span`
/// @param span layers of a block
/// @param shortcut the factor of the shortcut: 1 for a residual net, 0 for a plain one
record DeepNet(int in, int width, int depth, int span, double shortcut) {
  static DeepNet plain(int in, int width, int depth) {
    return new DeepNet(in, width, depth, 2, 0);
  }

  static DeepNet residual(int in, int width, int depth) {
    return new DeepNet(in, width, depth, 2, 1);
  }

  DeepNet {
    if (depth % span != 0) {
      throw new IllegalArgumentException(
          "%s layers are no blocks of %s; choose a multiple".formatted(depth, span));
    }
  }

  String name() {
    String kind = shortcut == 0 ? "plain" : shortcut == 1 ? "residual" : "shortcut×" + shortcut;
    return kind + "-" + depth;
  }

  Chain build(long seed) {
    return around(Init.he(seed), in, width, depth / span, this::block);
  }

  /// Returns a net of a first product and rectifier, blocks from `width` to `width`, each with its
  /// own initial weights, and a last product.
  static Chain around(Init init, int in, int width, int blocks, Function<Init, Layer> block) {
    var parts = new ArrayList<Child>();
    parts.add(new Child("stem", Dense.withoutBias(init, "stem", in, width)));
    parts.add(new Child("relu", new Relu()));
    for (int i = 0; i < blocks; i++) {
      parts.add(new Child("block" + i, block.apply(init.in("block" + i))));
    }
    parts.add(new Child("head", Dense.of(init, "head", width, Mixture.CLASSES)));
    return new Chain(parts);
  }

  private Layer block(Init init) {
    return new Chain(List.of(new Child("", branch(init)), new Child("relu", new Relu())));
  }

  /// Returns a block without its last rectifier, which is behind the addition.
  Layer branch(Init init) {
    var branch = new ArrayList<Child>();
    for (int i = 0; i < span; i++) {
      branch.add(new Child("dense" + i, Dense.withoutBias(init, "dense" + i, width, width)));
      branch.add(new Child("norm" + i, BatchNorm.of(width)));
      if (i < span - 1) {
        branch.add(new Child("relu" + i, new Relu()));
      }
    }
    Layer around = new Chain(branch);
    if (shortcut == 0) {
      return around;
    }
    return new Residual(around, shortcut == 1 ? new Identity() : new Scaled(shortcut));
  }
}
