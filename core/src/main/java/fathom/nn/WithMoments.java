package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;
import java.util.Map;

/// Layer norm that gives back what it takes off: N×F to N×(F+2), the normalised features, then
/// their mean μ and their standard deviation √(σ² + ε) before the norm, as two more features.
public record WithMoments(LayerNorm norm) implements Layer {
  public WithMoments {
    if (norm.features().rank() != 1) {
      throw new IllegalArgumentException(
          "moments are added to the features of N×F, but the norm is over " + norm.features());
    }
  }

  @Override
  public Traced forward(Tensor x) {
    check(x);
    var normed = norm.rows().forward(x, null);
    return new Traced(
        joined(normed.value(), normed.statistics()), dy -> back(dy, normed, x.type()));
  }

  private Tensor joined(Tensor value, Tensor statistics) {
    try (var scope = Scope.open()) {
      Tensor mean = statistics.narrow(1, 0, 1).to(value.type());
      Tensor deviation = deviation(statistics).to(value.type());
      return scope.keep(Tensor.concatenated(1, List.of(value, mean, deviation)));
    }
  }

  /// One over the reciprocal; 0 for the 0 of a case without any spread.
  private static Tensor deviation(Tensor statistics) {
    double[] pairs = statistics.toDoubles();
    double[] deviations = new double[pairs.length / 2];
    for (int i = 0; i < deviations.length; i++) {
      double r = pairs[2 * i + 1];
      deviations[i] = r == 0 ? 0 : 1 / r;
    }
    return Tensor.of(deviations, deviations.length, 1);
  }

  /// With dμ/dx = 1/F and d√(σ² + ε)/dx = x̂/F.
  private Tensor back(Tensor dy, CaseNorm.Normed normed, DType type) {
    try (var scope = Scope.open()) {
      long features = norm.features().size(0);
      Tensor dmean = dy.narrow(1, features, features + 1).to(DType.FLOAT64);
      Tensor ddeviation = dy.narrow(1, features + 1, features + 2).to(DType.FLOAT64);
      Tensor mean = normed.statistics().narrow(1, 0, 1);
      Tensor reciprocal = normed.statistics().narrow(1, 1, 2);
      Tensor normal = normed.s().to(DType.FLOAT64).minus(mean).times(reciprocal);
      Tensor ds = normal.times(ddeviation).plus(dmean).times(1.0 / features);
      return scope.keep(normed.back().apply(dy.narrow(1, 0, features), ds.to(type)));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return Shape.of(x.size(0), x.size(1) + 2);
  }

  @Override
  public Tensor predict(Tensor x) {
    check(x);
    try (var scope = Scope.open()) {
      var normed = norm.rows().forward(x, null);
      return scope.keep(joined(normed.value(), normed.statistics()));
    }
  }

  private void check(Tensor x) {
    Shape shape = x.shape();
    if (shape.rank() != 2 || shape.size(1) != norm.features().size(0)) {
      throw new IllegalArgumentException(
          "%s needs N×%s, but was given %s".formatted(this, norm.features(), shape));
    }
  }

  @Override
  public Map<String, Param> own() {
    return norm.own();
  }

  @Override
  public String toString() {
    return "WithMoments of " + norm;
  }
}
