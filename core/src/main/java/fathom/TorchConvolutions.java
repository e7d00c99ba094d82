package fathom;

import java.util.List;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.pytorch.T_TensorTensorTensor_T;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The convolutions of libtorch, forward and back. None of them reads tensor memory from Java, so
/// the tensors may be on any device.
///
/// On processors libtorch 2.10 hands them to oneDNN, whose special cases are not all right on all
/// processors. What is known to be wrong is asked of it in another form, which is the same
/// mathematics: a 1×1 convolution with a stride without the stride, or as a matrix product
/// ([Pointwise]), and dE/dx as a convolution forward. `ConvolutionShapesTest` is the law.
public final class TorchConvolutions {
  private static final long[] NO_DILATION = {1, 1};
  private static final long[] NO_PADDING = {0, 0};

  /// With fewer channels than a vector has elements, oneDNN 3.x on AVX2 writes past its workspace
  /// when it computes the weight gradient of a 1×1 convolution with a stride (uxlfoundation/oneDNN
  /// issue 6035), which crashed the JVM. The backward pass takes the pixels first then; with more
  /// channels that would cost a third of its time.
  private static final long FEW_CHANNELS = 16;

  /// The most elements of a 1×1 weight that is transposed for the backward pass. For a larger one
  /// that costs up to a tenth of the convolution's time where images are small.
  private static final long MOST_TURNED = 1 << 16;

  /// Whether libtorch hands bfloat16 convolutions to oneDNN, which sums in float32. On x86 without
  /// AVX-512 it does not, and rounds every partial sum to 8 bits.
  private static final boolean IN_BFLOAT16 =
      !System.getProperty("os.arch").equals("amd64") || Products.IN_AVX512;

  private TorchConvolutions() {}

  /// Returns the two-dimensional convolution (cross-correlation) of `x`, N×C×H×W, with `w`,
  /// O×C×K×K. The result is N×O×H'×W' with H' = ⌊(H + 2·padding − K) / stride⌋ + 1 and W' alike, in
  /// channels-last memory if `x` or `w` is. In bfloat16 the products are summed in float32 and
  /// rounded once, on every processor. Throws `IllegalArgumentException` if the types differ.
  public static Tensor convolution(Tensor x, Tensor w, int stride, int padding) {
    x.checkType("a convolution", w);
    return given(x, w, null, stride, padding);
  }

  /// Returns the convolution of the other overload plus a bias of O elements, one for each output
  /// channel.
  public static Tensor convolution(Tensor x, Tensor w, Tensor bias, int stride, int padding) {
    x.checkType("a convolution", w);
    x.checkType("a convolution", bias);
    return given(x, w, bias, stride, padding);
  }

  private static Tensor given(Tensor x, Tensor w, @Nullable Tensor bias, int stride, int padding) {
    try (var scope = Scope.open()) {
      if (needsWidening(x, w)) {
        Tensor wideBias = bias == null ? null : widened(bias);
        Tensor wide = given(widened(x), widened(w), wideBias, stride, padding);
        return scope.keep(wide.to(DType.BFLOAT16));
      }
      if (takesPixelsFirst(w, stride, padding)) {
        return scope.keep(given(taken(x, stride), w, bias, 1, 0));
      }
      return scope.keep(
          Pointwise.isProduct(w, padding)
              ? Pointwise.convolution(x, w, bias, false)
              : library(x, w, bias, stride, padding));
    }
  }

  private static Tensor library(
      Tensor x, Tensor w, @Nullable Tensor bias, int stride, int padding) {
    try (var b = bias == null ? new TensorOptional() : new TensorOptional(bias.raw())) {
      return Tensor.adopt(
          torch.convolution(
              x.raw(),
              w.raw(),
              b,
              new long[] {stride, stride},
              new long[] {padding, padding},
              NO_DILATION,
              false,
              NO_PADDING,
              1));
    }
  }

  /// Whether the pixels that the stride leaves are taken first, and convolved without a stride: for
  /// a 1×1 convolution. Asked for one with a stride, oneDNN divides by zero on some processors with
  /// AVX-512 when it estimates the blocks (`brg_blocking_t::est_eff_1x1`), which ends the JVM:
  /// 512×4×4 to 1024×2×2 is a case.
  static boolean takesPixelsFirst(Tensor w, int stride, int padding) {
    return stride > 1 && padding == 0 && Pointwise.isPointwise(w);
  }

  /// Returns the pixels that a 1×1 convolution with this stride reads, in channels-last memory.
  static Tensor taken(Tensor x, int stride) {
    return x.every(stride).channelsLast();
  }

  /// Whether a convolution is computed in float32, because libtorch cannot do it in bfloat16 here,
  /// or not rightly: with images of a single channel its results are wrong on processors with
  /// AVX-512, and some channels may end the JVM there ([Pointwise]).
  private static boolean needsWidening(Tensor x, Tensor w) {
    return x.type() == DType.BFLOAT16
        && (!IN_BFLOAT16 || x.shape().size(1) == 1 || Pointwise.isRefused(w));
  }

  private static Tensor widened(Tensor t) {
    return t.to(DType.FLOAT32);
  }

  /// The gradients of [#convolution]: dE/dx in the type of x, null if it was not requested, and
  /// dE/dw.
  public record Gradients(@Nullable Tensor dx, Tensor dw) {}

  /// Computes the backward pass of [#convolution] for `dy`, the cotangent of its output. dE/dw may
  /// be in float32 where the rest is in bfloat16.
  public static Gradients convolutionBackward(
      Tensor dy, Tensor x, Tensor w, int stride, int padding, boolean needDx) {
    if (takesPixelsFirst(w, stride, padding)
        && (w.shape().size(1) < FEW_CHANNELS || Pointwise.isProduct(w, padding))) {
      Gradients taken = convolutionBackward(dy, taken(x, stride), w, 1, 0, needDx);
      return new Gradients(
          taken.dx() == null ? null : givenBack(taken.dx(), x, stride), taken.dw());
    }
    if (x.type() == DType.BFLOAT16 && !rightInBFloat16(x, w, stride)) {
      Gradients wide =
          convolutionBackward(
              widened(dy).channelsLast(), widened(x), widened(w), stride, padding, needDx);
      return new Gradients(wide.dx() == null ? null : wide.dx().to(DType.BFLOAT16), wide.dw());
    }
    return Pointwise.isProduct(w, padding)
        ? Pointwise.back(dy, x, w, needDx)
        : library(dy, x, w, stride, padding, needDx);
  }

  private static Gradients library(
      Tensor dy, Tensor x, Tensor w, int stride, int padding, boolean needDx) {
    return new Gradients(
        needDx ? imageGradient(dy, x, w, stride, padding) : null,
        gradient(dy, x, w, stride, padding, 1));
  }

  /// Returns images like `x` that have `dx` at every `stride`-th pixel and are 0 elsewhere.
  private static Tensor givenBack(Tensor dx, Tensor x, int stride) {
    Tensor whole = x.zerosLike();
    whole.every(stride).copy_(dx);
    return whole;
  }

  /// Whether libtorch computes the gradients in bfloat16 correctly. For images narrower or lower
  /// than the stride, libtorch 2.10 (on x86, through oneDNN) reads uninitialized memory and returns
  /// a different number at every call, sometimes an infinite one; so it does for dE/dx with an odd
  /// number of output channels, which its instructions take in pairs. For images with a single
  /// channel, and for some channels, see [#needsWidening].
  private static boolean rightInBFloat16(Tensor x, Tensor w, int stride) {
    return IN_BFLOAT16
        && Math.min(x.shape().size(2), x.shape().size(3)) >= stride
        && w.shape().size(0) % 2 == 0
        && w.shape().size(1) > 1
        && !Pointwise.isRefusedBackward(w);
  }

  /// Computes dE/dx. Without a stride it is itself a convolution, of dE/dy by the filters turned by
  /// 180° with in and out exchanged, and is computed as that. On processors with AVX-512 libtorch's
  /// own way to it (oneDNN's `brgemm_convolution_bwd_t`) ended the JVM in trainings by several
  /// threads. What both ways cost stands in docs/speed-log.md.
  ///
  /// With a stride it is libtorch's own way, which is wrong there for images with a single channel:
  /// they get a second one, whose gradient is dropped.
  private static Tensor imageGradient(Tensor dy, Tensor x, Tensor w, int stride, int padding) {
    if (!x.isOnProcessor() || x.type() == DType.FLOAT64) {
      return gradient(dy, x, w, stride, padding, 0); // which oneDNN has no part in
    }
    int kernel = Math.toIntExact(w.shape().size(2));
    boolean forward =
        stride == 1 && padding < kernel && (kernel > 1 || w.shape().elements() <= MOST_TURNED);
    if (forward) {
      try (var scope = Scope.open()) {
        return scope.keep(convolution(dy, turned(w), 1, kernel - 1 - padding));
      }
    }
    if (x.shape().size(1) == 1) {
      try (var scope = Scope.open()) {
        Tensor both = gradient(dy, twice(x), twice(w), stride, padding, 0);
        return scope.keep(x.zerosLike().copy_(both.narrow(1, 0, 1)));
      }
    }
    return gradient(dy, x, w, stride, padding, 0);
  }

  /// Returns two channels, both of which are the one of `t`.
  private static Tensor twice(Tensor t) {
    return Tensor.concatenated(1, List.of(t, t)).channelsLast();
  }

  /// Returns the filters O×C×K×K turned by 180°, as C×O×K×K in channels-last memory.
  private static Tensor turned(Tensor w) {
    try (var scope = Scope.open()) {
      Tensor exchanged = w.permute(1, 0, 2, 3);
      Tensor turned = w.shape().size(2) == 1 ? exchanged : exchanged.flipped(2, 3);
      return scope.keep(turned.channelsLast());
    }
  }

  /// Returns libtorch's gradient of the images, number 0, or of the weight, number 1.
  private static Tensor gradient(
      Tensor dy, Tensor x, Tensor w, int stride, int padding, int which) {
    try (var mask = new BoolPointer(3)) {
      mask.put(0, which == 0).put(1, which == 1).put(2, false);
      try (T_TensorTensorTensor_T gradients =
          torch.convolution_backward(
              dy.raw(),
              x.raw(),
              w.raw(),
              Torch.NO_SIZES,
              new long[] {stride, stride},
              new long[] {padding, padding},
              NO_DILATION,
              false,
              NO_PADDING,
              1,
              mask)) {
        return Torch.own(which == 0 ? gradients.get0() : gradients.get1());
      }
    }
  }
}
