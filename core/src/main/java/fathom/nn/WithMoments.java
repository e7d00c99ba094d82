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

/// Layer norm that also outputs the statistics that it removes. It maps N×F to N×(F+2): the
/// normalised features, then their mean μ and their standard deviation √(σ² + ε) before the norm.
/// It maps images N×C×H×W to N×(C+2)×H×W, with μ and √(σ² + ε) of the whole image at each pixel.
public record WithMoments(LayerNorm norm) implements Layer {
  /// Throws `IllegalArgumentException` if the norm is neither over the features of N×F nor over the
  /// whole of N×C×H×W.
  public WithMoments {
    int rank = norm.features().rank();
    if (rank != 1 && (rank != 3 || norm.over() != LayerNorm.Over.FEATURES)) {
      throw new IllegalArgumentException(
          "moments are added to the features of N×F or the channels of N×C×H×W, but the norm is"
              + " over "
              + norm.features());
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
      Tensor mean = spread(statistics.narrow(1, 0, 1), value).to(value.type());
      Tensor standardDeviation = spread(standardDeviation(statistics), value).to(value.type());
      return scope.keep(Tensor.concatenated(1, List.of(value, mean, standardDeviation)));
    }
  }

  /// Returns a statistic of each case as a feature, or as a channel that is the same at every
  /// pixel.
  private static Tensor spread(Tensor each, Tensor like) {
    Shape shape = like.shape();
    if (shape.rank() == 2) {
      return each;
    }
    long n = shape.size(0);
    return each.reshape(n, 1, 1, 1)
        .expand(Shape.of(n, 1, shape.size(2), shape.size(3)))
        .contiguous();
  }

  /// Inverts the reciprocal standard deviation; returns 0 where that is 0, which marks a case
  /// without spread.
  private static Tensor standardDeviation(Tensor statistics) {
    double[] pairs = statistics.toDoubles();
    double[] standardDeviations = new double[pairs.length / 2];
    for (int i = 0; i < standardDeviations.length; i++) {
      double r = pairs[2 * i + 1];
      standardDeviations[i] = r == 0 ? 0 : 1 / r;
    }
    return Tensor.of(standardDeviations, standardDeviations.length, 1);
  }

  /// Computes dE/dx with dμ/dx = 1/F and d√(σ² + ε)/dx = x̂/F, where F counts the features, or all
  /// pixels of all channels.
  private Tensor back(Tensor dy, CaseNorm.Normed normed, DType type) {
    try (var scope = Scope.open()) {
      long first = norm.features().size(0);
      Tensor dmean = gathered(dy.narrow(1, first, first + 1).to(DType.FLOAT64));
      Tensor ddeviation = gathered(dy.narrow(1, first + 1, first + 2).to(DType.FLOAT64));
      Tensor mean = alone(normed.statistics().narrow(1, 0, 1), dmean);
      Tensor reciprocal = alone(normed.statistics().narrow(1, 1, 2), dmean);
      Tensor normal = normed.s().to(DType.FLOAT64).minus(mean).times(reciprocal);
      Tensor ds = normal.times(ddeviation).plus(dmean).times(1.0 / norm.features().elements());
      Tensor own = dy.narrow(1, 0, first);
      return scope.keep(normed.back().apply(own, ds.to(type)));
    }
  }

  /// The backward pass of [#spread].
  private static Tensor gathered(Tensor dy) {
    return dy.shape().rank() == 2 ? dy : alone(dy.sum(2, 3), dy);
  }

  /// Returns a statistic of each case as N×1, or as N×1×1×1 if `like` has four dimensions.
  private static Tensor alone(Tensor each, Tensor like) {
    return like.shape().rank() == 2 ? each : each.reshape(each.shape().size(0), 1, 1, 1);
  }

  @Override
  public Shape shape(Shape x) {
    return x.rank() == 2
        ? Shape.of(x.size(0), x.size(1) + 2)
        : Shape.of(x.size(0), x.size(1) + 2, x.size(2), x.size(3));
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
    Shape features = norm.features();
    boolean fits = shape.rank() == features.rank() + 1;
    for (int i = 0; fits && i < features.rank(); i++) {
      fits = shape.size(i + 1) == features.size(i);
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "%s needs N×%s, but was given %s".formatted(this, features, shape));
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
