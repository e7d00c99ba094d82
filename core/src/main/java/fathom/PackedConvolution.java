package fathom;

import java.util.EnumSet;
import java.util.Set;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.global.torch;

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
    IValue by = skips ? Operations.list(1, 1) : Operations.list(stride, stride);
    IValue around = Operations.list(padding, padding);
    try (var w = new IValue(weight.raw());
        var size = Operations.list(seen.toArray())) {
      Tensor packed =
          Operations.call(Operations.REORDER, w, around, by, Operations.ONES, Operations.ONE, size);
      return new PackedConvolution(packed, bias, images, stride, padding, by, around);
    }
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
    try (var scope = Scope.open();
        var in = new IValue(seen(x).raw());
        var w = new IValue(weight.raw());
        var b = new IValue(bias.raw())) {
      return scope.keep(
          Operations.call(
              Operations.CONVOLUTION,
              in,
              w,
              b,
              paddings,
              strides,
              Operations.ONES,
              Operations.ONE,
              rectified ? Operations.RELU : Operations.NONE,
              Operations.NO_SCALARS,
              Operations.NULL));
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
    if (!sum.isChannelsLast()) {
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
      Operations.call(
              Operations.CONVOLUTION_ONTO,
              onto,
              in,
              w,
              b,
              paddings,
              strides,
              Operations.ONES,
              Operations.ONE,
              Operations.ADD,
              Operations.NULL,
              rectified ? Operations.RELU : Operations.NULL,
              Operations.NO_SCALARS,
              Operations.NULL)
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

  /// libtorch's operations and the arguments that never change.
  private static final class Operations {
    /// Builds the lists of numbers that the operations take; only libtorch's script language can
    /// make them.
    private static final CompilationUnit LISTS =
        torch.compile(
            """
            def two(a: int, b: int) -> List[int]:
                return [a, b]
            def four(a: int, b: int, c: int, d: int) -> List[int]:
                return [a, b, c, d]
            def scalars() -> List[Optional[number]]:
                none: List[Optional[number]] = []
                return none
            """);

    static final OperatorHandle REORDER = operation("_reorder_convolution_weight", "");
    static final OperatorHandle CONVOLUTION = operation("_convolution_pointwise", "");
    static final OperatorHandle CONVOLUTION_ONTO = operation("_convolution_pointwise_", "binary");
    static final IValue ONE = new IValue(1L);
    static final IValue ONES = list(1, 1);
    static final IValue NO_SCALARS = run("scalars");
    static final IValue NULL = new IValue();
    static final IValue NONE = new IValue("none");
    static final IValue RELU = new IValue("relu");
    static final IValue ADD = new IValue("add");

    private Operations() {}

    private static OperatorHandle operation(String name, String overload) {
      return Dispatcher.singleton().findSchemaOrThrow("mkldnn::" + name, overload);
    }

    static IValue list(long... numbers) {
      var values = new IValue[numbers.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = new IValue(numbers[i]);
      }
      return run(numbers.length == 2 ? "two" : "four", values);
    }

    private static IValue run(String function, IValue... arguments) {
      try (var name = new QualifiedName(function);
          var stack = new IValueVector(arguments)) {
        LISTS.find_function(name).run(stack);
        return new IValue(stack.get(0));
      }
    }

    static Tensor call(OperatorHandle operation, IValue... arguments) {
      try (var stack = new IValueVector(arguments)) {
        operation.callBoxed(stack);
        return Tensor.adopt(new org.bytedeco.pytorch.Tensor(stack.get(0).toTensor()));
      }
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
