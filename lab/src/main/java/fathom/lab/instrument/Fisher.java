package fathom.lab.instrument;

import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;

/// The Fisher information of a net's parameters θ: `F = (1/N)·Σₙ Jₙᵀ·Cov[y|xₙ]·Jₙ`. Jₙ is the
/// derivative by θ of the net's K outputs for example n, which are the natural parameters of the
/// distribution of y (Ba et al. 2016, eq. 9 and 12, with φ = 1). The squared length of a step δ is
/// `ds² = ½·δᵀFδ`, to second order the Kullback-Leibler divergence between the distributions before
/// and after the step.
///
/// For a net with batch norm, Jₙ includes the derivative through the batch's statistics, the χ of
/// eq. 14. The cost is N·K forward and backward passes over the whole batch, and N·K·P numbers of
/// memory.
///
/// @param elements P×P, row by row, in the order of [Layer#params] and of the elements in each
/// @param size P
public record Fisher(double[] elements, int size) {
  /// The distribution of y given the net's outputs.
  public enum Response {
    /// Normal with the outputs as mean and variance 1; Cov is the identity.
    GAUSSIAN,
    /// One of K classes with the softmax of the outputs as probabilities p; Cov is diag(p) − p·pᵀ.
    CATEGORICAL
  }

  /// Computes the information of all trained parameters at their values and these inputs.
  /// Afterwards parameters, buffers and gradients are as before.
  ///
  /// @param net the net, with outputs of N×K
  /// @param x the inputs, N×...
  /// @param response the distribution of y
  /// @throws IllegalArgumentException if the output is not N×K
  public static Fisher of(Layer net, Tensor x, Response response) {
    try (var _ = Scope.open()) {
      int n = (int) x.shape().size(0);
      Tensor value = net.forward(x).value(); // predict would take running statistics
      if (value.shape().rank() != 2 || value.shape().size(0) != n) {
        throw new IllegalArgumentException(
            "the Fisher information is of values N×K for N = %s examples, but the net gives %s"
                .formatted(n, value.shape()));
      }
      int k = (int) value.shape().size(1);
      double[] roots = roots(value.toDoubles(), n, k, response);
      Tensor rows =
          Jacobian.of(
              net,
              x,
              n * k,
              (i, of) -> {
                double[] dy = new double[n * k];
                System.arraycopy(roots, i * k, dy, i / k * k, k);
                return Tensor.of(dy, n, k).to(of.type());
              });
      Tensor f = rows.transpose().matmul(rows).times(1.0 / n);
      return new Fisher(f.toDoubles(), (int) f.shape().size(0));
    }
  }

  /// Returns for each example the K rows of Bᵀ with B·Bᵀ = Cov; for a softmax, B = diag(√p) −
  /// p·√pᵀ.
  private static double[] roots(double[] values, int n, int k, Response response) {
    double[] roots = new double[n * k * k];
    for (int i = 0; i < n; i++) {
      double[] p = softmax(Arrays.copyOfRange(values, i * k, (i + 1) * k));
      for (int m = 0; m < k; m++) {
        for (int j = 0; j < k; j++) {
          double same = m == j ? 1 : 0;
          roots[(i * k + m) * k + j] =
              response == Response.GAUSSIAN ? same : (same - p[j]) * Math.sqrt(p[m]);
        }
      }
    }
    return roots;
  }

  private static double[] softmax(double[] values) {
    double most = Arrays.stream(values).max().orElse(0);
    double[] p = Arrays.stream(values).map(v -> Math.exp(v - most)).toArray();
    double sum = Arrays.stream(p).sum();
    return Arrays.stream(p).map(v -> v / sum).toArray();
  }

  /// Returns the elements at these rows and columns, row by row.
  public double[] block(int[] rows, int[] columns) {
    double[] block = new double[rows.length * columns.length];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < columns.length; j++) {
        block[i * columns.length + j] = elements[rows[i] * size + columns[j]];
      }
    }
    return block;
  }

  /// Returns ds² = ½·δᵀFδ of a step δ of all P parameters.
  ///
  /// @throws IllegalArgumentException if the step has not P elements
  public double square(double[] step) {
    double[] f = times(step);
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += 0.5 * step[i] * f[i];
    }
    return sum;
  }

  /// Returns F·v.
  ///
  /// @throws IllegalArgumentException if v has not P elements
  public double[] times(double[] v) {
    if (v.length != size) {
      throw new IllegalArgumentException(
          "a step has an element for each of the %s parameters, but this one has %s"
              .formatted(size, v.length));
    }
    double[] product = new double[size];
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        product[i] += elements[i * size + j] * v[j];
      }
    }
    return product;
  }
}
