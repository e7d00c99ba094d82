package fathom.infer;

import fathom.DType;
import fathom.Layer;
import fathom.Lifetime;
import fathom.Param;
import fathom.Predictor;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.net.Summary;
import fathom.nn.Folded;
import fathom.parallel.Cores;
import java.util.ArrayList;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// A folded net for any number of images at a time and any number of threads that ask it.
///
/// Many images are divided among the cores, each of which takes a few at a time with operations of
/// one thread, as in a training; few are done by operations that all cores share, if the net is
/// large enough for that. In a smaller net the calling thread goes through the layers, and the free
/// cores help it with the tiles of 3×3 convolutions. Where another thread has the cores, or the
/// caller is a worker that has one core, the calling thread does all by itself. The weights are
/// packed for the numbers of images that the net is asked for, when it is first asked for them.
///
/// Which way an image goes changes its logits by rounding alone.
public final class PackedNet implements Predictor {
  /// With fewer for each core, cores that work on one operation together are done sooner.
  private static final int IMAGES_PER_CORE = 4;

  /// Of the images that a core predicts at a time: what comes in and what lies between two layers
  /// stays near it.
  private static final int VALUES = 1 << 18;

  private static final int MOST_AT_A_TIME = 64;

  /// With fewer multiply-adds in all, cores that share operations wait for each other longer than
  /// they work: ResNet-20 has a third of it, ResNet-50 thirty times as much.
  private static final long SHARED = 1 << 27;

  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /// Of the process: two threads that both used all cores would wait for each other.
  private static final ReentrantLock ALL_CORES = new ReentrantLock();

  private final Folded folded;
  private final Lifetime life;
  private final long each;
  private final double multiplyAddsPerValue;
  private final Map<Packing, Folded> packed = new ConcurrentHashMap<>();

  /// For how many images, and for how many threads of an operation.
  private record Packing(long images, int threads) {}

  private PackedNet(Folded folded, Lifetime life, Shape image, long multiplyAdds) {
    this.folded = folded;
    this.life = life;
    this.multiplyAddsPerValue = (double) multiplyAdds / image.elements();
    this.each = Math.clamp(VALUES / image.elements(), IMAGES_PER_CORE, MOST_AT_A_TIME);
  }

  /// Of the net that `build` makes, for images of this C×H×W, with images of this type between its
  /// layers; other sizes are predicted without packing. All that it needs lives in `life`; what
  /// only a training needs is freed.
  public static PackedNet of(Supplier<Layer> build, DType between, Shape image, Lifetime life) {
    return life.in(() -> {
      Layer net = build.get();
      var folded = Folded.of(net, between);
      long multiplyAdds = Summary.of(net, image).multiplyAdds();
      Set<Param> needed = folded.params();
      for (Param param : net.state().values()) {
        if (param.trained()) {
          param.grad().release();
        }
        if (!needed.contains(param)) {
          param.value().release();
        }
      }
      return new PackedNet(folded, life, image, multiplyAdds);
    });
  }

  /// The logits of N images N×C×H×W, a row for each.
  @Override
  public Tensor predict(Tensor images) {
    long count = images.shape().size(0);
    if (CORES > 1 && Cores.parts(Long.MAX_VALUE, 1) == 1) { // a worker
      return byOneThread(images);
    }
    if (Cores.parts(count, IMAGES_PER_CORE) == CORES) {
      return divided(images);
    }
    if (multiplyAddsPerValue * images.shape().elements() < SHARED || !ALL_CORES.tryLock()) {
      return byOneThread(images);
    }
    try {
      Torch.threads(CORES);
      return inPieces(images, count < IMAGES_PER_CORE ? 1 : count, CORES);
    } finally {
      Torch.threads(1);
      ALL_CORES.unlock();
    }
  }

  private Tensor byOneThread(Tensor images) {
    // A thread that met libtorch while another one had all cores has them too.
    Torch.threads(1);
    return inPieces(images, each, 1);
  }

  private Tensor divided(Tensor images) {
    long count = images.shape().size(0);
    double[][] values = new double[CORES][];
    Shape[] shapes = new Shape[CORES];
    Cores.split(
        count,
        IMAGES_PER_CORE,
        (from, to, part) -> {
          try (var _ = Scope.open()) {
            Tensor y = byOneThread(images.narrow(0, from, to));
            values[part] = y.toDoubles();
            shapes[part] = y.shape();
          }
        });
    long[] shape = shapes[0].toArray();
    shape[0] = count;
    double[] all = new double[Math.toIntExact(Shape.of(shape).elements())];
    int at = 0;
    for (double[] part : values) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    try (var scope = Scope.open()) {
      return scope.keep(Tensor.of(all, shape).to(DType.FLOAT32));
    }
  }

  /// `atATime` images after the other; what is left over together, or one by one where that is few.
  private Tensor inPieces(Tensor images, long atATime, int threads) {
    long count = images.shape().size(0);
    try (var scope = Scope.open()) {
      var parts = new ArrayList<Tensor>();
      for (long from = 0; from < count; ) {
        long left = count - from;
        long now = left >= atATime ? atATime : left < IMAGES_PER_CORE ? 1 : left;
        try (var piece = Scope.open()) {
          Tensor x = images.narrow(0, from, from + now);
          parts.add(piece.keep(net(x.shape(), threads).predict(x)));
        }
        from += now;
      }
      Tensor y = parts.size() == 1 ? parts.getFirst() : Tensor.concatenated(0, parts);
      return scope.keep(y);
    }
  }

  /// Packed for what comes often: single images, and as many as a core does at a time. Of the
  /// latter fewer gain too, by what is packed for any number.
  private Folded net(Shape images, int threads) {
    long count = images.size(0);
    if (images.rank() != 4 || (count > 1 && threads > 1)) {
      return folded;
    }
    long packedFor = count == 1 ? 1 : each;
    Shape all = Shape.of(packedFor, images.size(1), images.size(2), images.size(3));
    return packed.computeIfAbsent(
        new Packing(packedFor, threads), _ -> life.in(() -> folded.packedFor(all)));
  }
}
