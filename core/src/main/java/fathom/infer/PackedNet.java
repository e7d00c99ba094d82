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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// A folded net that predicts any number of images at a time, for any number of calling threads.
///
/// Many images are divided among the cores, each of which processes a few at a time with
/// single-threaded operations, as in training. With few images the calling thread goes through the
/// layers. With AVX-512 the free cores help it in the kernels of convolutions and dense layers,
/// from the 17th call on; else they share libtorch's operations, if the net is large enough for
/// that. A smaller net is divided from one image per core on; for fewer the free cores help with
/// the tiles of 3×3 convolutions. If another thread has the cores, or if the caller is a worker
/// that has one core, the calling thread does everything itself. The weights are packed for
/// particular numbers of images, when these occur for the first time.
///
/// Which of these ways an image takes changes its logits by rounding only.
public final class PackedNet implements Predictor {
  /// The least number of images of a large net per core; with fewer, it is faster if all cores work
  /// together on one operation. Of a small net every core has one.
  private static final int IMAGES_PER_CORE = 4;

  /// The number of input values that a core processes at a time; it is limited so that the input
  /// and the activations between two layers stay in the caches.
  private static final int VALUES = 1 << 18;

  private static final int MOST_AT_A_TIME = 64;

  /// The least number of multiply-adds for which all cores share operations. With fewer, cores
  /// would wait for each other longer than they work: ResNet-20 has a third of it, ResNet-50 thirty
  /// times as much.
  private static final long SHARED = 1 << 27;

  /// The calls with few images that go through libtorch before the cores share our own kernels.
  /// These take a second until the JIT compiler has compiled them, which a program that predicts
  /// one photo and ends would wait for.
  private static final int COLD = 16;

  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /// The lock of this process for using all cores, because two threads that both used all cores
  /// would wait for each other.
  private static final ReentrantLock ALL_CORES = new ReentrantLock();

  private final Folded folded;
  private final Lifetime life;
  private final long each;
  private final double multiplyAddsPerValue;
  private final Map<Packing, Folded> packed = new ConcurrentHashMap<>();
  private final AtomicInteger few = new AtomicInteger();

  /// The number of images and the number of threads per operation that weights are packed for, and
  /// whether the cores share kernels.
  private record Packing(long images, int threads, boolean shared) {}

  private PackedNet(Folded folded, Lifetime life, Shape image, long multiplyAdds) {
    this.folded = folded;
    this.life = life;
    this.multiplyAddsPerValue = (double) multiplyAdds / image.elements();
    this.each = Math.clamp(VALUES / image.elements(), IMAGES_PER_CORE, MOST_AT_A_TIME);
  }

  /// Packs the net that `build` makes, for images of the shape C×H×W given by `image`, with
  /// activations of type `between` between its layers; images of other sizes are predicted without
  /// packing. All memory that the net needs belongs to `life`; memory that only training needs is
  /// freed.
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

  /// Returns the logits of N images N×C×H×W: one row for each image.
  @Override
  public Tensor predict(Tensor images) {
    long count = images.shape().size(0);
    if (CORES > 1 && Cores.parts(Long.MAX_VALUE, 1) == 1) { // the caller is a worker
      return byOneThread(images);
    }
    double multiplyAdds = multiplyAddsPerValue * images.shape().elements();
    long least = multiplyAdds < count * SHARED ? 1 : IMAGES_PER_CORE;
    if (Cores.parts(count, least) == CORES) {
      return divided(images, least);
    }
    boolean isShared = images.shape().rank() == 4 && folded.isSharedByKernels();
    if (isShared && few.incrementAndGet() > COLD) {
      return byOneThread(images);
    }
    if (multiplyAdds < SHARED || !ALL_CORES.tryLock()) {
      return isShared ? alone(images) : byOneThread(images);
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
    // If a thread first used libtorch while another one had all cores, it was given all of them
    // too.
    Torch.threads(1);
    return inPieces(images, each, 1);
  }

  private Tensor alone(Tensor images) {
    var logits = new ArrayList<Tensor>();
    Cores.alone(() -> logits.add(byOneThread(images)));
    return logits.getFirst();
  }

  private Tensor divided(Tensor images, long least) {
    long count = images.shape().size(0);
    double[][] values = new double[CORES][];
    Shape[] shapes = new Shape[CORES];
    Cores.split(
        count,
        least,
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

  /// Predicts `atATime` images at a time, and the remainder together.
  private Tensor inPieces(Tensor images, long atATime, int threads) {
    long count = images.shape().size(0);
    try (var scope = Scope.open()) {
      var parts = new ArrayList<Tensor>();
      for (long from = 0; from < count; ) {
        long now = Math.min(count - from, atATime);
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

  /// Returns the net, packed for the common cases: single images, and as many as a core processes
  /// at a time. Smaller numbers benefit from the latter too, through weights that are packed for
  /// any number.
  private Folded net(Shape images, int threads) {
    long count = images.size(0);
    if (images.rank() != 4 || (count > 1 && threads > 1)) {
      return folded;
    }
    long packedFor = count == 1 ? 1 : each;
    Shape all = Shape.of(packedFor, images.size(1), images.size(2), images.size(3));
    return packed.computeIfAbsent(
        new Packing(packedFor, threads, folded.isSharedByKernels()),
        _ -> life.in(() -> folded.packedFor(all)));
  }
}
