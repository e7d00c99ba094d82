package fathom;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.jspecify.annotations.Nullable;

/// A dense array of numbers in native memory.
///
/// The elements of a tensor do not change after it is made, except through methods whose names end
/// in an underscore; only the code that made the tensor may call those. A tensor dies with the
/// [Scope] in which it was made, and reading or computing with it afterwards throws
/// `IllegalStateException`. It stays on its thread, unless it lives in a [Lifetime].
///
/// Shapes and types are checked before native code sees them. A mistake throws an
/// `IllegalArgumentException` that names both sides. A tensor that does not fit into the memory of
/// this machine beside those that live throws a [DeviceException].
///
/// - Making: [#zeros], [#empty], [#emptyImages], [#of], [#scalar], [#normal], [#over],
///   [#zerosLike], [#emptyLike], [#zerosOf], [#emptyOf]
/// - Arithmetic: [#plus], [#minus], [#times], [#dividedBy], [#matmul], [#exp], [#log], [#sqrt],
///   [#square], [#relu], [#sigmoid], [#tanh], [#logSoftmax]
/// - Reducing: [#sum], [#mean], [#argMax]
/// - Shape: [#reshape], [#transpose], [#narrow], [#every], [#expand], [#permute], [#concatenated],
///   [#alias]
/// - Type and layout: [#to], [#contiguous], [#channelsLast]
/// - Writing: [#add_], [#addProduct_], [#copy_], [#zero_], [#relu_]
/// - Reading: [#item], [#toDoubles], [#segment]
public final class Tensor {
  private static final AtomicLong LIVE = new AtomicLong();
  private static final AtomicLong LIVE_BYTES = new AtomicLong();
  private static final AtomicLong MOST_BYTES = new AtomicLong();

  /// Null if this tensor has a shape and no elements ([Scope#ofShapes]).
  private final org.bytedeco.pytorch.@Nullable Tensor raw;

  private final Shape shape;
  private final DType type;
  private final long bytes;
  private @Nullable MemorySegment memory;
  private boolean freed;

  /// The scope that frees this tensor; [Scope] sets it when the tensor moves.
  @Nullable Scope scope;

  private Tensor(org.bytedeco.pytorch.Tensor raw, boolean ownsMemory) {
    Scope home = Scope.innermost();
    this.raw = raw;
    long[] sizes = new long[(int) raw.dim()];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = raw.size(i);
    }
    this.shape = Shape.of(sizes);
    this.type = Torch.type(raw);
    this.bytes = ownsMemory ? shape.elements() * type.bytes() : 0;
    if (ownsMemory) {
      keepRoom(raw);
    }
    LIVE.incrementAndGet();
    long all = LIVE_BYTES.addAndGet(bytes);
    if (all > MOST_BYTES.get()) {
      MOST_BYTES.accumulateAndGet(all, Math::max);
    }
    home.adopt(this);
  }

  /// Makes a tensor without elements, in a scope of shapes.
  private Tensor(Shape shape, DType type) {
    this.raw = null;
    this.shape = shape;
    this.type = type;
    this.bytes = 0;
    LIVE.incrementAndGet();
    Scope.innermost().adopt(this);
  }

  /// Takes ownership of the result of a native operation.
  static Tensor adopt(org.bytedeco.pytorch.Tensor raw) {
    return new Tensor(raw, true);
  }

  /// Takes ownership of a handle whose memory another tensor already accounts for.
  static Tensor view(org.bytedeco.pytorch.Tensor raw) {
    return new Tensor(raw, false);
  }

  org.bytedeco.pytorch.Tensor raw() {
    if (freed) {
      throw new IllegalStateException(
          "this tensor of shape %s died with its scope; keep() it in the scope that returns it"
              .formatted(shape));
    }
    if (raw == null) {
      throw new IllegalStateException(
          "this tensor of shape %s has no elements, for it was made in a scope of shapes; make it in Scope.open()"
              .formatted(shape));
    }
    return raw;
  }

  /// The number of tensors that live now, in the whole process.
  public static long live() {
    return LIVE.get();
  }

  /// The bytes of the elements of all tensors that live now, in the whole process. Views count as
  /// zero.
  public static long liveBytes() {
    return LIVE_BYTES.get();
  }

  /// The largest value of [#liveBytes()] since the last call of [#watchBytes()].
  public static long mostBytes() {
    return MOST_BYTES.get();
  }

  /// Restarts the record of [#mostBytes()]; returns the bytes that live now.
  public static long watchBytes() {
    long now = LIVE_BYTES.get();
    MOST_BYTES.set(now);
    return now;
  }

  // ---- Making

  /// Returns a tensor of zeros, in row-major order.
  public static Tensor zeros(DType type, long... shape) {
    if (Scope.hasShapesOnly()) {
      return new Tensor(Shape.of(shape), type);
    }
    checkRoom(Shape.of(shape), type);
    return adopt(torch.zeros(shape, Torch.options(type)));
  }

  /// Returns a tensor in row-major order with arbitrary elements.
  public static Tensor empty(DType type, long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(torch.empty(shape, Torch.options(type), Torch.NO_FORMAT));
  }

  /// Returns a tensor for N×C×H×W images with the channels innermost in memory and arbitrary
  /// elements.
  public static Tensor emptyImages(DType type, long n, long c, long h, long w) {
    checkRoom(Shape.of(n, c, h, w), type);
    try (var rows = torch.empty(new long[] {n, h, w, c}, Torch.options(type), Torch.NO_FORMAT)) {
      return adopt(rows.permute(0, 3, 1, 2));
    }
  }

  /// Returns a float32 tensor of these elements, which are in row-major order. Throws
  /// `IllegalArgumentException` if their number is not that of the shape.
  public static Tensor of(float[] elements, long... shape) {
    Tensor t = zeros(DType.FLOAT32, shape);
    t.checkCount(elements.length);
    MemorySegment.copy(elements, 0, t.segment(), ValueLayout.JAVA_FLOAT, 0, elements.length);
    return t;
  }

  /// Returns a float64 tensor of these elements, which are in row-major order. Throws
  /// `IllegalArgumentException` if their number is not that of the shape.
  public static Tensor of(double[] elements, long... shape) {
    Tensor t = zeros(DType.FLOAT64, shape);
    t.checkCount(elements.length);
    MemorySegment.copy(elements, 0, t.segment(), ValueLayout.JAVA_DOUBLE, 0, elements.length);
    return t;
  }

  /// Returns a tensor without dimensions that holds `value`.
  public static Tensor scalar(DType type, double value) {
    try (var s = new Scalar(value)) {
      return adopt(torch.scalar_tensor(s, Torch.options(type)));
    }
  }

  /// Returns a tensor of standard normal numbers, which are drawn in float64 and rounded to `type`.
  public static Tensor normal(RandomKey key, DType type, long... shape) {
    double[] elements = new double[Math.toIntExact(Shape.of(shape).elements())];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = key.normal(i);
    }
    return of(elements, shape).to(type);
  }

  /// Returns a tensor over native memory of another owner, which must outlive the tensor. Tensors
  /// are in row-major order; with `channelsLast`, N×C×H×W images lie with the channels innermost.
  /// Throws `IllegalArgumentException` if the memory is not native or too small, or if
  /// `channelsLast` is set and there are not four dimensions.
  public static Tensor over(MemorySegment memory, DType type, boolean channelsLast, long... shape) {
    Shape s = Shape.of(shape);
    if (!memory.isNative() || memory.byteSize() < s.elements() * type.bytes()) {
      throw new IllegalArgumentException(
          "a tensor of shape %s and type %s needs %s bytes of native memory, but this segment has %s %s"
              .formatted(
                  s,
                  type,
                  s.elements() * type.bytes(),
                  memory.byteSize(),
                  memory.isNative() ? "native ones" : "on the heap"));
    }
    long[] strides = new long[shape.length];
    long stride = 1;
    if (channelsLast && shape.length != 4) {
      throw new IllegalArgumentException("channels-last needs 4 dimensions, but the shape is " + s);
    }
    int[] fromInnermost = channelsLast ? new int[] {1, 3, 2, 0} : descending(shape.length);
    for (int dim : fromInnermost) {
      strides[dim] = stride;
      stride *= shape[dim];
    }
    Tensor t = view(Torch.over(memory, type, shape, strides));
    t.memory =
        memory.asSlice(0, s.elements() * type.bytes()); // keeps the arena of the memory reachable
    return t;
  }

  private static int[] descending(int n) {
    int[] dims = new int[n];
    for (int i = 0; i < n; i++) {
      dims[i] = n - 1 - i;
    }
    return dims;
  }

  /// Returns zeros of the same shape, type and layout.
  public Tensor zerosLike() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    checkRoom(shape, type);
    return adopt(torch.zeros_like(raw()));
  }

  /// Returns a tensor of the same shape, type and layout with arbitrary elements.
  public Tensor emptyLike() {
    checkRoom(shape, type);
    return adopt(torch.empty_like(raw()));
  }

  /// Returns a tensor of another shape with arbitrary elements, in row-major order, of this type
  /// and on this device.
  public Tensor emptyOf(long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(raw().new_empty(shape));
  }

  /// Returns zeros of another shape, in row-major order, of this type and on this device.
  public Tensor zerosOf(long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(raw().new_zeros(shape));
  }

  // ---- Arithmetic

  /// Returns the elementwise sum. Sizes are compared from the last dimension; each pair is equal,
  /// or one of them is 1 and is repeated. Throws `IllegalArgumentException` otherwise, or if the
  /// types differ.
  public Tensor plus(Tensor o) {
    checkElementwise("+", o);
    return adopt(raw().add(o.raw()));
  }

  /// Returns this tensor with `k` added to each element.
  public Tensor plus(double k) {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    try (var s = new Scalar(k)) {
      return adopt(raw().add(s));
    }
  }

  /// Returns the elementwise difference, under the rules of [#plus(Tensor)].
  public Tensor minus(Tensor o) {
    checkElementwise("-", o);
    return adopt(raw().sub(o.raw()));
  }

  /// Returns the elementwise product, under the rules of [#plus(Tensor)].
  public Tensor times(Tensor o) {
    checkElementwise("*", o);
    return adopt(raw().mul(o.raw()));
  }

  /// Returns this tensor with each element multiplied by `k`.
  public Tensor times(double k) {
    try (var s = new Scalar(k)) {
      return adopt(raw().mul(s));
    }
  }

  /// Returns the elementwise quotient, under the rules of [#plus(Tensor)].
  public Tensor dividedBy(Tensor o) {
    checkElementwise("/", o);
    return adopt(raw().div(o.raw()));
  }

  /// Returns the matrix product of M×K and K×N; of B×M×K and B×K×N, that of each pair. Throws
  /// `IllegalArgumentException` for other shapes or different types.
  public Tensor matmul(Tensor o) {
    checkMatrices(o);
    return Products.take(this, o) ? Products.of(this, o) : adopt(raw().matmul(o.raw()));
  }

  /// Returns the exponential of each element.
  public Tensor exp() {
    return adopt(raw().exp());
  }

  /// Returns the natural logarithm of each element.
  public Tensor log() {
    return adopt(raw().log());
  }

  /// Returns the square root of each element.
  public Tensor sqrt() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return adopt(raw().sqrt());
  }

  /// Returns the square of each element.
  public Tensor square() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return adopt(raw().square());
  }

  /// Returns max(x, 0) of each element x.
  public Tensor relu() {
    return adopt(raw().relu());
  }

  /// Computes `this = max(this, 0)` and returns this tensor.
  public Tensor relu_() {
    raw().relu_();
    return this;
  }

  /// Returns the logistic function 1/(1 + exp(−x)) of each element x.
  public Tensor sigmoid() {
    return adopt(raw().sigmoid());
  }

  /// Returns the hyperbolic tangent of each element.
  public Tensor tanh() {
    return adopt(raw().tanh());
  }

  /// Returns log(exp(x) / Σ exp(x)), with the sum over dimension `dim`. Throws
  /// `IllegalArgumentException` for INT64 or if there is no such dimension.
  public Tensor logSoftmax(int dim) {
    checkFractions("a softmax");
    shape.size(dim);
    return adopt(torch.log_softmax(raw(), dim));
  }

  // ---- Reducing

  /// Returns the sum of all elements, as a tensor without dimensions.
  public Tensor sum() {
    return adopt(raw().sum());
  }

  /// Returns the sum over `dims`, which remain as dimensions of size 1.
  public Tensor sum(long... dims) {
    checkDims(dims);
    if (raw == null) {
      long[] left = shape.toArray();
      for (long dim : dims) {
        left[(int) (dim < 0 ? dim + left.length : dim)] = 1;
      }
      return new Tensor(Shape.of(left), type);
    }
    return adopt(raw().sum(dims, true, Torch.SAME_TYPE));
  }

  /// Returns the mean over `dims`, which remain as dimensions of size 1. Throws
  /// `IllegalArgumentException` for INT64.
  public Tensor mean(long... dims) {
    checkFractions("a mean");
    checkDims(dims);
    return adopt(raw().mean(dims, true, Torch.SAME_TYPE));
  }

  /// Returns the index of the largest element of each row of an N×K matrix; the first of equals.
  public int[] argMax() {
    checkRank(2);
    double[] elements = toDoubles();
    int columns = (int) shape.size(1);
    int[] best = new int[(int) shape.size(0)];
    for (int row = 0; row < best.length; row++) {
      for (int c = 1; c < columns; c++) {
        if (elements[row * columns + c] > elements[row * columns + best[row]]) {
          best[row] = c;
        }
      }
    }
    return best;
  }

  // ---- Shape

  /// Returns the same elements in row-major order under another shape; a view where the layout
  /// allows it. Throws `IllegalArgumentException` if the number of elements differs.
  public Tensor reshape(long... shape) {
    Shape to = Shape.of(shape);
    if (to.elements() != this.shape.elements()) {
      throw new IllegalArgumentException(
          "a reshape keeps the number of elements, but %s has %s and %s has %s"
              .formatted(this.shape, this.shape.elements(), to, to.elements()));
    }
    if (raw == null) {
      return new Tensor(Shape.of(shape), type);
    }
    return view(raw().reshape(shape));
  }

  /// Returns the transpose of a matrix, as a view.
  public Tensor transpose() {
    checkRank(2);
    return view(raw().t());
  }

  /// Returns the part `from .. to-1` of dimension `dim`, as a view. Throws
  /// `IllegalArgumentException` if the part does not lie within the dimension.
  public Tensor narrow(int dim, long from, long to) {
    long size = shape.size(dim);
    if (from < 0 || from > to || to > size) {
      throw new IllegalArgumentException(
          "the part %s..%s does not lie in dimension %s of the shape %s, 0..%s"
              .formatted(from, to, dim, shape, size));
    }
    return view(raw().narrow(dim, from, to - from));
  }

  /// Returns the same elements in the reverse order along the dimensions `dims`, as a copy.
  public Tensor flipped(long... dims) {
    checkDims(dims);
    return adopt(raw().flip(dims));
  }

  /// Returns every `step`-th pixel of N×C×H×W images in both directions, beginning with the first,
  /// as a view.
  public Tensor every(int step) {
    checkRank(4);
    if (step < 1) {
      throw new IllegalArgumentException("a step is at least 1, but is " + step);
    }
    try (var first = new LongOptional(0);
        var rows = new LongOptional(shape.size(2));
        var columns = new LongOptional(shape.size(3));
        var sliced = raw().slice(2, first, rows, step)) {
      return view(sliced.slice(3, first, columns, step));
    }
  }

  /// Returns the same elements with the dimensions reordered, as a view: dimension i of the result
  /// is dimension `order[i]` of this tensor.
  public Tensor permute(long... order) {
    checkDims(order);
    checkRank(order.length);
    return view(raw().permute(order));
  }

  /// Returns these tensors joined along dimension `dim`, in their order. Throws
  /// `IllegalArgumentException` if their types or their other sizes differ.
  public static Tensor concatenated(int dim, List<Tensor> parts) {
    Tensor first = parts.getFirst();
    first.shape.size(dim);
    try (var raws = new TensorVector(parts.size())) {
      for (int i = 0; i < parts.size(); i++) {
        Tensor part = parts.get(i);
        first.checkType("a concatenation", part);
        boolean fits = part.shape.rank() == first.shape.rank();
        for (int d = 0; fits && d < first.shape.rank(); d++) {
          fits = d == dim || part.shape.size(d) == first.shape.size(d);
        }
        if (!fits) {
          throw new IllegalArgumentException(
              "what is concatenated along dimension %s has equal sizes elsewhere, but the shapes are %s and %s"
                  .formatted(dim, first.shape, part.shape));
        }
        raws.put(i, part.raw());
      }
      return adopt(torch.cat(raws, dim));
    }
  }

  /// Returns a view in which dimensions of size 1 are repeated up to `shape`. Throws
  /// `IllegalArgumentException` if another size would change.
  public Tensor expand(Shape shape) {
    checkExpands(shape);
    return view(raw().expand(shape.toArray()));
  }

  /// Returns a second handle on the same elements.
  public Tensor alias() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return view(new org.bytedeco.pytorch.Tensor(raw()));
  }

  // ---- Type and layout

  /// Returns the elements rounded to another type; a second handle if the type is the same.
  public Tensor to(DType type) {
    return type == this.type ? alias() : adopt(raw().to(Torch.scalarType(type)));
  }

  /// Returns the elements in row-major order; a second handle if they are in that order already.
  public Tensor contiguous() {
    return raw().is_contiguous() ? alias() : adopt(raw().contiguous());
  }

  /// Returns N×C×H×W images with their channels innermost in memory, the layout of convolutions and
  /// per-channel kernels. Tensors of other ranks become row-major. The result is a second handle if
  /// the layout is right already.
  public Tensor channelsLast() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    if (shape.rank() != 4) {
      return contiguous();
    }
    return isChannelsLast() ? alias() : adopt(raw().contiguous(MemoryFormat.ChannelsLast));
  }

  /// Whether this tensor has four dimensions N×C×H×W and its elements lie in memory as N×H×W×C.
  public boolean isChannelsLast() {
    return shape.rank() == 4 && raw().is_contiguous(MemoryFormat.ChannelsLast);
  }

  // ---- Writing

  /// Computes `this += o` and returns this tensor. Sizes of `o` are equal to those of this tensor,
  /// or 1 and repeated; it may have fewer leading dimensions. Throws `IllegalArgumentException`
  /// otherwise, or if the types differ.
  public Tensor add_(Tensor o) {
    checkType("+=", o);
    checkFits(o);
    raw().add_(o.raw());
    return this;
  }

  /// Computes `this += a·b`, the form of every weight gradient, and returns this tensor. Throws
  /// `IllegalArgumentException` unless `a` is M×K, `b` is K×N, this tensor is M×N, and the types
  /// are equal.
  public Tensor addProduct_(Tensor a, Tensor b) {
    a.checkMatrices(b);
    checkType("+=", a);
    if (!shape.equals(Shape.of(a.shape.size(0), b.shape.size(1)))) {
      throw new IllegalArgumentException(
          "a product of M×K and K×N is added to M×N, but these are %s, %s and %s"
              .formatted(a.shape, b.shape, shape));
    }
    if (Products.takeAddend(a, b)) {
      try (var _ = Scope.open()) {
        return add_(Products.of(a, b));
      }
    }
    raw().addmm_(a.raw(), b.raw());
    return this;
  }

  /// Computes `this = o` for each element and keeps the layout and type of this tensor, which it
  /// returns. Throws `IllegalArgumentException` if the shapes differ.
  public Tensor copy_(Tensor o) {
    if (!o.shape.equals(shape)) {
      throw new IllegalArgumentException(
          "a copy needs equal shapes, but %s was to be copied into %s".formatted(o.shape, shape));
    }
    raw().copy_(o.raw());
    return this;
  }

  /// Adds `elements`, which are in row-major order, to this tensor and returns it. Throws
  /// `IllegalArgumentException` if their number is wrong and `IllegalStateException` if this tensor
  /// is not row-major.
  public Tensor add_(double[] elements) {
    double[] sum = toDoubles();
    checkCount(elements.length);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += elements[i];
    }
    return copy_(sum);
  }

  /// Sets this tensor to `elements`, which are in row-major order, and returns it. Throws
  /// `IllegalArgumentException` if their number is wrong or the type is INT64, and
  /// `IllegalStateException` if this tensor is not row-major.
  public Tensor copy_(double[] elements) {
    checkCount(elements.length);
    checkRowMajor();
    MemorySegment to = segment();
    switch (type) {
      case FLOAT32 -> {
        for (int i = 0; i < elements.length; i++) {
          to.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) elements[i]);
        }
      }
      case FLOAT64 ->
          MemorySegment.copy(elements, 0, to, ValueLayout.JAVA_DOUBLE, 0, elements.length);
      case BFLOAT16 -> {
        try (var _ = Scope.open()) {
          copy_(of(elements, shape.toArray()));
        }
      }
      case INT64 -> throw new IllegalArgumentException("fractions do not fit into " + this);
    }
    return this;
  }

  /// Sets all elements to zero and returns this tensor.
  public Tensor zero_() {
    if (raw != null || freed) {
      raw().zero_();
    } // else it has only a shape, as in Scope.ofShapes
    return this;
  }

  // ---- Reading

  /// The shape.
  public Shape shape() {
    return shape;
  }

  /// The type of the elements.
  public DType type() {
    return type;
  }

  /// Whether the elements lie in the memory of the processor, where kernels can read them, and not
  /// on another device.
  public boolean isOnProcessor() {
    return raw().is_cpu();
  }

  /// Returns the only element. Throws `IllegalArgumentException` if there is not exactly one.
  public double item() {
    if (shape.elements() != 1) {
      throw new IllegalArgumentException(
          "item() reads a tensor of one element, but this one is " + shape);
    }
    return raw().item_double();
  }

  /// Returns all elements in row-major order.
  public double[] toDoubles() {
    if (!raw().is_contiguous()) {
      try (var _ = Scope.open()) {
        return contiguous().toDoubles();
      }
    }
    double[] elements = new double[Math.toIntExact(shape.elements())];
    MemorySegment from = segment();
    for (int i = 0; i < elements.length; i++) {
      elements[i] =
          switch (type) {
            case FLOAT32 -> from.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            case FLOAT64 -> from.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            case BFLOAT16 -> Float.intBitsToFloat(from.getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
            case INT64 -> from.getAtIndex(ValueLayout.JAVA_LONG, i);
          };
    }
    return elements;
  }

  /// Returns the elements as memory, in the order in which they lie there: row-major, or with the
  /// channels innermost after [#channelsLast]. The segment is valid while this tensor lives; only
  /// the code that made the tensor may write to it. Throws `IllegalStateException` for a view with
  /// gaps or a tensor on another device.
  public MemorySegment segment() {
    var live = raw();
    if (memory == null) {
      if (!live.is_cpu()) {
        throw new IllegalStateException(
            "a kernel on memory needs elements on the processor, but this %s is on another device; use the form of libtorch's operations"
                .formatted(this));
      }
      if (!live.is_contiguous() && !isChannelsLast()) {
        throw new IllegalStateException(
            "a kernel needs elements without gaps, but this %s is a transposed or sliced view; make it contiguous()"
                .formatted(shape));
      }
      memory = memory(live, shape.elements() * type.bytes());
    }
    return memory;
  }

  @SuppressWarnings("restricted") // the size is that of the tensor
  private static MemorySegment memory(org.bytedeco.pytorch.Tensor raw, long bytes) {
    return bytes == 0
        ? MemorySegment.NULL
        : MemorySegment.ofAddress(raw.data_ptr().address()).reinterpret(bytes);
  }

  /// Frees this tensor now instead of at the end of its scope. Loops use it so that they do not
  /// hold every intermediate tensor; using the tensor afterwards is an error.
  public void release() {
    if (!freed) {
      freed = true;
      LIVE.decrementAndGet();
      LIVE_BYTES.addAndGet(-bytes);
      if (raw != null) {
        raw.close();
      }
    }
  }

  @Override
  public String toString() {
    return type + " " + shape + (freed ? " (freed)" : "");
  }

  // ---- Checks

  /// Throws [DeviceException] if this machine does not have the memory for such a tensor.
  private static void checkRoom(Shape shape, DType type) {
    Memory.check(shape, type, LIVE_BYTES.get());
  }

  /// Checks the result of an operation, whose size is known only when it exists, and frees it
  /// before throwing [DeviceException].
  private void keepRoom(org.bytedeco.pytorch.Tensor raw) {
    try {
      checkRoom(shape, type);
    } catch (DeviceException e) {
      raw.close();
      throw e;
    }
  }

  private void checkCount(long elements) {
    if (elements != shape.elements()) {
      throw new IllegalArgumentException(
          "the shape %s has %s elements, but %s were given"
              .formatted(shape, shape.elements(), elements));
    }
  }

  private void checkRowMajor() {
    if (!raw().is_contiguous()) {
      throw new IllegalStateException(
          "elements are written in row-major order, but this %s lies otherwise in memory"
              .formatted(this));
    }
  }

  private void checkRank(int rank) {
    if (shape.rank() != rank) {
      throw new IllegalArgumentException(
          "this operation needs %s dimensions, but the shape is %s".formatted(rank, shape));
    }
  }

  private void checkDims(long[] dims) {
    var seen = new BitSet();
    for (long dim : dims) {
      shape.size(Math.toIntExact(dim));
      int at = (int) (dim < 0 ? dim + shape.rank() : dim);
      if (seen.get(at)) {
        throw new IllegalArgumentException(
            "dimension %s of the shape %s is named twice".formatted(at, shape));
      }
      seen.set(at);
    }
  }

  void checkType(String operation, Tensor o) {
    if (type != o.type) {
      throw new IllegalArgumentException(
          "both sides of %s have one type, but these are %s and %s; convert one with to()"
              .formatted(operation, this, o));
    }
  }

  void checkFractions(String operation) {
    if (type == DType.INT64) {
      throw new IllegalArgumentException(
          "%s needs fractions, but was given %s; convert it with to()".formatted(operation, this));
    }
  }

  private void checkElementwise(String operation, Tensor o) {
    checkType(operation, o);
    for (int i = 1; i <= Math.min(shape.rank(), o.shape.rank()); i++) {
      long a = shape.size(-i);
      long b = o.shape.size(-i);
      if (a != b && a != 1 && b != 1) {
        throw new IllegalArgumentException(
            "the sizes of both sides of %s are equal or 1, but the shapes are %s and %s"
                .formatted(operation, shape, o.shape));
      }
    }
  }

  private void checkFits(Tensor o) {
    boolean fits = o.shape.rank() <= shape.rank();
    for (int i = 1; fits && i <= o.shape.rank(); i++) {
      fits = o.shape.size(-i) == shape.size(-i) || o.shape.size(-i) == 1;
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "what is added has the same sizes or 1, but %s was to be added to %s"
              .formatted(o.shape, shape));
    }
  }

  private void checkMatrices(Tensor o) {
    checkType("a matrix product", o);
    int rank = shape.rank();
    boolean fits = (rank == 2 || rank == 3) && o.shape.rank() == rank;
    if (!fits
        || shape.size(-1) != o.shape.size(-2)
        || (rank == 3 && shape.size(0) != o.shape.size(0))) {
      throw new IllegalArgumentException(
          "a matrix product needs M×K and K×N, or B×M×K and B×K×N, but the shapes are %s and %s"
              .formatted(shape, o.shape));
    }
  }

  private void checkExpands(Shape to) {
    boolean fits = to.rank() == shape.rank();
    for (int i = 0; fits && i < to.rank(); i++) {
      fits = shape.size(i) == to.size(i) || shape.size(i) == 1;
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "only sizes of 1 can be expanded, but %s was to become %s".formatted(shape, to));
    }
  }
}
