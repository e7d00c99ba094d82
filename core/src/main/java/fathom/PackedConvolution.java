package fathom;

import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.pytorch.IValue;

/// A convolution for prediction only, with its weight stored in the order in which the kernel reads
/// it. It computes f(w∗x + b), or f(sum + w∗x + b), in one pass over memory; f is either ReLU or
/// the identity.
///
/// [TorchConvolutions#convolution] reorders the weight at every call, which for a single image may
/// cost as much as the products, and it leaves ReLU and addition to separate operations. Here
/// oneDNN does everything in one call. It does so through private operations of libtorch, which not
/// every build and processor offers; [#isSupported] tells.
///
/// The order is chosen for one number and size of images and one value of [Torch#threads]. With
/// other ones the result is still right, but the weight is reordered at every call, which is slower
/// than an unpacked convolution.
///
/// A 1×1 convolution that oneDNN must not see ([Pointwise]) is a product with the weight as it is.
public final class PackedConvolution {
  private final Tensor weight;
  private final Tensor bias;
  private final Shape images;
  private final int stride;
  private final int padding;
  private final IValue strides;
  private final IValue paddings;

  private PackedConvolution(
      Tensor weight,
      Tensor bias,
      Shape images,
      int stride,
      int padding,
      IValue strides,
      IValue paddings) {
    this.weight = weight;
    this.bias = bias;
    this.images = images;
    this.stride = stride;
    this.padding = padding;
    this.strides = strides;
    this.paddings = paddings;
  }

  /// Whether libtorch offers these operations for this type on this machine and computes them
  /// correctly. The first call finds out with one small convolution.
  public static boolean isSupported(DType type) {
    return Probe.WORKING.contains(type);
  }

  /// Packs a weight of O×C×K×K and a bias of O for images of this N×C×H×W. The bias must outlive
  /// the result; the packed weight lies in the innermost scope. Throws `IllegalArgumentException`
  /// if the shapes or the types do not fit together.
  public static PackedConvolution of(
      Tensor weight, Tensor bias, Shape images, int stride, int padding) {
    weight.checkType("a convolution", bias);
    if (weight.shape().rank() != 4
        || images.rank() != 4
        || images.size(1) != weight.shape().size(1)
        || !bias.shape().equals(Shape.of(weight.shape().size(0)))) {
      throw new IllegalArgumentException(
          "a convolution has a weight O×C×K×K, a bias O and images N×C×H×W, but these are %s, %s and %s"
              .formatted(weight.shape(), bias.shape(), images));
    }
    boolean skips = TorchConvolutions.takesPixelsFirst(weight, stride, padding);
    Shape seen =
        skips
            ? Shape.of(
                images.size(0),
                images.size(1),
                Math.ceilDiv(images.size(2), stride),
                Math.ceilDiv(images.size(3), stride))
            : images;
    IValue by = skips ? OneDnn.list(1, 1) : OneDnn.list(stride, stride);
    IValue around = OneDnn.list(padding, padding);
    if (isProduct(weight, padding)) {
      return new PackedConvolution(weight.contiguous(), bias, images, stride, padding, by, around);
    }
    try (var w = new IValue(weight.raw());
        var size = OneDnn.list(seen.toArray())) {
      Tensor packed = OneDnn.call(OneDnn.REORDER, w, around, by, OneDnn.ONES, OneDnn.ONE, size);
      return new PackedConvolution(packed, bias, images, stride, padding, by, around);
    }
  }

  private static boolean isProduct(Tensor weight, int padding) {
    return Pointwise.isProduct(weight, padding) || Pointwise.isRefused(weight);
  }

  /// The shape N×C×H×W of the images that the weight is packed for.
  public Shape images() {
    return images;
  }

  /// Returns w∗x + b, with ReLU if `rectified`, in channels-last memory. Throws
  /// `IllegalArgumentException` if `x` has another type, rank or number of channels than this
  /// convolution.
  public Tensor apply(Tensor x, boolean rectified) {
    check(x);
    if (isProduct(weight, padding)) {
      try (var scope = Scope.open()) {
        if (weight.type() == DType.FLOAT32) {
          return scope.keep(Pointwise.convolution(seen(x), weight, bias, rectified));
        }
        Tensor y = TorchConvolutions.convolution(x, weight, bias, stride, padding);
        return scope.keep(rectified ? y.relu_() : y);
      }
    }
    try (var scope = Scope.open();
        var in = new IValue(seen(x).raw());
        var w = new IValue(weight.raw());
        var b = new IValue(bias.raw())) {
      return scope.keep(
          OneDnn.call(
              OneDnn.CONVOLUTION,
              in,
              w,
              b,
              paddings,
              strides,
              OneDnn.ONES,
              OneDnn.ONE,
              rectified ? OneDnn.RELU : OneDnn.NONE,
              OneDnn.NO_SCALARS,
              OneDnn.NULL));
    }
  }

  /// The pixels of `x` that the convolution sees.
  private Tensor seen(Tensor x) {
    return TorchConvolutions.takesPixelsFirst(weight, stride, padding)
        ? TorchConvolutions.taken(x, stride)
        : x;
  }

  /// Computes `sum = f(sum + w∗x + b)` in place, where f is ReLU if `rectified` and the identity
  /// otherwise. The caller must own `sum`. It takes one pass over memory if `sum` is in
  /// channels-last memory. Throws `IllegalArgumentException` if `sum` has another shape or type
  /// than the convolution's output, or if `x` does not fit.
  public void addTo_(Tensor sum, Tensor x, boolean rectified) {
    check(x);
    x.checkType("an addition", sum);
    if (!sum.shape().equals(value(x.shape()))) {
      throw new IllegalArgumentException(
          "this convolution gives %s, which cannot be added to a sum of %s"
              .formatted(value(x.shape()), sum.shape()));
    }
    if (!sum.isChannelsLast() || isProduct(weight, padding)) {
      try (var _ = Scope.open()) {
        sum.add_(apply(x, false));
      }
      if (rectified) {
        sum.relu_();
      }
      return;
    }
    try (var _ = Scope.open();
        var in = new IValue(seen(x).raw());
        var onto = new IValue(sum.raw());
        var w = new IValue(weight.raw());
        var b = new IValue(bias.raw())) {
      OneDnn.call(
              OneDnn.CONVOLUTION_ONTO,
              onto,
              in,
              w,
              b,
              paddings,
              strides,
              OneDnn.ONES,
              OneDnn.ONE,
              OneDnn.ADD,
              OneDnn.NULL,
              rectified ? OneDnn.RELU : OneDnn.NULL,
              OneDnn.NO_SCALARS,
              OneDnn.NULL)
          .release();
    }
  }

  private Shape value(Shape x) {
    long kernel = weight.shape().size(2);
    return Shape.of(
        x.size(0),
        weight.shape().size(0),
        (x.size(2) + 2L * padding - kernel) / stride + 1,
        (x.size(3) + 2L * padding - kernel) / stride + 1);
  }

  private void check(Tensor x) {
    x.checkType("a convolution", weight);
    if (x.shape().rank() != 4 || x.shape().size(1) != images.size(1)) {
      throw new IllegalArgumentException(
          "this convolution is packed for images of %s, but was given %s"
              .formatted(images, x.shape()));
    }
  }

  /// Finds the types for which the operations exist and agree with [TorchConvolutions#convolution].
  private static final class Probe {
    static final Set<DType> WORKING = EnumSet.noneOf(DType.class);

    static {
      for (DType type : new DType[] {DType.FLOAT32, DType.BFLOAT16}) {
        if (works(type)) {
          WORKING.add(type);
        }
      }
    }

    private Probe() {}

    private static boolean works(DType type) {
      try (var _ = Scope.open()) {
        var draw = new RandomKey(1);
        Tensor x = Tensor.normal(draw.at(0), type, 2, 16, 5, 5).channelsLast();
        Tensor w = Tensor.normal(draw.at(1), type, 16, 16, 3, 3).channelsLast();
        Tensor b = Tensor.normal(draw.at(2), type, 16);
        Tensor expected = TorchConvolutions.convolution(x, w, b, 1, 1);
        PackedConvolution packed = of(w, b, x.shape(), 1, 1);
        Tensor sum = x.times(1);
        packed.addTo_(sum, x, true);
        return near(expected.plus(x).relu_(), sum, type)
            && near(expected.relu_(), packed.apply(x, true), type);
      } catch (RuntimeException | LinkageError e) { // missing, or not for this processor
        return false;
      }
    }

    /// Whether all elements agree within a few roundings; the elements are of size 12 or so.
    private static boolean near(Tensor expected, Tensor actual, DType type) {
      double[] e = expected.toDoubles();
      double[] a = actual.toDoubles();
      double far = 0;
      for (int i = 0; i < e.length; i++) {
        far = Math.max(far, Math.abs(e[i] - a[i]));
      }
      return far < (type == DType.BFLOAT16 ? 0.5 : 1e-3);
    }
  }
}
