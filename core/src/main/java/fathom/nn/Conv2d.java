package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Pullback;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchConvolutions;
import fathom.Traced;
import fathom.kernel.Kernels;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/// A two-dimensional convolution without bias, because the norm behind it has one. For x of N×C×H×W
/// and a weight of O×C×K×K, y[n,o,i,j] = Σ w[o,c,u,v] · x[n,c, i·stride+u−padding,
/// j·stride+v−padding]. Weight and output lie in channels-last memory.
///
/// 3×3 convolutions of float32 at stride 1 and padding 1 run by tiles where that is faster
/// ([Kernels]); all others run in libtorch.
///
/// If the input is in bfloat16, the weight is rounded to bfloat16, the products are of bfloat16
/// factors and their sums are in float32. The weight itself and its gradient keep their type.
public record Conv2d(Param weight, int stride, int padding) implements Layer {
  /// Returns a K×K convolution with He's initial weights, padded by ⌊K/2⌋. At stride 1 and odd K it
  /// keeps the image size.
  public static Conv2d of(Init init, String path, int in, int out, int kernel, int stride) {
    long fanIn = (long) in * kernel * kernel;
    Tensor weight;
    try (var scope = Scope.open()) {
      weight =
          scope.keep(
              init.weights(Node.path(path, "weight"), fanIn, out, in, kernel, kernel)
                  .channelsLast());
    }
    return new Conv2d(Param.of(weight), stride, kernel / 2);
  }

  @Override
  public Traced forward(Tensor x) {
    return forward(x, weight.value(), dw -> weight.grad().add_(dw));
  }

  /// Runs the forward pass with the weight `w` instead of this layer's own. The pullback passes its
  /// gradient to `dweight`.
  Traced forward(Tensor x, Tensor w, Consumer<Tensor> dweight) {
    Tensor pixels = input(x);
    Tensor factors = factors(w, x);
    return new Traced(
        convolve(pixels, factors), new Back(this, pixels, factors, w.type(), dweight));
  }

  /// Returns the weight in the type of the multiplication.
  private static Tensor factors(Tensor w, Tensor x) {
    return x.type() == DType.BFLOAT16 ? w.to(DType.BFLOAT16) : w;
  }

  /// The pullback. It stores the weight in the type of the multiplication; `type` is that of the
  /// weight's gradient.
  private record Back(Conv2d layer, Tensor x, Tensor w, DType type, Consumer<Tensor> dweight)
      implements Pullback {
    @Override
    public Tensor apply(Tensor dy) {
      try (var scope = Scope.open()) {
        var gradients = gradients(dy, true);
        dweight.accept(gradients.dw().to(type));
        return scope.keep(Objects.requireNonNull(gradients.dx()));
      }
    }

    @Override
    public void accumulate(Tensor dy) {
      try (var _ = Scope.open()) {
        dweight.accept(gradients(dy, false).dw().to(type));
      }
    }

    private TorchConvolutions.Gradients gradients(Tensor dy, boolean needDx) {
      return layer.gradients(dy.channelsLast(), x, w, needDx);
    }
  }

  private Tensor convolve(Tensor x, Tensor w) {
    return isKernels(x, w)
        ? Kernels.convolution(x, (int) w.shape().size(0)).value(x, w)
        : TorchConvolutions.convolution(x, w, stride, padding);
  }

  private TorchConvolutions.Gradients gradients(Tensor dy, Tensor x, Tensor w, boolean needDx) {
    return isKernels(x, w)
        ? Kernels.convolution(x, (int) w.shape().size(0)).back(dy, x, w, needDx)
        : TorchConvolutions.convolutionBackward(dy, x, w, stride, padding, needDx);
  }

  /// Whether the kernels of [Kernels] apply. Two different types go to libtorch, which rejects
  /// them.
  private boolean isKernels(Tensor x, Tensor w) {
    return isKernels() && x.type() == w.type();
  }

  private boolean isKernels() {
    return weight.value().shape().size(2) == 3 && stride == 1 && padding == 1;
  }

  /// Whether a prediction of such images runs by tiles with stored filters, because that is faster.
  boolean inKeptTiles(Shape x, DType type) {
    return isKernels() && Kernels.inKeptTiles(x, type, (int) weight.value().shape().size(0));
  }

  @Override
  public Shape shape(Shape x) {
    check(x);
    Shape w = weight.value().shape();
    return Shape.of(x.size(0), w.size(0), steps(x.size(2)), steps(x.size(3)));
  }

  /// Returns the number of positions of the kernel along a side.
  private long steps(long side) {
    return (side + 2L * padding - weight.value().shape().size(2)) / stride + 1;
  }

  @Override
  public Tensor predict(Tensor x) {
    return predict(x, weight.value());
  }

  Tensor predict(Tensor x, Tensor w) {
    try (var scope = Scope.open()) {
      return scope.keep(convolve(input(x), factors(w, x)));
    }
  }

  /// Returns `x` in channels-last memory. Throws `IllegalArgumentException` if this layer does not
  /// accept its shape.
  Tensor input(Tensor x) {
    check(x.shape());
    return x.channelsLast();
  }

  private void check(Shape s) {
    Shape w = weight.value().shape();
    if (s.rank() != 4
        || s.size(1) != w.size(1)
        || Math.min(s.size(2), s.size(3)) + 2L * padding < w.size(2)) {
      throw new IllegalArgumentException(
          "%s needs N×%s×H×W with H and W of at least %s, but was given %s"
              .formatted(this, w.size(1), w.size(2) - 2L * padding, s));
    }
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("weight", weight);
  }

  @Override
  public long multiplyAdds(Shape in, Shape out) {
    return out.size(0) * out.size(2) * out.size(3) * weight.value().shape().elements();
  }

  @Override
  public String toString() {
    Shape w = weight.value().shape();
    return "Conv2d %s→%s, %s×%s%s"
        .formatted(
            w.size(1), w.size(0), w.size(2), w.size(3), stride == 1 ? "" : ", stride " + stride);
  }
}
