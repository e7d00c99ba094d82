package fathom.lab.instrument;

import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// The movement of each weight, a trained parameter with two or more dimensions, by steps of
/// training, from the input on. Take a [#snapshot] w₀ before, and call [#since] after.
///
/// Where a norm follows a weight, only the direction of the weight matters, not its length. A
/// gradient step of learning rate η then turns it by an angle of about (η/‖w‖²)·‖w‖·‖g‖, and
/// `η/‖w‖²` is the effective learning rate of the direction (van Laarhoven 2017): weights that grow
/// slow themselves down. The cost is one pass over the weights, and a copy of them.
///
/// @param growth ‖w‖ / ‖w₀‖
/// @param update ‖w − w₀‖ / ‖w₀‖
/// @param angle the angle between w and w₀, in radians
/// @param effectiveRate η / ‖w‖²
public record Movement(double[] growth, double[] update, double[] angle, double[] effectiveRate) {
  /// Returns a copy of the weights.
  public static List<double[]> snapshot(Node net) {
    return weights(net).map(Tensor::toDoubles).toList();
  }

  /// Returns the movement of the weights since the snapshot `before`; `learningRate` is η. Throws
  /// `IllegalArgumentException` if the snapshot has another number of weights than the net.
  public static Movement since(List<double[]> before, Node net, double learningRate) {
    List<double[]> now = snapshot(net);
    if (now.size() != before.size()) {
      throw new IllegalArgumentException(
          "a snapshot of the same net is needed, but it has %s weights and the net %s"
              .formatted(before.size(), now.size()));
    }
    int n = now.size();
    var movement = new Movement(new double[n], new double[n], new double[n], new double[n]);
    for (int i = 0; i < n; i++) {
      movement.measure(i, before.get(i), now.get(i), learningRate);
    }
    return movement;
  }

  private void measure(int i, double[] old, double[] now, double learningRate) {
    double a = 0;
    double b = 0;
    double moved = 0;
    for (int k = 0; k < now.length; k++) {
      a += old[k] * old[k];
      b += now[k] * now[k];
      moved += (now[k] - old[k]) * (now[k] - old[k]);
    }
    double sum = 0;
    double difference = 0;
    for (int k = 0; k < now.length; k++) { // unit vectors keep small angles
      double u = old[k] / Math.sqrt(a);
      double v = now[k] / Math.sqrt(b);
      sum += (u + v) * (u + v);
      difference += (u - v) * (u - v);
    }
    growth[i] = Math.sqrt(b / a);
    update[i] = Math.sqrt(moved / a);
    angle[i] = 2 * Math.atan2(Math.sqrt(difference), Math.sqrt(sum));
    effectiveRate[i] = learningRate / b;
  }

  private static Stream<Tensor> weights(Node net) {
    return net.params().stream().map(Param::value).filter(v -> v.shape().rank() > 1);
  }
}
