package fathom.lab.instrument;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.util.Arrays;

/// The singular values of a matrix and figures that follow from them.
///
/// @param values the singular values, the largest first
public record Spectrum(double[] values) {
  private static final int SWEEPS = 60;
  private static final double PARALLEL = 1e-14;

  /// Returns the singular values of the Jacobian dy/dx of a layer at a point `x`: how much it
  /// stretches each direction. The layer must treat the rows of a batch independently (batch norm
  /// in training does not) and have outputs of N×O.
  ///
  /// The cost is one forward and backward pass over O copies of `x`, and the decomposition of an
  /// O×I matrix.
  ///
  /// @param layer the layer
  /// @param x the point, 1×I
  /// @throws IllegalArgumentException if `x` is not 1×I, or the layer's output not 1×O
  public static Spectrum ofJacobian(Layer layer, Tensor x) {
    try (var _ = Scope.open()) {
      if (x.shape().rank() != 2 || x.shape().size(0) != 1) {
        throw new IllegalArgumentException("a point is 1×I, but was given " + x.shape());
      }
      int in = (int) x.shape().size(1);
      Shape one = layer.predict(x).shape();
      if (one.rank() != 2 || one.size(0) != 1) {
        throw new IllegalArgumentException(
            "the Jacobian is of a layer with values 1×O, but %s gives %s".formatted(layer, one));
      }
      int out = (int) one.size(1);
      double[] unit = new double[out * out];
      for (int i = 0; i < out; i++) {
        unit[i * out + i] = 1; // the cotangent of row i selects output i
      }
      Tensor copies = x.expand(Shape.of(out, in)).contiguous();
      Tensor rows = layer.forward(copies).back(Tensor.of(unit, out, out).to(x.type()));
      return of(rows.toDoubles(), out, in);
    }
  }

  /// Returns the singular values of a matrix given row by row, by one-sided Jacobi rotations
  /// (Hestenes 1958), which keep small values accurate beside large ones. The cost is about
  /// 10·rows²·columns multiplications.
  ///
  /// @throws IllegalArgumentException if there are not rows·columns elements
  public static Spectrum of(double[] elements, int rows, int columns) {
    if (elements.length != rows * columns) {
      throw new IllegalArgumentException(
          "a %s×%s matrix has %s elements, but there are %s"
              .formatted(rows, columns, rows * columns, elements.length));
    }
    double[][] m = new double[rows][];
    for (int i = 0; i < rows; i++) {
      m[i] = Arrays.copyOfRange(elements, i * columns, (i + 1) * columns);
    }
    for (int sweep = 0; sweep < SWEEPS && sweep(m); sweep++) {}
    double[] values = new double[rows];
    for (int i = 0; i < rows; i++) {
      values[i] = -Math.sqrt(dot(m[i], m[i]));
    }
    Arrays.sort(values);
    for (int i = 0; i < rows; i++) {
      values[i] = -values[i];
    }
    return new Spectrum(Arrays.copyOf(values, Math.min(rows, columns)));
  }

  /// Rotates every pair of rows until it is orthogonal. Returns whether there was anything to
  /// rotate.
  private static boolean sweep(double[][] m) {
    boolean turned = false;
    for (int i = 0; i < m.length; i++) {
      for (int j = i + 1; j < m.length; j++) {
        double a = dot(m[i], m[i]);
        double b = dot(m[j], m[j]);
        double c = dot(m[i], m[j]);
        if (Math.abs(c) > PARALLEL * Math.sqrt(a) * Math.sqrt(b) && c != 0) {
          double zeta = (b - a) / (2 * c);
          double t = Math.copySign(1, zeta) / (Math.abs(zeta) + Math.hypot(1, zeta));
          double cos = 1 / Math.hypot(1, t);
          turn(m[i], m[j], cos, cos * t);
          turned = true;
        }
      }
    }
    return turned;
  }

  private static void turn(double[] x, double[] y, double cos, double sin) {
    for (int k = 0; k < x.length; k++) {
      double before = x[k];
      x[k] = cos * before - sin * y[k];
      y[k] = sin * before + cos * y[k];
    }
  }

  private static double dot(double[] x, double[] y) {
    double sum = 0;
    for (int k = 0; k < x.length; k++) {
      sum += x[k] * y[k];
    }
    return sum;
  }

  /// Returns √(mean σ²), the factor by which a random direction is stretched.
  public double rms() {
    return Math.sqrt(Arrays.stream(values).map(s -> s * s).average().orElse(Double.NaN));
  }

  /// Returns the participation (Σσ²)² / Σσ⁴, the number of directions that are stretched: 1 for a
  /// matrix of rank one, n for n equal values.
  public double participation() {
    double scale = values[0] > 0 ? values[0] : 1; // scaled, because fourth powers overflow
    double squares = Arrays.stream(values).map(s -> Math.pow(s / scale, 2)).sum();
    return squares * squares / Arrays.stream(values).map(s -> Math.pow(s / scale, 4)).sum();
  }

  /// Returns the condition number, the largest over the smallest value.
  public double condition() {
    return values[0] / values[values.length - 1];
  }
}
