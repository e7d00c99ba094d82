package fathom.bench;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.TorchNorms;
import fathom.kernel.Kernels;
import fathom.kernel.RowNorm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Measures layer norm over rows in float32, Fathom's kernels against libtorch's in the same
/// process, both on all cores: forward, backward, and behind the addition of a residual connection,
/// which is a separate operation in libtorch. Both allocate the tensors of their results in every
/// run, and so does the floor, libtorch's copy of as many bytes as the operation has to read and
/// write.
public final class NormSuite {
  private static final String SUITE = "norm";
  private static final String PEER = "libtorch";
  private static final String FLOOR = "a copy of its bytes";
  private static final double EPSILON = 1e-5;
  private static final double TOLERANCE = 1e-4;

  /// Runs before the first that counts, so that the JIT compiler has compiled the code.
  private static final int WARM_UP = 10;

  private static final int CALLS = 10;

  record Size(int rows, int features) {
    @Override
    public String toString() {
      return rows + "x" + features;
    }
  }

  /// Of all widths 16 MiB, so that what moves is memory, and a smaller tensor.
  private static final List<Size> SIZES =
      Stream.concat(
              IntStream.rangeClosed(6, 13).mapToObj(i -> new Size(1 << (22 - i), 1 << i)),
              Stream.of(new Size(512, 4096)))
          .toList();

  private NormSuite() {}

  /// Measures each kernel of Fathom and libtorch, `rounds` times in turn.
  public static List<Result> run(int rounds) {
    var results = new ArrayList<Result>();
    int cores = Runtime.getRuntime().availableProcessors();
    Torch.threads(cores);
    try (var _ = Scope.open()) {
      for (Size size : SIZES) {
        results.addAll(run(size, rounds));
      }
    } finally {
      Torch.threads(1);
    }
    return results;
  }

  /// The same work by Fathom and by libtorch; both return their results, which are compared.
  ///
  /// @param tensors the number of tensors of the argument's size that are read or written
  record Pair(
      String name, int tensors, Supplier<List<Tensor>> ours, Supplier<List<Tensor>> theirs) {
    /// Returns the copy of as many bytes.
    Supplier<List<Tensor>> floor(Size size) {
      Tensor from = Tensor.zeros(DType.FLOAT32, (long) size.rows * size.features * tensors / 2);
      return () -> List.of(from.emptyLike().copy_(from));
    }
  }

  static List<Result> run(Size size, int rounds) {
    var results = new ArrayList<Result>();
    try (var _ = Scope.open()) {
      for (Pair pair : pairs(size)) {
        compare(pair);
        Supplier<List<Tensor>> floor = pair.floor(size);
        List<DoubleSupplier> contenders =
            List.of(() -> time(pair.ours), () -> time(pair.theirs), () -> time(floor));
        for (int i = 0; i < WARM_UP; i++) {
          time(pair.ours);
          time(pair.theirs);
          time(floor);
        }
        double[][] runs = Alternation.of(rounds, contenders);
        String name = pair.name + " " + size;
        results.add(Result.of(SUITE, name, runs[0], PEER, runs[1]));
        results.add(Result.of(SUITE, name, runs[0], FLOOR, runs[2]));
      }
    }
    return results;
  }

  /// Returns the milliseconds of one of several calls in a row, as layers follow one another.
  private static double time(Supplier<List<Tensor>> work) {
    double sum = 0;
    for (int i = 0; i < CALLS; i++) {
      try (var _ = Scope.open()) {
        var made = new ArrayList<Tensor>();
        sum += Alternation.milliseconds(() -> made.addAll(work.get()));
      }
    }
    return sum / CALLS;
  }

  static List<Pair> pairs(Size size) {
    RandomKey key = RandomKey.of(1, "norm");
    Tensor x = Tensor.normal(key.at(0), DType.FLOAT32, size.rows, size.features);
    Tensor addend = Tensor.normal(key.at(1), DType.FLOAT32, size.rows, size.features);
    Tensor dy = Tensor.normal(key.at(2), DType.FLOAT32, size.rows, size.features);
    Tensor dsum = Tensor.normal(key.at(3), DType.FLOAT32, size.rows, size.features);
    Tensor gain = Tensor.normal(key.at(4), DType.FLOAT32, size.features);
    Tensor bias = Tensor.normal(key.at(5), DType.FLOAT32, size.features);
    Shape features = Shape.of(size.features);
    var form = new RowNorm.Form(size.features, gain, bias, EPSILON, true);
    RowNorm kernel = Kernels.rowNorm(x);
    RowNorm.Normed ours;
    try (var scope = Scope.open()) {
      ours = new RowNorm.Normed(x, x, scope.keep(kernel.forward(form, x, null).statistics()));
    }
    var normed = TorchNorms.layerNorm(x, features, gain, bias, EPSILON);
    return List.of(
        new Pair(
            "layer-norm forward",
            2,
            () -> List.of(kernel.forward(form, x, null).value()),
            () -> List.of(TorchNorms.layerNorm(x, features, gain, bias, EPSILON).value())),
        new Pair(
            "layer-norm backward",
            3,
            () -> backward(kernel, form, dy, ours, null),
            () -> {
              var g = TorchNorms.layerNormBackward(dy, x, features, normed, gain, bias);
              return all(g.dx(), g.dgain(), g.dbias());
            }),
        new Pair(
            "add-layer-norm forward",
            4,
            () -> {
              var added = kernel.forward(form, x, addend);
              return List.of(added.value(), added.s());
            },
            () -> {
              Tensor sum = x.plus(addend);
              return List.of(TorchNorms.layerNorm(sum, features, gain, bias, EPSILON).value(), sum);
            }),
        new Pair(
            "add-layer-norm backward",
            4,
            () -> backward(kernel, form, dy, ours, dsum),
            () -> {
              var g = TorchNorms.layerNormBackward(dy, x, features, normed, gain, bias);
              return all(g.dx().plus(dsum), g.dgain(), g.dbias());
            }));
  }

  private static List<Tensor> backward(
      RowNorm kernel, RowNorm.Form form, Tensor dy, RowNorm.Normed normed, @Nullable Tensor dsum) {
    var back = kernel.backward(form, dy, normed, dsum);
    return all(back.dx(), back.dgain(), back.dbias());
  }

  private static List<Tensor> all(Tensor dx, @Nullable Tensor dgain, @Nullable Tensor dbias) {
    return List.of(dx, Objects.requireNonNull(dgain), Objects.requireNonNull(dbias));
  }

  private static void compare(Pair pair) {
    try (var _ = Scope.open()) {
      List<Tensor> ours = pair.ours.get();
      List<Tensor> theirs = pair.theirs.get();
      for (int k = 0; k < ours.size(); k++) {
        double[] a = ours.get(k).toDoubles();
        double[] b = theirs.get(k).toDoubles();
        double scale = Arrays.stream(b).map(Math::abs).max().orElse(1);
        for (int i = 0; i < a.length; i++) {
          if (!(Math.abs(a[i] - b[i]) <= TOLERANCE * scale)) {
            throw new IllegalStateException(
                "%s is not timed: result %s differs from libtorch's at %s, %s and %s"
                    .formatted(pair.name, k, i, a[i], b[i]));
          }
        }
      }
    }
  }
}
