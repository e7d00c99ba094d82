package fathom.lab.reading;

import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;

/// How far two points are from being in order (Vendrov et al. 2016, eq. 2): E(x, y) = ‖max(0, y −
/// x)‖², which is 0 exactly if x is at least y in every coordinate, as "x is a kind of y" shall
/// say.
final class OrderPenalty {
  private OrderPenalty() {}

  /// E of each row of N×H `specific` with that of `general`, N×1.
  static Tensor of(Tensor specific, Tensor general) {
    try (var scope = Scope.open()) {
      return scope.keep(general.minus(specific).relu().square().sum(1));
    }
  }

  /// The loss of pairs among `points` (their eq. 3, as a mean): that of the true ones is E, that of
  /// the corrupted ones max(0, α − E). Its value has no dimensions; the way back leads to the
  /// points.
  ///
  /// @param points K×H
  /// @param margin α
  static Traced loss(Tensor points, Pairs pairs, double margin) {
    Tensor specific = Torch.rows(points, pairs.specific());
    Tensor general = Torch.rows(points, pairs.general());
    Tensor over = general.minus(specific).relu();
    double[] penalties = over.square().sum(1).toDoubles();
    double[] slopes = new double[penalties.length];
    int corrupted = penalties.length - pairs.held();
    double value = 0;
    for (int i = 0; i < penalties.length; i++) {
      if (i < pairs.held()) {
        value += penalties[i] / pairs.held();
        slopes[i] = 1.0 / pairs.held();
      } else if (penalties[i] < margin) {
        value += (margin - penalties[i]) / corrupted;
        slopes[i] = -1.0 / corrupted;
      }
    }
    return new Traced(
        Tensor.scalar(points.type(), value),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor slope = Tensor.zeros(points.type(), slopes.length, 1).copy_(slopes);
            // dE/dy = 2·max(0, y − x), and dE/dx is the same with the other sign.
            Tensor d = over.times(slope).times(2 * dy.item());
            Tensor dpoints = points.zerosLike();
            Torch.addRows_(dpoints, pairs.general(), d);
            Torch.addRows_(dpoints, pairs.specific(), d.times(-1));
            return scope.keep(dpoints);
          }
        });
  }
}
