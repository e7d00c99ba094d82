package fathom.lab.draw;

import fathom.Tensor;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/// A grid of K×K Gaussian filters on images of A columns and B rows (Gregor et al. 2015, section
/// 3.2), one grid for each image.
///
/// Its five numbers (g̃_X, g̃_Y, log σ², log δ̃, log γ) say where its centre is, g_X = (A+1)/2 ·
/// (g̃_X + 1) and g_Y likewise, how far its filters are apart, δ = (max(A, B) − 1)/(K − 1) · δ̃,
/// and how strong it is, γ (eq. 21-24). Filter i stands at μ_i = g + (i − K/2 − 0.5)·δ (eq. 19-20),
/// and weighs pixel a, counted from 1, by exp(−(a − μ_i)²/2σ²), divided by the sum of these over
/// all pixels (eq. 25-26). That is a softmax, and taken as one it is finite wherever the grid lies.
///
/// @param x F_X of N×K×A, whose rows sum to 1
/// @param y F_Y of N×K×B, likewise
/// @param intensity γ of N×1×1
record Filters(Tensor x, Tensor y, Tensor intensity) {
  /// How many numbers describe a grid.
  static final int NUMBERS = 5;

  /// What is subtracted from the exponent of a pixel that is not there, where the sides of an image
  /// differ: its weight is 0.
  private static final double ABSENT = 1e30;

  /// The grids of side K = `side`, at least 2, that the rows of N×5 describe. Both directions are
  /// computed as one tensor.
  static Filters of(Tensor numbers, int side, int height, int width) {
    long n = numbers.shape().size(0);
    int longer = Math.max(width, height);
    Tensor positive = numbers.narrow(1, 2, 5).exp(); // σ², δ̃, γ
    Tensor half = constant(numbers, (width + 1) / 2.0, (height + 1) / 2.0);
    Tensor centres = numbers.narrow(1, 0, 2).plus(1).times(half.reshape(1, 2));
    Tensor spacing = positive.narrow(1, 1, 2).times((longer - 1) / (side - 1.0));
    Tensor steps = constant(numbers, row(side, i -> i + 1 - side / 2.0 - 0.5));
    Tensor means = centres.reshape(n, 2, 1).plus(spacing.times(steps).reshape(n, 1, side));
    Tensor places = constant(numbers, row(longer, a -> a + 1));
    Tensor apart = places.minus(means.reshape(n, 2L * side, 1));
    Tensor exponents =
        apart.square().dividedBy(positive.narrow(1, 0, 1).times(-2).reshape(n, 1, 1));
    if (width != height) {
      exponents = exponents.minus(absent(numbers, side, height, width));
    }
    Tensor all = exponents.logSoftmax(2).exp();
    return new Filters(
        all.narrow(1, 0, side).narrow(2, 0, width),
        all.narrow(1, side, 2L * side).narrow(2, 0, height),
        positive.narrow(1, 2, 3).reshape(n, 1, 1));
  }

  private static Tensor absent(Tensor like, int side, int height, int width) {
    int longer = Math.max(width, height);
    return constant(
            like,
            row(
                2 * side * longer,
                i -> i % longer < (i < side * longer ? width : height) ? 0 : ABSENT))
        .reshape(1, 2L * side, longer);
  }

  private static double[] row(int size, IntToDoubleFunction element) {
    return IntStream.range(0, size).mapToDouble(element).toArray();
  }

  private static Tensor constant(Tensor like, double... elements) {
    return Tensor.of(elements, elements.length).to(like.type());
  }

  /// γ·F_Y·x·F_Xᵀ of images N×B×A (eq. 27): N×K×K.
  Tensor read(Tensor images) {
    return y.matmul(images).matmul(x.permute(0, 2, 1)).times(intensity);
  }

  /// F_Yᵀ·w·F_X/γ of patches N×K×K (eq. 29): N×B×A.
  Tensor write(Tensor patches) {
    return y.permute(0, 2, 1).matmul(patches).matmul(x).dividedBy(intensity);
  }
}
