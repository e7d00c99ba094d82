package fathom;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongArrayRefOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/// What Fathom needs of libtorch besides the operations of [Tensor]: start-up, threads, and the
/// operations that have a backward pass of their own.
public final class Torch {
  static final LongArrayRefOptional NO_SIZES;
  static final ScalarTypeOptional SAME_TYPE;
  static final MemoryFormatOptional NO_FORMAT;
  static final TensorOptional NO_TENSOR;
  private static final Map<DType, TensorOptions> OPTIONS = new EnumMap<>(DType.class);
  private static final @Nullable MethodHandle TRIM = function("malloc_trim", ValueLayout.JAVA_LONG);

  private static final long[] NO_DILATION = {1, 1};

  static {
    // JavaCPP would read the process's memory use at every allocation (1.7 µs) and cap it at a
    // multiple of the Java heap. Scopes bound our memory instead. JavaCPP reads the property when
    // it loads, which happens below, or happened earlier with the setting of jvm.args.
    if (System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes") == null) {
      System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    }
    keepPages();
    Unpacked.deleteWhatIsCutShort();
    Loader.load(torch.class);
    // Workers provide the parallelism. Libtorch's own threads would spin between operations and
    // take the cores from them.
    threads(1);
    // Matrix products run in OpenBLAS, whose threads spin for tens of milliseconds after each
    // product. Beside a second worker, or beside libtorch's own threads, two threads would wait for
    // each other on one core.
    openblas_nolapack.blas_set_num_threads(1);
    // NNPACK would be asked for some convolutions of few images, and where it does not know the
    // processor it writes so to standard error at every call. oneDNN does without it.
    torch.globalContext().setUserEnabledNNPACK(false);
    NO_SIZES = new LongArrayRefOptional();
    SAME_TYPE = new ScalarTypeOptional();
    NO_FORMAT = new MemoryFormatOptional();
    NO_TENSOR = new TensorOptional();
    for (DType type : DType.values()) {
      OPTIONS.put(type, new TensorOptions(scalarType(type)));
    }
  }

  private Torch() {}

  /// Loads the native libraries if they are not loaded yet and returns their versions, such as
  /// `libtorch 2.10.0-1.5.13 (AVX512), JavaCPP 1.5.13`. Throws `UnsatisfiedLinkError` if there are
  /// none for this machine.
  public static String version() {
    try (BytePointer capability = torch.get_cpu_capability()) {
      return "libtorch %s (%s), JavaCPP %s"
          .formatted(Release.of("pytorch"), capability.getString(), Release.of("javacpp"));
    }
  }

  /// Returns a native tensor over memory of another owner.
  static org.bytedeco.pytorch.Tensor over(
      MemorySegment memory, DType type, long[] shape, long[] strides) {
    return torch.from_blob(new Address(memory), shape, strides, options(type));
  }

  private static final class Address extends Pointer {
    Address(MemorySegment memory) {
      super((Pointer) null);
      address = memory.address();
    }
  }

  /// Sets how many threads an operation of libtorch may use when this thread calls it: one in a
  /// worker of a training run, all cores for a single prediction. Matrix products always use one.
  /// Only the trainer and the predictor call this method.
  public static void threads(int count) {
    torch.set_num_threads(count);
  }

  /// The number that [#threads(int)] has set.
  public static int threads() {
    return torch.get_num_threads();
  }

  /// Tells glibc to keep large freed blocks. By default it returns them to the system and faults
  /// their pages in again at the next allocation, which costs a training step more than a
  /// convolution does (docs/speed-log.md). Where `mallopt` does not exist, this method does
  /// nothing.
  private static void keepPages() {
    if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
        || !Boolean.parseBoolean(System.getProperty("fathom.mallopt", "true"))) {
      return;
    }
    MethodHandle mallopt = function("mallopt", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    if (mallopt == null) {
      return;
    }
    int trimThreshold = -1;
    int topPad = -2;
    int mmapThreshold = -3;
    try {
      // The result 1 means success. musl has the function and returns 0, which is as good as not
      // having it.
      int answer = (int) mallopt.invokeExact(mmapThreshold, 1 << 30);
      if (answer == 1) {
        answer = (int) mallopt.invokeExact(trimThreshold, Integer.MAX_VALUE);
        answer = (int) mallopt.invokeExact(topPad, 64 << 20);
      }
    } catch (Throwable e) {
      throw new LinkageError("mallopt could not be called", e);
    }
  }

  /// Returns freed memory to the system where glibc keeps it. It is meant for moments at which much
  /// memory was freed that a training run does not need again.
  static void returnPages() {
    if (TRIM == null) {
      return;
    }
    try {
      int _ = (int) TRIM.invokeExact(0L);
    } catch (Throwable e) {
      throw new LinkageError("malloc_trim could not be called", e);
    }
  }

  /// Looks up a function of the C library that returns an int; null if there is none of that name.
  @SuppressWarnings("restricted")
  static @Nullable MethodHandle function(String name, MemoryLayout... parameters) {
    var linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find(name)
        .map(symbol ->
            linker.downcallHandle(symbol, FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters)))
        .orElse(null);
  }

  static ScalarType scalarType(DType type) {
    return switch (type) {
      case FLOAT32 -> ScalarType.Float;
      case FLOAT64 -> ScalarType.Double;
      case BFLOAT16 -> ScalarType.BFloat16;
      case INT64 -> ScalarType.Long;
    };
  }

  static DType type(org.bytedeco.pytorch.Tensor raw) {
    ScalarType type = raw.scalar_type().intern();
    return switch (type) {
      case Float -> DType.FLOAT32;
      case Double -> DType.FLOAT64;
      case BFloat16 -> DType.BFLOAT16;
      case Long -> DType.INT64;
      default -> throw new IllegalStateException("libtorch gave a tensor of type " + type);
    };
  }

  static TensorOptions options(DType type) {
    return Objects.requireNonNull(OPTIONS.get(type));
  }

  /// Copies a handle out of a tuple, which owns its elements, so that the tensor outlives the
  /// tuple.
  static Tensor own(org.bytedeco.pytorch.Tensor borrowed) {
    return Tensor.adopt(new org.bytedeco.pytorch.Tensor(borrowed));
  }

  /// The largest element of each window, and its position within the H×W plane of the input, which
  /// [#maxPoolBackward] reads.
  public record MaxPooled(Tensor value, Tensor indices) {}

  /// Returns the maximum of each window of `size`×`size` pixels of N×C×H×W images.
  public static MaxPooled maxPool(Tensor x, int size, int stride, int padding) {
    try (T_TensorTensor_T pooled =
        torch.max_pool2d_with_indices(
            x.raw(),
            new long[] {size, size},
            new long[] {stride, stride},
            new long[] {padding, padding},
            NO_DILATION,
            false)) {
      return new MaxPooled(own(pooled.get0()), own(pooled.get1()));
    }
  }

  /// Returns N×C×H×W images with every pixel repeated `factor` times in each direction.
  public static Tensor upsample(Tensor x, int factor) {
    Shape s = x.shape();
    return Tensor.adopt(torch.upsample_nearest2d(x.raw(), s.size(2) * factor, s.size(3) * factor));
  }

  /// Computes the backward pass of [#upsample]: returns, for each pixel of images of shape `x`, the
  /// sum of its `factor`×`factor` cotangents.
  public static Tensor upsampleBackward(Tensor dy, Shape x, int factor) {
    return Tensor.adopt(
        torch.upsample_nearest2d_backward(
            dy.raw(), new long[] {x.size(2) * factor, x.size(3) * factor}, x.toArray()));
  }

  /// Computes the backward pass of [#maxPool]: returns dE/dx, in which each window's cotangent is
  /// added at the position of its largest element.
  public static Tensor maxPoolBackward(
      Tensor dy, Tensor x, Tensor indices, int size, int stride, int padding) {
    return Tensor.adopt(
        torch.max_pool2d_with_indices_backward(
            dy.raw(),
            x.raw(),
            new long[] {size, size},
            new long[] {stride, stride},
            new long[] {padding, padding},
            NO_DILATION,
            false,
            indices.raw()));
  }

  /// Returns x·Wᵀ + b for x of N×I, W of O×I and b of O. Throws `IllegalArgumentException` if `x`
  /// and `w` have different types.
  public static Tensor linear(Tensor x, Tensor w, Tensor b) {
    x.checkType("a matrix product", w);
    if (Products.takeLinear(x, w)) {
      return Products.linear(x, w, b, false);
    }
    try (var bias = new TensorOptional(b.raw())) {
      return Tensor.adopt(torch.linear(x.raw(), w.raw(), bias));
    }
  }

  /// Returns dE/dx of y = max(x, 0), computed from the output `y`.
  public static Tensor reluBackward(Tensor dy, Tensor y) {
    try (var zero = new Scalar(0.0)) {
      return Tensor.adopt(torch.threshold_backward(dy.raw(), y.raw(), zero));
    }
  }

  /// Returns dE/dx of the logistic function, computed from its output `y`.
  public static Tensor sigmoidBackward(Tensor dy, Tensor y) {
    return Tensor.adopt(torch.sigmoid_backward(dy.raw(), y.raw()));
  }

  /// Returns dE/dx of tanh, computed from its output `y`.
  public static Tensor tanhBackward(Tensor dy, Tensor y) {
    return Tensor.adopt(torch.tanh_backward(dy.raw(), y.raw()));
  }

  /// Returns x·Φ(x), where Φ is the distribution function of the standard normal distribution. It
  /// uses the error function, not the approximation with tanh. Throws `IllegalArgumentException`
  /// for INT64.
  public static Tensor gelu(Tensor x) {
    x.checkFractions("the Gaussian error linear unit");
    return Tensor.adopt(torch.gelu(x.raw()));
  }

  /// Returns dE/dx of [#gelu], computed from its input `x`.
  public static Tensor geluBackward(Tensor dy, Tensor x) {
    return Tensor.adopt(torch.gelu_backward(dy.raw(), x.raw()));
  }

  /// Returns softmax(q·kᵀ/√d)·v of each head, N×heads×T×d, in one fused operation. If `causal`,
  /// position i attends to the positions 0..i only. [Autograd] provides its backward pass. Throws
  /// `IllegalArgumentException` for INT64 or if shapes or types differ.
  public static Tensor attention(Tensor q, Tensor k, Tensor v, boolean causal) {
    q.checkFractions("attention");
    q.checkType("attention", k);
    q.checkType("attention", v);
    if (q.shape().rank() != 4 || !q.shape().equals(k.shape()) || !q.shape().equals(v.shape())) {
      throw new IllegalArgumentException(
          "attention needs queries, keys and values N×heads×T×d, but was given %s, %s and %s"
              .formatted(q.shape(), k.shape(), v.shape()));
    }
    try (var scale = new DoubleOptional()) {
      return Tensor.adopt(
          torch.scaled_dot_product_attention(
              q.raw(), k.raw(), v.raw(), NO_TENSOR, 0.0, causal, scale, false));
    }
  }

  /// Returns the rows `indices` of a K×F table in the given order, n×F. Throws
  /// `IllegalArgumentException` for an index outside 0..K−1 or if the table is not a matrix.
  public static Tensor rows(Tensor table, int[] indices) {
    checkRows(table, indices);
    try (var at = indices(indices)) {
      return Tensor.adopt(torch.index_select(table.raw(), 0, at));
    }
  }

  /// Computes `sums[indices[i]] += addends[i]`, the backward pass of [#rows]. A row that is named
  /// twice receives both addends. Throws `IllegalArgumentException` for an index outside the table,
  /// or if the addends do not have one row for each index and the table's columns and type.
  public static void addRows_(Tensor sums, int[] indices, Tensor addends) {
    checkRows(sums, indices);
    sums.checkType("+=", addends);
    if (!addends.shape().equals(Shape.of(indices.length, sums.shape().size(1)))) {
      throw new IllegalArgumentException(
          "to %s rows of %s are added as many of as many columns, but they are %s"
              .formatted(indices.length, sums.shape(), addends.shape()));
    }
    try (var at = indices(indices)) {
      sums.raw().index_add_(0, at, addends.raw());
    }
  }

  private static void checkRows(Tensor table, int[] indices) {
    if (table.shape().rank() != 2) {
      throw new IllegalArgumentException("rows of a K×F table, but it is " + table.shape());
    }
    long rows = table.shape().size(0);
    for (int index : indices) {
      if (index < 0 || index >= rows) {
        throw new IllegalArgumentException(
            "the rows of a table of %s are 0..%s, but row %s was asked for"
                .formatted(table.shape(), rows - 1, index));
      }
    }
  }

  private static org.bytedeco.pytorch.Tensor indices(int[] indices) {
    var at = torch.empty(new long[] {indices.length}, options(DType.INT64), NO_FORMAT);
    if (indices.length > 0) {
      try (var memory = new LongPointer(at.data_ptr())) {
        for (int i = 0; i < indices.length; i++) {
          memory.put(i, indices[i]);
        }
      }
    }
    return at;
  }
}
