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
/// Its values do not change after it is made, except through methods whose names end in an
/// underscore, which only the code that made the tensor may call. It dies with the [Scope] it was
/// made in; used after that, every method throws `IllegalStateException`. It stays on its thread.
///
/// Shapes and types are checked here, before native code sees them: a mistake is an
/// `IllegalArgumentException` that names both sides. What does not fit into the memory of this
/// machine, with all that lives, is a [DeviceException].
///
/// - Making: [#zeros], [#empty], [#emptyPictures], [#of], [#scalar], [#over], [#zerosLike],
///   [#emptyLike], [#zerosOf], [#emptyOf]
/// - Arithmetic: [#plus], [#minus], [#times], [#dividedBy], [#matmul], [#exp], [#log], [#sqrt],
///   [#square], [#relu], [#sigmoid], [#tanh], [#logSoftmax]
/// - Reducing: [#sum], [#mean], [#argMax]
/// - Shape: [#reshape], [#transpose], [#narrow], [#every], [#expand], [#permute], [#concatenated],
///   [#alias]
/// - Type and layout: [#to], [#contiguous], [#channelsLast]
/// - Writing: [#add_], [#addProduct_], [#copy_], [#zero_]
/// - Reading: [#item], [#toDoubles], [#segment]
public final class Tensor {
  private static final AtomicLong LIVE = new AtomicLong();
  private static final AtomicLong LIVE_BYTES = new AtomicLong();
  private static final AtomicLong MOST_BYTES = new AtomicLong();

  /// Null where it has a shape and no elements.
  private final org.bytedeco.pytorch.@Nullable Tensor raw;

  private final Shape shape;
  private final DType type;
  private final long bytes;
  private @Nullable MemorySegment memory;
  private boolean freed;

  /// The scope that frees this tensor; [Scope] moves it.
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

  /// In a scope of shapes.
  private Tensor(Shape shape, DType type) {
    this.raw = null;
    this.shape = shape;
    this.type = type;
    this.bytes = 0;
    LIVE.incrementAndGet();
    Scope.innermost().adopt(this);
  }

  /// Takes over the result of a native operation.
  static Tensor adopt(org.bytedeco.pytorch.Tensor raw) {
    return new Tensor(raw, true);
  }

  /// Takes over a handle on memory that another tensor is accounted for.
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

  /// How many tensors live now, in the whole process.
  public static long live() {
    return LIVE.get();
  }

  /// The bytes of the elements of all tensors that live now; views count nothing.
  public static long liveBytes() {
    return LIVE_BYTES.get();
  }

  /// The most of [#liveBytes()] at any moment since [#watchBytes()].
  public static long mostBytes() {
    return MOST_BYTES.get();
  }

  /// Forgets the most so far; returns the bytes that live now.
  public static long watchBytes() {
    long now = LIVE_BYTES.get();
    MOST_BYTES.set(now);
    return now;
  }

  // ---- Making

  public static Tensor zeros(DType type, long... shape) {
    if (Scope.hasShapesOnly()) {
      return new Tensor(Shape.of(shape), type);
    }
    checkRoom(Shape.of(shape), type);
    return adopt(torch.zeros(shape, Torch.options(type)));
  }

  /// Memory in row-major order with no particular elements.
  public static Tensor empty(DType type, long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(torch.empty(shape, Torch.options(type), Torch.NO_FORMAT));
  }

  /// Memory for N×C×H×W pictures with the channels innermost, with no particular elements.
  public static Tensor emptyPictures(DType type, long n, long c, long h, long w) {
    checkRoom(Shape.of(n, c, h, w), type);
    try (var rows = torch.empty(new long[] {n, h, w, c}, Torch.options(type), Torch.NO_FORMAT)) {
      return adopt(rows.permute(0, 3, 1, 2));
    }
  }

  /// A float32 tensor of these elements, outermost dimension first.
  public static Tensor of(float[] elements, long... shape) {
    Tensor t = zeros(DType.FLOAT32, shape);
    t.checkCount(elements.length);
    MemorySegment.copy(elements, 0, t.segment(), ValueLayout.JAVA_FLOAT, 0, elements.length);
    return t;
  }

  /// A float64 tensor of these elements, outermost dimension first.
  public static Tensor of(double[] elements, long... shape) {
    Tensor t = zeros(DType.FLOAT64, shape);
    t.checkCount(elements.length);
    MemorySegment.copy(elements, 0, t.segment(), ValueLayout.JAVA_DOUBLE, 0, elements.length);
    return t;
  }

  /// A tensor without dimensions.
  public static Tensor scalar(DType type, double value) {
    try (var s = new Scalar(value)) {
      return adopt(torch.scalar_tensor(s, Torch.options(type)));
    }
  }

  /// Standard normal draws, in float64 before they are rounded to `type`.
  public static Tensor normal(Draw draw, DType type, long... shape) {
    double[] elements = new double[Math.toIntExact(Shape.of(shape).elements())];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = draw.normal(i);
    }
    return of(elements, shape).to(type);
  }

  /// A tensor over memory that somebody else owns and that must outlive it; pictures (four
  /// dimensions) either row-major, N×C×H×W, or with the channels innermost.
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
        memory.asSlice(0, s.elements() * type.bytes()); // which keeps its arena from the collector
    return t;
  }

  private static int[] descending(int n) {
    int[] dims = new int[n];
    for (int i = 0; i < n; i++) {
      dims[i] = n - 1 - i;
    }
    return dims;
  }

  /// Zeros of this shape, type and layout.
  public Tensor zerosLike() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    checkRoom(shape, type);
    return adopt(torch.zeros_like(raw()));
  }

  /// Memory of this shape, type and layout with no particular elements.
  public Tensor emptyLike() {
    checkRoom(shape, type);
    return adopt(torch.empty_like(raw()));
  }

  /// Memory of another shape, in row-major order, of this type and on this device.
  public Tensor emptyOf(long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(raw().new_empty(shape));
  }

  /// Zeros of another shape, in row-major order, of this type and on this device.
  public Tensor zerosOf(long... shape) {
    checkRoom(Shape.of(shape), type);
    return adopt(raw().new_zeros(shape));
  }

  // ---- Arithmetic

  public Tensor plus(Tensor o) {
    checkElementwise("+", o);
    return adopt(raw().add(o.raw()));
  }

  public Tensor plus(double k) {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    try (var s = new Scalar(k)) {
      return adopt(raw().add(s));
    }
  }

  public Tensor minus(Tensor o) {
    checkElementwise("-", o);
    return adopt(raw().sub(o.raw()));
  }

  public Tensor times(Tensor o) {
    checkElementwise("*", o);
    return adopt(raw().mul(o.raw()));
  }

  public Tensor times(double k) {
    try (var s = new Scalar(k)) {
      return adopt(raw().mul(s));
    }
  }

  public Tensor dividedBy(Tensor o) {
    checkElementwise("/", o);
    return adopt(raw().div(o.raw()));
  }

  /// The matrix product of M×K and K×N; of B×M×K and B×K×N, that of each pair.
  public Tensor matmul(Tensor o) {
    checkMatrices(o);
    return adopt(raw().matmul(o.raw()));
  }

  public Tensor exp() {
    return adopt(raw().exp());
  }

  public Tensor log() {
    return adopt(raw().log());
  }

  public Tensor sqrt() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return adopt(raw().sqrt());
  }

  public Tensor square() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return adopt(raw().square());
  }

  public Tensor relu() {
    return adopt(raw().relu());
  }

  /// `this = max(this, 0)`.
  public Tensor relu_() {
    raw().relu_();
    return this;
  }

  public Tensor sigmoid() {
    return adopt(raw().sigmoid());
  }

  public Tensor tanh() {
    return adopt(raw().tanh());
  }

  /// log(exp(x) / Σ exp(x)) over dimension `dim`.
  public Tensor logSoftmax(int dim) {
    checkFractions("a softmax");
    shape.size(dim);
    return adopt(torch.log_softmax(raw(), dim));
  }

  // ---- Reducing

  /// The sum of all elements, without dimensions.
  public Tensor sum() {
    return adopt(raw().sum());
  }

  /// The sum over `dims`, which stay as dimensions of size 1.
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

  /// The mean over `dims`, which stay as dimensions of size 1.
  public Tensor mean(long... dims) {
    checkFractions("a mean");
    checkDims(dims);
    return adopt(raw().mean(dims, true, Torch.SAME_TYPE));
  }

  /// For each row of an N×K matrix, the column of its largest element; the first one of equals.
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

  /// The same elements in row-major order under another shape: a view where the layout allows it.
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

  /// The transpose of a matrix, a view.
  public Tensor transpose() {
    checkRank(2);
    return view(raw().t());
  }

  /// The part `from .. to-1` of dimension `dim`, a view.
  public Tensor narrow(int dim, long from, long to) {
    long size = shape.size(dim);
    if (from < 0 || from > to || to > size) {
      throw new IllegalArgumentException(
          "the part %s..%s does not lie in dimension %s of the shape %s, 0..%s"
              .formatted(from, to, dim, shape, size));
    }
    return view(raw().narrow(dim, from, to - from));
  }

  /// Every `step`-th pixel of both directions of N×C×H×W pictures, from the first, a view.
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

  /// The same elements with dimension `order[i]` in place i, a view.
  public Tensor permute(long... order) {
    checkDims(order);
    checkRank(order.length);
    return view(raw().permute(order));
  }

  /// These tensors one after the other along dimension `dim`; their other sizes are equal.
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

  /// Repeats dimensions of size 1 to `shape`, a view.
  public Tensor expand(Shape shape) {
    checkExpands(shape);
    return view(raw().expand(shape.toArray()));
  }

  /// A second handle on the same elements.
  public Tensor alias() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    return view(new org.bytedeco.pytorch.Tensor(raw()));
  }

  // ---- Type and layout

  /// The elements rounded to another type; a second handle if it is this one's.
  public Tensor to(DType type) {
    return type == this.type ? alias() : adopt(raw().to(Torch.scalarType(type)));
  }

  /// The elements in row-major order: a second handle if they are.
  public Tensor contiguous() {
    return raw().is_contiguous() ? alias() : adopt(raw().contiguous());
  }

  /// N×C×H×W pictures with their channels innermost in memory, the layout in which convolutions and
  /// per-channel kernels run; other ranks row-major. A second handle if they are.
  public Tensor channelsLast() {
    if (raw == null) {
      return new Tensor(shape, type);
    }
    if (shape.rank() != 4) {
      return contiguous();
    }
    return isChannelsLast() ? alias() : adopt(raw().contiguous(MemoryFormat.ChannelsLast));
  }

  /// Whether the elements of an N×C×H×W lie in memory as N×H×W×C.
  public boolean isChannelsLast() {
    return shape.rank() == 4 && raw().is_contiguous(MemoryFormat.ChannelsLast);
  }

  // ---- Writing

  /// `this += o`.
  public Tensor add_(Tensor o) {
    checkType("+=", o);
    checkFits(o);
    raw().add_(o.raw());
    return this;
  }

  /// `this += a·b`, the shape of every weight gradient.
  public Tensor addProduct_(Tensor a, Tensor b) {
    a.checkMatrices(b);
    checkType("+=", a);
    if (!shape.equals(Shape.of(a.shape.size(0), b.shape.size(1)))) {
      throw new IllegalArgumentException(
          "a product of M×K and K×N is added to M×N, but these are %s, %s and %s"
              .formatted(a.shape, b.shape, shape));
    }
    raw().addmm_(a.raw(), b.raw());
    return this;
  }

  /// `this = o`, element by element, in this layout and type.
  public Tensor copy_(Tensor o) {
    if (!o.shape.equals(shape)) {
      throw new IllegalArgumentException(
          "a copy needs equal shapes, but %s was to be copied into %s".formatted(o.shape, shape));
    }
    raw().copy_(o.raw());
    return this;
  }

  /// `this += elements`, which are in row-major order.
  public Tensor add_(double[] elements) {
    double[] sum = toDoubles();
    checkCount(elements.length);
    for (int i = 0; i < sum.length; i++) {
      sum[i] += elements[i];
    }
    return copy_(sum);
  }

  /// `this = elements`, which are in row-major order.
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

  public Tensor zero_() {
    raw().zero_();
    return this;
  }

  // ---- Reading

  public Shape shape() {
    return shape;
  }

  public DType type() {
    return type;
  }

  /// Whether the elements lie in the memory of the processor, where kernels can read them, and not
  /// on another device.
  public boolean isOnProcessor() {
    return raw().is_cpu();
  }

  /// The only element.
  public double item() {
    if (shape.elements() != 1) {
      throw new IllegalArgumentException(
          "item() reads a tensor of one element, but this one is " + shape);
    }
    return raw().item_double();
  }

  /// All elements in row-major order.
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

  /// The elements as memory, in the order in which they lie there: row-major, or with the channels
  /// innermost after [#channelsLast]. Valid while this tensor lives; writing follows the rule of
  /// the underscore. Throws `IllegalStateException` for a view with gaps.
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

  @SuppressWarnings("restricted") // the size is the tensor's own
  private static MemorySegment memory(org.bytedeco.pytorch.Tensor raw, long bytes) {
    return bytes == 0
        ? MemorySegment.NULL
        : MemorySegment.ofAddress(raw.data_ptr().address()).reinterpret(bytes);
  }

  /// Frees this tensor now instead of at the end of its scope. For loops that would otherwise hold
  /// every intermediate value; using the tensor afterwards is an error.
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

  /// Throws [DeviceException] if this machine does not have the memory.
  private static void checkRoom(Shape shape, DType type) {
    Memory.check(shape, type, LIVE_BYTES.get());
  }

  /// The same for the result of an operation, whose size is known when it is there.
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
