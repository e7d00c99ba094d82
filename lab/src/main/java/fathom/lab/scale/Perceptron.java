package fathom.lab.scale;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.loss.CrossEntropy;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.Relu;
import fathom.optim.Sgd;
import java.util.ArrayList;
import java.util.List;

/// A net of two hidden layers, each a product, layer norm (ε = 0) and a rectifier, and a last
/// product. The loss does not depend on the lengths of the two hidden matrices. It does depend on
/// those of gains, biases and the last product, which have an optimizer of their own, so that their
/// learning rate is independent of that of the hidden matrices.
final class Perceptron {
  final Layer net;

  /// The matrices whose lengths have no effect behind a norm.
  final List<Param> hidden;

  private final DType type;
  private final Sgd sgd;
  private final Sgd restSgd;

  /// @param normed with layer norm; otherwise with a bias in its place
  /// @param factor the factor of He's weights of the hidden layers
  /// @param decay weight decay of the hidden matrices; the rest has none
  Perceptron(
      DType type,
      int width,
      boolean normed,
      double factor,
      double momentum,
      double decay,
      long seed) {
    var init = Init.he(seed);
    var layers = new ArrayList<Layer>();
    var matrices = new ArrayList<Param>();
    for (int i = 0; i < 2; i++) {
      int in = i == 0 ? Points.FEATURES : width;
      Dense dense =
          normed
              ? Dense.withoutBias(init, "hidden" + i, in, width)
              : Dense.of(init, "hidden" + i, in, width);
      matrices.add(dense.weight());
      layers.add(dense);
      if (normed) {
        layers.add(LayerNorm.of(width).withEpsilon(0));
      }
      layers.add(new Relu());
    }
    layers.add(Dense.of(init, "head", width, Points.CLASSES));
    this.net = Chain.of(layers.toArray(Layer[]::new));
    this.hidden = List.copyOf(matrices);
    this.type = type;
    for (Param param : net.state().values()) {
      param.convert(type);
    }
    try (var _ = Scope.open()) {
      for (Param param : hidden) {
        param.value().copy_(param.value().times(factor));
      }
    }
    var rest = net.params().stream().filter(param -> !hidden.contains(param)).toList();
    this.sgd = new Sgd(FlatParams.of(hidden), momentum, decay);
    this.restSgd = new Sgd(FlatParams.of(rest), momentum, 0);
  }

  /// Computes the gradients of the mean cross-entropy of some points, and returns the loss.
  double gradients(Points data, int[] order, int from, int to) {
    try (var _ = Scope.open()) {
      Traced logits = net.forward(data.at(order, from, to, type));
      Traced loss = CrossEntropy.of(logits.value(), data.labelsAt(order, from, to));
      logits.accumulate(loss.back(Tensor.scalar(type, 1)));
      return loss.value().item();
    }
  }

  /// Makes one step of each optimizer, at `learningRate` for the hidden matrices and `restRate` for
  /// the rest.
  void step(double learningRate, double restRate) {
    sgd.step(learningRate);
    restSgd.step(restRate);
  }

  /// Returns the net's outputs for all points.
  double[] values(Points data) {
    try (var _ = Scope.open()) {
      return net.predict(data.all(type)).toDoubles();
    }
  }

  /// Returns the share of points, in percent, that the net classifies wrongly.
  double error(Points data) {
    try (var _ = Scope.open()) {
      return 100.0 * CrossEntropy.errors(net.predict(data.all(type)), data.labels()) / data.count();
    }
  }

  /// Returns the squared length of each hidden matrix.
  double[] squares() {
    return hidden.stream().mapToDouble(param -> square(param.value())).toArray();
  }

  /// Returns the squared length of each hidden matrix's gradient.
  double[] gradientSquares() {
    return hidden.stream().mapToDouble(param -> square(param.grad())).toArray();
  }

  static double square(Tensor t) {
    double sum = 0;
    for (double v : t.toDoubles()) {
      sum += v * v;
    }
    return sum;
  }
}
