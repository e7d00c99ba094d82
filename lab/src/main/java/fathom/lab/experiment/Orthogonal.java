package fathom.lab.experiment;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Init;

/// Makes initial square weights orthogonal.
final class Orthogonal {
  private Orthogonal() {}

  /// Returns the weights of `init` with their rows made orthogonal, one after the other, and of
  /// length √2, the root mean square of the length of He's rows, in float64.
  static Init of(Init init) {
    return (path, in, shape) -> {
      try (var scope = Scope.open()) {
        int n = Math.toIntExact(shape[0]);
        double[] w = init.weights(path, in, shape).toDoubles();
        for (int pass = 0; pass < 2; pass++) { // twice, because of rounding
          for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
              subtract(w, i, j, dot(w, i, j, n) / dot(w, j, j, n), n);
            }
          }
        }
        for (int i = 0; i < n; i++) {
          double length = Math.sqrt(dot(w, i, i, n) / 2);
          for (int k = 0; k < n; k++) {
            w[i * n + k] /= length;
          }
        }
        return scope.keep(Tensor.of(w, shape));
      }
    };
  }

  /// Returns the orthogonal weights in float32, for nets that train.
  static Init rounded(Init init) {
    Init orthogonal = of(init);
    return (path, in, shape) -> orthogonal.weights(path, in, shape).to(DType.FLOAT32);
  }

  private static double dot(double[] w, int i, int j, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += w[i * n + k] * w[j * n + k];
    }
    return sum;
  }

  private static void subtract(double[] w, int i, int j, double factor, int n) {
    for (int k = 0; k < n; k++) {
      w[i * n + k] -= factor * w[j * n + k];
    }
  }
}
