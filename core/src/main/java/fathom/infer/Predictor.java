package fathom.infer;

import fathom.Cores;
import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.nn.Folded;
import java.util.function.Supplier;

/// Predicts with all cores outside a training. A large batch is divided among them, each with
/// operations of one thread, as in a training; in a small one all cores work on every operation.
public final class Predictor {
  /// Pictures that are worth a core of their own: with fewer, cores that work on one operation
  /// together are done sooner.
  static final int PICTURES_PER_CORE = 4;

  private Predictor() {}

  /// The folded net for as many pictures of this N×C×H×W at a time; see [Folded]. It predicts any
  /// other number too.
  public static Layer folded(Layer net, DType between, Shape pictures) {
    long count = pictures.size(0);
    if (areFew(count)) {
      return onAllCores(() -> Folded.of(net, between, pictures));
    }
    long each = Math.ceilDiv(count, Cores.parts(count, PICTURES_PER_CORE));
    return Folded.of(
        net, between, Shape.of(each, pictures.size(1), pictures.size(2), pictures.size(3)));
  }

  /// Divided, they would leave cores idle.
  private static boolean areFew(long count) {
    return Cores.parts(count, PICTURES_PER_CORE) < Runtime.getRuntime().availableProcessors();
  }

  private static <T> T onAllCores(Supplier<T> work) {
    Torch.threads(Runtime.getRuntime().availableProcessors());
    try {
      return work.get();
    } finally {
      Torch.threads(1);
    }
  }

  /// What `net` makes of N pictures: N×K, in the innermost scope.
  public static Tensor predict(Layer net, Tensor pictures) {
    long count = pictures.shape().size(0);
    if (areFew(count)) {
      return onAllCores(() -> net.predict(pictures));
    }
    int parts = Cores.parts(count, PICTURES_PER_CORE);
    double[][] values = new double[parts][];
    long[] size = new long[1];
    Cores.split(
        count,
        PICTURES_PER_CORE,
        (from, to, part) -> {
          try (var _ = Scope.open()) {
            Tensor y = net.predict(pictures.narrow(0, from, to));
            values[part] = y.toDoubles();
            size[0] = y.shape().size(1); // the same of every part
          }
        });
    double[] all = new double[Math.toIntExact(count * size[0])];
    int at = 0;
    for (double[] part : values) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    try (var scope = Scope.open()) {
      return scope.keep(Tensor.of(all, count, size[0]).to(pictures.type()));
    }
  }
}
