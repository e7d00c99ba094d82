package fathom.lab.instrument;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.BatchNorm;
import fathom.nn.Residual;
import java.util.Arrays;

/// The lengths of the paths that carry the gradient of a net with n residual connections, one
/// behind the other. A path takes the branch or the shortcut at each of them. There are C(n, k)
/// paths that take k branches, and the gradient by the input is the sum over all 2ⁿ paths (Veit et
/// al. 2016, section 4.3).
///
/// @param paths `C(n, k) / 2ⁿ` for k from 0 to n: the share of paths that have this length
/// @param norms the mean norm of the input's gradient along a single path of k branches
/// @param shares `C(n, k)·norms[k]` over the sum of these: the share of the gradient that paths of
///   this length carry, if no two paths cancel
public record PathLengths(double[] paths, double[] norms, double[] shares) {
  /// Sends the gradient of `direction · f(x)` back along random paths. The net is run as in
  /// prediction, with batch norm's running statistics, so that the paths of different examples are
  /// independent.
  ///
  /// The cost is n + 1 forward and backward passes over the batch. The parameters' gradients
  /// change.
  ///
  /// @param net the net, with outputs of N×O
  /// @param x the inputs, N×...; each example takes one random path of each length
  /// @param direction 1×O, the weights of the outputs
  /// @param seed decides the paths
  /// @throws IllegalArgumentException if the net has no residual connection, or its outputs are not
  ///   N×O
  public static PathLengths of(Layer net, Tensor x, Tensor direction, long seed) {
    int rows = (int) x.shape().size(0);
    int n = Lesion.parts(net, Lesion.BRANCHES).size();
    if (n == 0) {
      throw new IllegalArgumentException(
          "the lengths of paths are counted in residual connections, but %s has none"
              .formatted(net));
    }
    double[] norms = new double[n + 1];
    for (int k = 0; k <= n; k++) {
      try (var _ = Scope.open()) {
        double[][] taken = new double[n][rows];
        for (int row = 0; row < rows; row++) {
          int[] order = RandomKey.of(seed, "paths").at(k).at(row).permutation(n);
          for (int i = 0; i < k; i++) {
            taken[order[i]][row] = 1;
          }
        }
        Traced traced = Layer.map(net, new Paths(taken)).forward(x);
        Tensor dx = traced.back(cotangent(traced.value().shape(), direction, rows));
        double[] each = dx.toDoubles();
        int size = each.length / rows;
        for (int row = 0; row < rows; row++) {
          double squares = 0;
          for (int i = row * size; i < (row + 1) * size; i++) {
            squares += each[i] * each[i];
          }
          norms[k] += Math.sqrt(squares) / rows;
        }
      }
    }
    return of(norms);
  }

  private static Tensor cotangent(Shape shape, Tensor direction, int rows) {
    Shape expected = Shape.of(rows, direction.shape().elements());
    if (!shape.equals(expected)) {
      throw new IllegalArgumentException(
          "the lengths of paths are of values N×O, here %s by the direction, but the net gives %s"
              .formatted(expected, shape));
    }
    return direction.reshape(1, shape.size(1)).expand(shape).contiguous();
  }

  private static PathLengths of(double[] norms) {
    int n = norms.length - 1;
    double[] paths = new double[n + 1];
    paths[0] = Math.pow(2, -n);
    for (int k = 1; k <= n; k++) {
      paths[k] = paths[k - 1] * (n - k + 1) / k;
    }
    double[] shares = new double[n + 1];
    double sum = 0;
    for (int k = 0; k <= n; k++) {
      shares[k] = paths[k] * norms[k];
      sum += shares[k];
    }
    for (int k = 0; k <= n; k++) {
      shares[k] /= sum;
    }
    return new PathLengths(paths, norms, shares);
  }

  /// Returns the mean number of branches on the gradient's paths, `Σ k·shares[k]`. It is n/2 if all
  /// paths carry the same.
  public double meanLength() {
    double sum = 0;
    for (int k = 0; k < shares.length; k++) {
      sum += k * shares[k];
    }
    return sum;
  }

  /// Returns the smallest k for which paths of at most k branches carry at least the share `share`
  /// of the gradient.
  public int lengthOf(double share) {
    double sum = 0;
    int k = -1;
    while (sum < share && k < shares.length - 1) {
      k++;
      sum += shares[k];
    }
    return k;
  }

  /// Replaces residual connections, in the order of the data flow, by ones with a path for each
  /// row, and batch norm by one that does not mix rows.
  private static final class Paths implements Layer.Rule {
    private final double[][] taken;
    private int next;

    Paths(double[][] taken) {
      this.taken = taken;
    }

    @Override
    public Layer apply(String path, Layer layer) {
      return switch (layer) {
        case Residual residual -> new Fork(residual, taken[next++]);
        case BatchNorm norm -> new InUse(norm);
        default -> layer;
      };
    }
  }

  /// Has the output of the residual connection, but each row's cotangent comes back only through
  /// the branch (1) or only through the shortcut (0).
  private record Fork(Residual residual, double[] taken) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      Traced branch = residual.branch().forward(x);
      Traced shortcut = residual.shortcut().forward(x);
      return new Traced(
          branch.value().plus(shortcut.value()),
          dy -> {
            try (var scope = Scope.open()) {
              Tensor there = perRow(taken, dy);
              Tensor past = perRow(Arrays.stream(taken).map(t -> 1 - t).toArray(), dy);
              return scope.keep(branch.back(dy.times(there)).plus(shortcut.back(dy.times(past))));
            }
          });
    }

    private static Tensor perRow(double[] factors, Tensor like) {
      long[] shape = new long[like.shape().rank()];
      Arrays.fill(shape, 1);
      shape[0] = factors.length;
      return Tensor.of(factors, shape).to(like.type());
    }
  }

  /// Batch norm with its running statistics: y = x·γ/√(σ² + ε) + constant.
  private record InUse(BatchNorm norm) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      double[] factors = norm.weight().value().toDoubles();
      double[] variances = norm.runningVariance().value().toDoubles();
      for (int c = 0; c < factors.length; c++) {
        factors[c] /= Math.sqrt(variances[c] + BatchNorm.EPSILON);
      }
      long[] shape = new long[x.shape().rank()];
      Arrays.fill(shape, 1);
      shape[1] = factors.length;
      return new Traced(
          norm.predict(x),
          dy -> {
            try (var scope = Scope.open()) {
              return scope.keep(dy.times(Tensor.of(factors, shape).to(dy.type())));
            }
          });
    }
  }
}
