package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.Shape;
import fathom.Tensor;
import fathom.parallel.Cores;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A convolution w∗x + b of any kernel, stride and padding for many predictions with the same
/// weight, as one product: the K·K·C values that an output pixel sees, its patch, are a row of a
/// matrix, by which the weight, O×(K·K·C), is multiplied. For a 1×1 convolution the rows are the
/// pixels as they lie in memory. Dense layers are such convolutions, of images of one pixel.
///
/// The weight is copied once into the order in which the product reads it ([PackedMatrix]). A few
/// patches at a time are copied into an array that stays in the cache, and the bias, an addition
/// and the rectifier are part of the pass over the output. The free cores ([Cores]) share the
/// pixels, or the output channels where these are more: each core reads all of the matrix that is
/// not shared. Neither changes a bit of the result.
public final class PatchFilters implements KeptFilters {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// The most elements of a panel that pass to the product at a time, 32 KiB.
  private static final int PANEL = 1 << 13;

  /// The number of elements of the patches that are copied at a time, 256 KiB, unless these are
  /// fewer than [#FEWEST] rows.
  private static final int PATCHES = 1 << 16;

  private static final int FEWEST = 64;

  /// The number of patches that pass a panel before more of the next panel is copied.
  private static final int GROUP = 16;

  private static final ThreadLocal<Workspace> WORKSPACE = ThreadLocal.withInitial(Workspace::new);

  private final int in;
  private final int out;
  private final int kernel;
  private final int stride;
  private final int padding;
  private final int depth;
  private final MemorySegment panels;
  private final float[] bias;

  private PatchFilters(
      int in, int out, int kernel, int stride, int padding, MemorySegment panels, float[] bias) {
    this.in = in;
    this.out = out;
    this.kernel = kernel;
    this.stride = stride;
    this.padding = padding;
    this.depth = inPairs(in * kernel * kernel);
    this.panels = panels;
    this.bias = bias;
  }

  /// The arrays of a thread, kept between calls.
  private static final class Workspace {
    final Grown patches = new Grown();
    final Grown sums = new Grown();
    float[] panel = new float[PANEL];
    float[] next = new float[PANEL];

    void swap() {
      float[] last = panel;
      panel = next;
      next = last;
    }
  }

  /// Copies a weight O×C×K×K in channels-last memory, with a bias of O elements; the copy lies in
  /// the innermost scope. Missing channels of the last vector are zeros.
  public static PatchFilters of(Tensor weight, Tensor bias, int stride, int padding) {
    Shape shape = weight.shape();
    int out = Math.toIntExact(shape.size(0));
    int in = Math.toIntExact(shape.size(1));
    int kernel = Math.toIntExact(shape.size(2));
    int depth = inPairs(in * kernel * kernel);
    int whole = Math.ceilDiv(out, L) * L;
    Tensor memory = Tensor.empty(weight.type(), (long) depth * whole);
    MemorySegment panels = memory.segment();
    MemorySegment plain = weight.segment();
    Cores.split(
        Math.ceilDiv(whole, 2 * L),
        1,
        (from, to, _) -> {
          for (int c = (int) from * 2 * L; c < Math.min(whole, to * 2 * L); c += 2 * L) {
            pack(plain, in * kernel * kernel, c, out, PackedMatrix.panel(whole - c), panels);
          }
        });
    float[] constants = Arrays.copyOf(bias.segment().toArray(JAVA_FLOAT), whole);
    return new PatchFilters(in, out, kernel, stride, padding, panels, constants);
  }

  /// Copies the filters of the channels from c on, `width` of them, into their panel.
  private static void pack(
      MemorySegment plain, int values, int c, int out, int width, MemorySegment panels) {
    int depth = inPairs(values);
    float[] filter = new float[values];
    float[] panel = new float[depth * width];
    for (int j = 0; j < Math.min(width, out - c); j++) {
      MemorySegment.copy(plain, JAVA_FLOAT, 4L * (c + j) * values, filter, 0, values);
      for (int k = 0; k < values; k++) {
        panel[k * width + j] = filter[k];
      }
    }
    MemorySegment.copy(panel, 0, panels, JAVA_FLOAT, 4L * depth * c, panel.length);
  }

  /// The product takes two values of a patch at a time: an odd number has a zero behind it.
  private static int inPairs(int n) {
    return n + n % 2;
  }

  /// Patches are the same for images of any number and size.
  @Override
  public boolean isFor(Shape images) {
    return true;
  }

  @Override
  public Tensor apply(Tensor x, boolean rectified) {
    Shape s = x.shape();
    Tensor y = Convolution.images(x, out, steps(s.size(2)), steps(s.size(3)));
    convolve(FeatureMaps.of(x), false, rectified, FeatureMaps.of(y));
    return y;
  }

  @Override
  public void addTo_(Tensor sum, Tensor x, boolean rectified) {
    convolve(FeatureMaps.of(x), true, rectified, FeatureMaps.of(sum));
  }

  /// The number of positions of the kernel along a side.
  private long steps(long side) {
    return (side + 2L * padding - kernel) / stride + 1;
  }

  /// Computes y = f(w∗x + bias), or y = f(y + w∗x + bias) if `add`, where f is the rectifier if
  /// `rectify` and else the identity.
  private void convolve(FeatureMaps x, boolean add, boolean rectify, FeatureMaps y) {
    if (x.channels() != in
        || y.channels() != out
        || y.count() != x.count()
        || y.height() != steps(x.height())
        || y.width() != steps(x.width())) {
      throw new IllegalArgumentException(
          "%s×%s filters of %s channels make %s at stride %s, padded by %s, but were given images of %s for %s"
              .formatted(kernel, kernel, in, out, stride, padding, x.sizes(), y.sizes()));
    }
    long rows = y.count() * y.height() * y.width();
    float floor = rectify ? 0 : Float.NEGATIVE_INFINITY;
    int whole = bias.length;
    if (rows >= whole) {
      long fours = Math.ceilDiv(rows, PackedMatrix.ROWS);
      long least = Math.ceilDiv(PackedMatrix.LEAST_WORK, (long) PackedMatrix.ROWS * depth * whole);
      Cores.split(
          fours,
          least,
          (from, to, _) -> {
            long end = Math.min(rows, to * PackedMatrix.ROWS);
            convolve(x, from * PackedMatrix.ROWS, end, 0, whole, add, floor, y);
          });
    } else {
      long least = Math.ceilDiv(PackedMatrix.LEAST_WORK, Math.max(1, rows) * depth * 2 * L);
      Cores.split(
          Math.ceilDiv(whole, 2 * L),
          least,
          (from, to, _) -> {
            int end = Math.min(whole, (int) to * 2 * L);
            convolve(x, 0, rows, (int) from * 2 * L, end, add, floor, y);
          });
    }
  }

  /// Computes the channels `c0 .. c1-1` of the pixels `r0 .. r1-1` of the output.
  private void convolve(
      FeatureMaps x, long r0, long r1, int c0, int c1, boolean add, float floor, FeatureMaps y) {
    Workspace space = WORKSPACE.get();
    int most = PackedMatrix.inWholeFours(Math.max(FEWEST, PATCHES / depth));
    float[] patches = space.patches.atLeast(most * depth);
    float[] sums = space.sums.atLeast(most * 2 * L);
    for (long r = r0; r < r1; r += most) {
      int n = (int) Math.min(most, r1 - r);
      gather(x, y, r, n, patches);
      read(c0, 0, c1, 0, 1, space.next);
      for (int c = c0; c < c1; c += 2 * L) {
        int width = PackedMatrix.panel(c1 - c);
        begin(n, width, c, sums);
        for (int k = 0; k < depth; k += PANEL / width) {
          int deep = Math.min(PANEL / width, depth - k);
          boolean isLast = k + deep == depth;
          int nextC = isLast ? c + width : c;
          int nextK = isLast ? 0 : k + deep;
          space.swap();
          for (int i = 0; i < n; i += GROUP) {
            int rows = Math.min(GROUP, n - i);
            PanelProduct.add(
                patches, i * depth + k, rows, depth, deep, space.panel, width, sums, i * width);
            read(nextC, nextK, c1, i, n, space.next);
          }
        }
        finish(sums, n, width, c, add, floor, y.memory(), r);
      }
    }
  }

  /// Copies of a panel, that of the channels from c on, what follows from its row k on, as much as
  /// passes to the product at a time: the share of it that is due when rows `i` to `i + GROUP` of
  /// `n` have passed what was copied before. In between, the processor fetches from memory what
  /// comes next while it multiplies.
  private void read(int c, int k, int c1, int i, int n, float[] next) {
    if (c == c1) {
      return;
    }
    int width = PackedMatrix.panel(c1 - c);
    long size = (long) Math.min(PANEL / width, depth - k) * width;
    int from = (int) (size * i / n);
    int to = (int) (size * Math.min(n, i + GROUP) / n);
    long at = (long) depth * c + (long) k * width + from;
    MemorySegment.copy(panels, JAVA_FLOAT, 4 * at, next, from, to - from);
  }

  /// Copies the patches of `n` output pixels from `first` on.
  private void gather(FeatureMaps x, FeatureMaps y, long first, int n, float[] patches) {
    if (kernel == 1 && stride == 1 && padding == 0 && depth == in) {
      MemorySegment.copy(x.memory(), JAVA_FLOAT, 4 * first * in, patches, 0, n * in);
      return;
    }
    int across = (int) (first % y.width());
    long line = first / y.width();
    for (int i = 0; i < n; i++) {
      long image = line / y.height();
      int top = (int) (line % y.height()) * stride - padding;
      patch(x, image, top, across * stride - padding, patches, i * depth);
      if (++across == y.width()) {
        across = 0;
        line++;
      }
    }
  }

  /// Copies the patch whose first pixel is at (top, left); what lies outside of the image is zero.
  private void patch(FeatureMaps x, long image, int top, int left, float[] patches, int at) {
    int row = kernel * in;
    patches[at + depth - 1] = 0; // the odd one's, or overwritten
    int skipped = Math.clamp(-left, 0, kernel);
    int seen = Math.clamp(x.width() - left, skipped, kernel) - skipped;
    for (int u = 0; u < kernel; u++) {
      int to = at + u * row;
      int line = top + u;
      boolean isOutside = line < 0 || line >= x.height();
      if (isOutside || seen < kernel) {
        Arrays.fill(patches, to, to + row, 0);
      }
      if (!isOutside && seen > 0) {
        long from = ((image * x.height() + line) * x.width() + left + skipped) * in;
        MemorySegment.copy(x.memory(), JAVA_FLOAT, 4 * from, patches, to + skipped * in, seen * in);
      }
    }
  }

  /// Sets n×width sums to the bias of the channels from c on.
  private void begin(int n, int width, int c, float[] sums) {
    for (int j = 0; j < width; j += L) {
      FloatVector v = FloatVector.fromArray(S, bias, c + j);
      for (int i = 0; i < n; i++) {
        v.intoArray(sums, i * width + j);
      }
    }
  }

  /// Takes the last steps for `width` channels from c on of `n` pixels from `first` on: adds what
  /// is there if `add`, takes max(·, floor) and writes it.
  private void finish(
      float[] sums,
      int n,
      int width,
      int c,
      boolean add,
      float floor,
      MemorySegment y,
      long first) {
    FloatVector least = FloatVector.broadcast(S, floor);
    int vectors = Math.min(width, out - c) / L * L;
    long pixel = first * out + c;
    for (int i = 0; i < n; i++, pixel += out) {
      for (int j = 0; j < vectors; j += L) {
        FloatVector v = FloatVector.fromArray(S, sums, i * width + j);
        if (add) {
          v = v.add(FloatVector.fromMemorySegment(S, y, (pixel + j) << 2, ORDER));
        }
        v.max(least).intoMemorySegment(y, (pixel + j) << 2, ORDER);
      }
      for (int j = vectors; j < Math.min(width, out - c); j++) {
        float before = add ? y.getAtIndex(JAVA_FLOAT, pixel + j) : 0;
        y.setAtIndex(JAVA_FLOAT, pixel + j, Math.max(before + sums[i * width + j], floor));
      }
    }
  }
}
