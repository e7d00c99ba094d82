package fathom.lab.instrument;

import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// The loss around a net's parameters, in a plane of two random directions whose filters are as
/// long as those of the parameters (Li et al. 2018, section 4): `L(θ + a·δ + b·η)`. Without this
/// scaling, nets with weights of other lengths could not be compared, because behind a norm the
/// length of a weight has no meaning.
///
/// A filter holds the weights of one unit or channel: a row of a weight, along its first dimension.
/// Parameters of one dimension, biases and gains, do not change.
///
/// @param at the places along both directions, ascending
/// @param losses `losses[i][j]` at `at[i]` along the first direction and `at[j]` along the second
/// @param outward the derivative of the loss along the ray from the middle, at the same places; 0
///   in the middle
public record LossSurface(double[] at, double[][] losses, double[][] outward) {
  private static final double STEP = 1e-2;

  /// Measures the loss at `places`² points. `loss` is called with the net three times for each, and
  /// must not change the net. Afterwards the parameters are as before.
  ///
  /// The cost is 3·places² losses, and three copies of the parameters.
  ///
  /// @param net the net in the middle
  /// @param loss the loss of a net
  /// @param reach the largest distance from the middle along a direction; 1 is the length of the
  ///   parameters
  /// @param places the number of places along a direction, at least 2
  /// @param seed decides the directions
  /// @throws IllegalArgumentException for fewer than two places, or a reach that is not positive
  public static LossSurface of(
      Layer net, ToDoubleFunction<Layer> loss, double reach, int places, long seed) {
    if (places < 2 || !(reach > 0)) {
      throw new IllegalArgumentException(
          "a surface needs two places or more and a positive reach, but has %s and %s"
              .formatted(places, reach));
    }
    List<Param> weights = net.params().stream().filter(p -> p.value().shape().rank() > 1).toList();
    var middle = weights.stream().map(p -> p.value().toDoubles()).toList();
    var first = directions(weights, middle, RandomKey.of(seed, "surface 1"));
    var second = directions(weights, middle, RandomKey.of(seed, "surface 2"));
    double[] at = new double[places];
    double[][] losses = new double[places][places];
    double[][] outward = new double[places][places];
    for (int i = 0; i < places; i++) {
      at[i] = reach * (2.0 * i / (places - 1) - 1);
    }
    try {
      for (int i = 0; i < places; i++) {
        for (int j = 0; j < places; j++) {
          double[] of = new double[3];
          for (int k = 0; k < 3; k++) {
            double scale = 1 + (k - 1) * STEP;
            move(weights, middle, first, second, scale * at[i], scale * at[j]);
            of[k] = loss.applyAsDouble(net);
          }
          losses[i][j] = of[1];
          double radius = Math.hypot(at[i], at[j]);
          outward[i][j] = radius == 0 ? 0 : (of[2] - of[0]) / (2 * STEP * radius);
        }
      }
    } finally {
      move(weights, middle, first, second, 0, 0);
    }
    return new LossSurface(at, losses, outward);
  }

  /// Returns the share of places from which descent along the ray leads away from the middle.
  public double astray() {
    int count = 0;
    for (double[] row : outward) {
      for (double slope : row) {
        count += slope < 0 ? 1 : 0;
      }
    }
    return count / (double) (at.length * at.length);
  }

  private static List<double[]> directions(
      List<Param> weights, List<double[]> middle, RandomKey key) {
    var directions = new ArrayList<double[]>();
    for (int w = 0; w < middle.size(); w++) {
      double[] value = middle.get(w);
      double[] d = new double[value.length];
      int filters = (int) weights.get(w).value().shape().size(0);
      int size = value.length / filters;
      for (int f = 0; f < filters; f++) {
        double own = 0;
        double drawn = 0;
        for (int k = f * size; k < (f + 1) * size; k++) {
          d[k] = key.at(w).normal(k);
          own += value[k] * value[k];
          drawn += d[k] * d[k];
        }
        for (int k = f * size; k < (f + 1) * size; k++) {
          d[k] *= Math.sqrt(own / drawn);
        }
      }
      directions.add(d);
    }
    return directions;
  }

  private static void move(
      List<Param> weights,
      List<double[]> middle,
      List<double[]> first,
      List<double[]> second,
      double a,
      double b) {
    for (int w = 0; w < middle.size(); w++) {
      double[] moved = middle.get(w).clone();
      for (int k = 0; k < moved.length; k++) {
        moved[k] += a * first.get(w)[k] + b * second.get(w)[k];
      }
      try (var _ = Scope.open()) {
        Tensor value = weights.get(w).value();
        value.copy_(Tensor.of(moved, value.shape().toArray()));
      }
    }
  }
}
