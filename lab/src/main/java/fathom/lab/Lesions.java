package fathom.lab;

import fathom.Layer;
import fathom.Scope;
import fathom.nn.Chain;
import fathom.nn.Identity;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Row 28 on the embedded digits: each block is taken out in turn, and the test error measured. The
/// plain net has the depth at which it still trains. What it does not show: the paper's nets are
/// convolutional, of 54 blocks.
final class Lesions implements Experiment {
  @Override
  public String name() {
    return "lesions";
  }

  @Override
  public String question() {
    return "What does a trained net lose with one of its blocks?";
  }

  @Override
  public String claim() {
    return "A residual net hardly misses a block; a plain net without one of its blocks knows nothing.";
  }

  @Override
  public String source() {
    return "Veit et al. 2016, section 4.1; row 28, at the size of digits";
  }

  @Override
  public String cost() {
    return "5 s";
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture train = Mixture.digits(true);
    Mixture test = Mixture.digits(false);
    int width = size.of(8, 48, 48);
    var training = new Training(0.05, size.of(1, 30, 60));
    measure(
        DeepNet.residual(train.features(), width, size.of(4, 28, 56)),
        "residual",
        Bound.atMost(2),
        training,
        seed,
        train,
        test,
        note);
    measure(
        DeepNet.plain(train.features(), width, 8),
        "plain",
        Bound.atLeast(20),
        training,
        seed,
        train,
        test,
        note);
  }

  private static void measure(
      DeepNet shape,
      String kind,
      Bound bound,
      Training training,
      long seed,
      Mixture train,
      Mixture test,
      Notebook note) {
    try (var _ = Scope.open()) {
      Chain net = shape.build(seed);
      training.run(net, train, seed, note);
      double whole = error(net, test);
      note.measure(kind + ", whole, test error, %", whole, Bound.atMost(10));
      var losses = new ArrayList<Double>();
      List<Layer> layers = net.children().stream().map(Layer.Child::layer).toList();
      for (int i = 0; i < layers.size(); i++) {
        if (net.children().get(i).name().startsWith("block")) {
          note.alive();
          var damaged = new ArrayList<Layer>(layers);
          damaged.set(
              i, new Identity()); // a block's values are not negative: nothing is left of it
          losses.add(error(net.with(damaged), test) - whole);
        }
      }
      double[] y = losses.stream().mapToDouble(d -> d).toArray();
      double[] sorted = y.clone();
      Arrays.sort(sorted);
      note.measure(
          kind + ", one block out, median of the error's rise, points",
          (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2,
          bound);
      note.measure(kind + ", one block out, largest rise, points", sorted[sorted.length - 1]);
      note.curve(
          "Rise of the test error without one block",
          "block",
          "points",
          Scale.LINEAR,
          kind,
          IntStream.rangeClosed(1, y.length).asDoubleStream().toArray(),
          y);
    }
  }

  private static double error(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return Training.wrong(net.predict(data.all()), data);
    }
  }
}
