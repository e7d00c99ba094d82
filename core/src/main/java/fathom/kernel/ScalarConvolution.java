package fathom.kernel;

import fathom.Scope;
import fathom.Tensor;
import fathom.TorchConvolutions.Gradients;

/// The sums of the definition of [Convolution] and of its two derivatives, product by product in
/// double precision: the specification of [TiledConvolution].
final class ScalarConvolution implements Convolution {
  @Override
  public Tensor value(Tensor x, Tensor w) {
    Tensor y = Convolution.images(x, w.shape().size(0));
    try (var _ = Scope.open()) {
      var sums = new Sums(x, w);
      sums.products((xAt, wAt, yAt) -> sums.y[yAt] += sums.x[xAt] * sums.w[wAt]);
      write(sums.y, y);
    }
    return y;
  }

  @Override
  public Gradients back(Tensor dy, Tensor x, Tensor w, boolean needDx) {
    Tensor dx = needDx ? x.emptyLike() : null;
    Tensor dw = w.channelsLast().emptyLike();
    try (var _ = Scope.open()) {
      var sums = new Sums(x, w);
      double[] g = read(dy);
      double[] dxs = new double[sums.x.length];
      double[] dws = new double[sums.w.length];
      sums.products((xAt, wAt, yAt) -> {
        dxs[xAt] += g[yAt] * sums.w[wAt];
        dws[wAt] += g[yAt] * sums.x[xAt];
      });
      write(dws, dw);
      if (dx != null) {
        write(dxs, dx);
      }
    }
    return new Gradients(dx, dw);
  }

  /// The action for each product of the definition; `x`, `w` and `y` are the indices of its pixel,
  /// its weight and its sum.
  private interface Product {
    void at(int x, int w, int y);
  }

  /// The operands as arrays in the order of memory, channels innermost.
  private static final class Sums {
    final double[] x;
    final double[] w;
    final double[] y;
    private final int in;
    private final int out;
    private final int height;
    private final int width;

    Sums(Tensor x, Tensor w) {
      this.x = read(x);
      this.w = read(w);
      this.in = Math.toIntExact(w.shape().size(1));
      this.out = Math.toIntExact(w.shape().size(0));
      this.height = Math.toIntExact(x.shape().size(2));
      this.width = Math.toIntExact(x.shape().size(3));
      this.y = new double[this.x.length / in * out];
    }

    void products(Product product) {
      for (int pixel = 0; pixel < y.length / out; pixel++) {
        for (int tap = 0; tap < 9; tap++) {
          int row = pixel / width % height + tap / 3 - 1;
          int column = pixel % width + tap % 3 - 1;
          if (row < 0 || row >= height || column < 0 || column >= width) {
            continue;
          }
          int seen = pixel + (tap / 3 - 1) * width + tap % 3 - 1;
          for (int o = 0; o < out; o++) {
            for (int i = 0; i < in; i++) {
              product.at(seen * in + i, (o * 9 + tap) * in + i, pixel * out + o);
            }
          }
        }
      }
    }
  }

  private static double[] read(Tensor images) {
    double[] elements = new double[Math.toIntExact(images.shape().elements())];
    if (elements.length > 0) {
      Rows.of(images.channelsLast(), elements.length).read(0, elements);
    }
    return elements;
  }

  private static void write(double[] elements, Tensor images) {
    if (elements.length > 0) {
      Rows.of(images, elements.length).write(0, elements);
    }
  }
}
