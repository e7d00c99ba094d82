package fathom;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Products of large float32 matrices by oneDNN's own loops (`gemm:jit`), to which libtorch's inner
/// product leads as long as its weight is not packed. With AVX-512 they take half the time of
/// OpenBLAS, in which libtorch's matrix product runs, and they use as many threads as there are;
/// without AVX-512 they are no faster (docs/speed-log.md).
final class Products {
  /// The multiply-adds from which a product is worth the longer way to it.
  private static final long LEAST_WORK = 1L << 22;

  private static final long LEAST_SIDE = 16;

  /// Whether the processor has AVX-512, whose case in oneDNN and in OpenBLAS is another one.
  static final boolean IN_AVX512;

  static {
    try (BytePointer capability = torch.get_cpu_capability()) {
      IN_AVX512 = capability.getString().startsWith("AVX512");
    }
  }

  private Products() {}

  /// Returns whether the product of M×K and K×N goes this way.
  static boolean take(Tensor a, Tensor b) {
    return a.shape().rank() == 2 && take(a, b, b.shape().size(1));
  }

  /// Returns whether x·wᵀ, of N×I and O×I, goes this way.
  static boolean takeLinear(Tensor x, Tensor w) {
    return x.shape().rank() == 2 && take(x, w, w.shape().size(0));
  }

  /// Returns whether a product that is added to something goes this way, for which it lies in
  /// memory of its own first: if that is no more than its factors have, so that no step needs much
  /// more memory than without.
  static boolean takeAddend(Tensor a, Tensor b) {
    long rows = a.shape().size(0);
    long columns = b.shape().size(1);
    return rows * columns <= a.shape().size(1) * (rows + columns) && take(a, b);
  }

  private static boolean take(Tensor a, Tensor b, long columns) {
    long rows = a.shape().size(0);
    long depth = a.shape().size(1);
    return a.type() == DType.FLOAT32
        && rows * depth * columns >= LEAST_WORK
        && Math.min(rows, Math.min(depth, columns)) >= LEAST_SIDE
        && a.isOnProcessor()
        && liesInOrder(a)
        && liesInOrder(b)
        && Probe.WORKING;
  }

  /// Whether a matrix or its transpose lies row by row without gaps.
  private static boolean liesInOrder(Tensor t) {
    if (t.raw().is_contiguous()) {
      return true;
    }
    try (var transpose = t.raw().t()) {
      return transpose.is_contiguous();
    }
  }

  /// Returns the product of M×K and K×N.
  static Tensor of(Tensor a, Tensor b) {
    try (var scope = Scope.open()) {
      return scope.keep(linear(a, b.transpose(), null, false));
    }
  }

  /// Returns x·wᵀ + b, for x of N×I, w of O×I and b of O or none, with ReLU if `rectified`.
  static Tensor linear(Tensor x, Tensor w, @Nullable Tensor bias, boolean rectified) {
    try (var in = new IValue(x.raw());
        var weight = new IValue(w.raw());
        var b = bias == null ? new IValue() : new IValue(bias.raw())) {
      return OneDnn.call(
          OneDnn.LINEAR,
          in,
          weight,
          b,
          rectified ? OneDnn.RELU : OneDnn.NONE,
          OneDnn.NO_SCALARS,
          OneDnn.NULL);
    }
  }

  /// Finds out whether this build of libtorch has the operation and computes rightly by it.
  private static final class Probe {
    static final boolean WORKING = IN_AVX512 && works();

    private Probe() {}

    private static boolean works() {
      try (var _ = Scope.open()) {
        Tensor a = Tensor.normal(RandomKey.of(1, "a"), DType.FLOAT32, 24, 40);
        Tensor b = Tensor.normal(RandomKey.of(1, "b"), DType.FLOAT32, 40, 56);
        double[] is = of(a, b).toDoubles();
        double[] right = a.to(DType.FLOAT64).matmul(b.to(DType.FLOAT64)).toDoubles();
        boolean near = is.length == right.length;
        for (int i = 0; near && i < is.length; i++) {
          near = Math.abs(is[i] - right[i]) < 1e-4;
        }
        return near;
      } catch (RuntimeException | LinkageError e) { // missing, or not for this processor
        return false;
      }
    }
  }
}
