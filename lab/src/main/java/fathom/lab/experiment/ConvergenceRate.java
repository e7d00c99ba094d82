package fathom.lab.experiment;

import fathom.DType;
import fathom.Layer;
import fathom.Layer.Child;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.lab.instrument.Spectrum;
import fathom.lab.instrument.TangentKernel;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Identity;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.report.Scale;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Measures how the largest eigenvalue of the tangent kernel, and with it the largest stable
/// learning rate of gradient descent, depend on depth. Source of the claim: the conjecture of He et
/// al. 2016, section 4.1, on "exponentially low convergence rates"; Jacot et al. 2018; Yang et al.
/// 2019; row 23 of the project's list of claims.
///
/// The nets have width 128 and are at their start, on 32 Gaussian inputs in float64. The residual
/// nets have norm and rectifier before the product ("identity mappings"). Every net ends in a
/// product with a normal vector of length about one, which is a parameter too.
///
/// The nets are untrained, so the experiment does not show how the kernel changes in training.
final class ConvergenceRate implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "convergence-rate",
        "Do deep plain nets have \"exponentially low convergence rates\", as the paper conjectures?",
        "The largest eigenvalue of a plain net's tangent kernel with batch norm grows exponentially"
            + " with depth, and the largest stable learning rate falls as fast; that of a residual net stays"
            + " within a factor of ten.",
        "He et al. 2016, section 4.1 (the conjecture); Jacot et al. 2018; Yang et al. 2019; row 23",
        "20 s");
  }

  private enum Kind {
    PLAIN("plain, batch norm"),
    BARE("plain, no norm"),
    RESIDUAL("residual, batch norm");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int width = size.of(8, 128, 256);
    int inputs = size.of(4, 32, 64);
    int[] depths = {2, 4, 8, 16, 32};
    var largest =
        Map.of(
            Kind.PLAIN, new double[depths.length],
            Kind.BARE, new double[depths.length],
            Kind.RESIDUAL, new double[depths.length]);
    for (Kind kind : Kind.values()) {
      double[] condition = new double[depths.length];
      for (int i = 0; i < depths.length; i++) {
        note.alive();
        Spectrum kernel = kernel(kind, width, depths[i], inputs, seed);
        at(largest, kind)[i] = kernel.values()[0];
        condition[i] = kernel.condition();
      }
      double[] x = Arrays.stream(depths).asDoubleStream().toArray();
      note.curve(
          "Largest eigenvalue of the tangent kernel",
          "layers",
          "λ_max",
          Scale.LOG,
          kind.words,
          x,
          at(largest, kind));
      note.curve(
          "Condition number of the tangent kernel",
          "layers",
          "λ_max / λ_min",
          Scale.LOG,
          kind.words,
          x,
          condition);
      note.measure(
          kind.words + ", λ_max at 32 layers over that at 8",
          at(largest, kind)[4] / at(largest, kind)[2],
          switch (kind) {
            case PLAIN -> Bound.atLeast(3e3);
            case BARE -> Bound.NONE;
            case RESIDUAL -> Bound.atMost(10);
          });
      note.measure(
          kind.words + ", largest stable learning rate at 32 layers", 2 / at(largest, kind)[4]);
      note.measure(kind.words + ", condition number at 32 layers", condition[4]);
    }
  }

  private static double[] at(Map<Kind, double[]> map, Kind kind) {
    return map.getOrDefault(kind, new double[0]);
  }

  private static Spectrum kernel(Kind kind, int width, int depth, int inputs, long seed) {
    try (var _ = Scope.open()) {
      var layers = new ArrayList<Child>();
      for (int l = 0; l < depth; l++) {
        Layer dense = Signals.dense(width, seed, l);
        layers.add(
            new Child(
                "block" + l,
                switch (kind) {
                  case PLAIN -> Chain.of(dense, constant(width), new Relu());
                  case BARE -> Chain.of(dense, new Relu());
                  case RESIDUAL ->
                      new Residual(Chain.of(constant(width), new Relu(), dense), new Identity());
                }));
      }
      layers.add(
          new Child(
              "end",
              Signals.doubles(
                  Dense.withoutBias(
                      (path, in, shape) ->
                          Tensor.normal(RandomKey.of(seed, "init " + path), DType.FLOAT32, shape)
                              .times(1 / Math.sqrt((double) in)),
                      "end",
                      width,
                      1))));
      return TangentKernel.of(
          new Chain(List.copyOf(layers)),
          Signals.inputs(width, inputs, seed),
          Tensor.of(new double[] {1}, 1, 1));
    }
  }

  /// Returns batch norm whose gain and bias are not among the parameters, as in the pilot.
  private static Layer constant(int width) {
    return new Frozen(Signals.batchNorm(width));
  }

  /// Hides the parameters of a layer.
  private record Frozen(Layer layer) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      return layer.forward(x);
    }
  }
}
