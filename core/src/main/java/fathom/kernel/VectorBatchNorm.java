package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import fathom.DType;
import fathom.kernel.BatchNormKernel.Rectified;
import java.io.IOException;
import java.lang.constant.ConstantDescs;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup.ClassOption;
import java.nio.ByteOrder;
import java.util.Objects;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// Batch norm on vector registers for float32 or bfloat16 elements and any number of rows and
/// channels.
///
/// The two types share every line but the loads and stores. So that the distinction costs nothing,
/// the class is loaded once for each type, and the compiler sees the type as a constant of the
/// class: a `VectorBatchNorm` is for float32, and [#ofBFloat16] makes a copy of the class for
/// bfloat16. The file is long because of that copy: all loops must be in the one class that is
/// loaded twice.
///
/// A vector has L lanes. So that every channel has lanes of its own, whatever the number C of
/// channels, k rows are treated as one row of M = k·C elements, with the smallest k that makes M a
/// multiple of L. The few rows that are left over go through [ScalarBatchNorm]. Columns of L
/// elements are processed downwards in blocks of rows that fit the first-level cache.
///
/// Sums run in float32 within a block, over differences from the first row so that a large mean
/// does not swallow a small standard deviation, and in float64 over the blocks.
final class VectorBatchNorm implements BatchNormLoops {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BLOCK_ELEMENTS = 2048;
  private static final boolean HALVES = typeOfThisCopy() == DType.BFLOAT16;

  private final ScalarBatchNorm scalar = new ScalarBatchNorm();

  /// The kernel for bfloat16. Its arithmetic is in float32, like that of the kernel for float32.
  static BatchNormLoops ofBFloat16() {
    Class<?> here = VectorBatchNorm.class;
    try (var code = here.getResourceAsStream(here.getSimpleName() + ".class")) {
      byte[] bytes = Objects.requireNonNull(code).readAllBytes();
      var copy =
          MethodHandles.lookup()
              .defineHiddenClassWithClassData(bytes, DType.BFLOAT16, true, ClassOption.NESTMATE);
      return (BatchNormLoops) copy.lookupClass().getDeclaredConstructor().newInstance();
    } catch (IOException | ReflectiveOperationException e) {
      throw new LinkageError("the kernel for bfloat16 cannot be loaded", e);
    }
  }

  private static DType typeOfThisCopy() {
    try {
      DType given =
          MethodHandles.classData(MethodHandles.lookup(), ConstantDescs.DEFAULT_NAME, DType.class);
      return given == null ? DType.FLOAT32 : given;
    } catch (IllegalAccessException e) {
      throw new LinkageError("a class may read what it was made with", e);
    }
  }

  @Override
  public void moments(Rows x, double[] sums) {
    Grouped grouped = Grouped.of(x);
    if (grouped.count > 0) {
      int channels = x.channels();
      int width = grouped.width;
      float[] first = new float[width];
      for (int i = 0; i < width; i++) {
        first[i] = element(x.memory(), i % channels);
      }
      double[] differences = new double[2 * width];
      moments(x.memory(), grouped.count, width, first, differences);
      if (!finite(differences)) { // float32 cannot hold these squares, or x has a NaN
        scalar.moments(x, sums);
        return;
      }
      long n = grouped.count;
      for (int i = 0; i < width; i++) {
        int c = i % channels;
        double f = first[i];
        double sum = differences[i];
        sums[c] += n * f + sum;
        sums[channels + c] += differences[width + i] + 2 * f * sum + n * f * f;
      }
    }
    if (grouped.rest > 0) {
      scalar.moments(grouped.rest(x), sums);
    }
  }

  private static boolean finite(double[] values) {
    for (double v : values) {
      if (!Double.isFinite(v)) {
        return false;
      }
    }
    return true;
  }

  private static void moments(
      MemorySegment x, long count, int width, float[] first, double[] sums) {
    int block = Math.max(2, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int c = 0; c < width; c += L) {
        FloatVector f = FloatVector.fromArray(S, first, c);
        FloatVector s0 = FloatVector.zero(S);
        FloatVector s1 = s0;
        FloatVector q0 = s0;
        FloatVector q1 = s0;
        long row = from;
        for (; row + 1 < to; row += 2) {
          FloatVector d0 = load(x, row * width + c).sub(f);
          FloatVector d1 = load(x, (row + 1) * width + c).sub(f);
          s0 = s0.add(d0);
          s1 = s1.add(d1);
          q0 = d0.fma(d0, q0);
          q1 = d1.fma(d1, q1);
        }
        if (row < to) {
          FloatVector d0 = load(x, row * width + c).sub(f);
          s0 = s0.add(d0);
          q0 = d0.fma(d0, q0);
        }
        add(s0.add(s1), sums, c);
        add(q0.add(q1), sums, width + c);
      }
    }
  }

  @Override
  public void normalize(
      Rows x,
      double[] mean,
      double[] scale,
      double[] shift,
      @Nullable Rows addend,
      boolean rectify,
      Rows y) {
    x.checkLike(addend);
    x.checkLike(y);
    Grouped grouped = Grouped.of(x);
    if (grouped.count > 0) {
      normalize(
          x.memory(),
          addend == null ? null : addend.memory(),
          y.memory(),
          grouped.count,
          grouped.width,
          repeat(mean, grouped.width),
          repeat(scale, grouped.width),
          repeat(corrected(shift, mean, scale), grouped.width),
          rectify ? 0 : Float.NEGATIVE_INFINITY);
    }
    if (grouped.rest > 0) {
      scalar.normalize(
          grouped.rest(x),
          mean,
          scale,
          shift,
          addend == null ? null : grouped.rest(addend),
          rectify,
          grouped.rest(y));
    }
  }

  private static void normalize(
      MemorySegment x,
      @Nullable MemorySegment addend,
      MemorySegment y,
      long count,
      int width,
      float[] mean,
      float[] scale,
      float[] shift,
      float floor) {
    FloatVector least = FloatVector.broadcast(S, floor);
    int block = Math.max(1, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int c = 0; c < width; c += L) {
        FloatVector m = FloatVector.fromArray(S, mean, c);
        FloatVector k = FloatVector.fromArray(S, scale, c);
        FloatVector b = FloatVector.fromArray(S, shift, c);
        if (addend == null) {
          for (long row = from; row < to; row++) {
            long at = row * width + c;
            store(load(x, at).sub(m).fma(k, b).max(least), y, at);
          }
        } else {
          for (long row = from; row < to; row++) {
            long at = row * width + c;
            store(load(x, at).sub(m).fma(k, b).add(load(addend, at)).max(least), y, at);
          }
        }
      }
    }
  }

  @Override
  public void momentsBack(
      Rows dy, Rows x, double[] mean, @Nullable Rectified rectified, double[] sums) {
    x.checkLike(dy);
    Grouped grouped = Grouped.of(x);
    if (grouped.count > 0) {
      int width = grouped.width;
      double[] wide = new double[2 * width];
      float[] m = repeat(mean, width);
      if (rectified == null) {
        momentsBack(dy.memory(), x.memory(), grouped.count, width, m, wide);
      } else {
        momentsBack(
            dy.memory(),
            x.memory(),
            grouped.count,
            width,
            m,
            repeat(rectified.scale(), width),
            repeat(corrected(rectified.shift(), mean, rectified.scale()), width),
            wide);
      }
      addMoments(wide, mean, sums);
    }
    if (grouped.rest > 0) {
      scalar.momentsBack(grouped.rest(dy), grouped.rest(x), mean, rectified, sums);
    }
  }

  @Override
  public void momentsBack(Rows dy, Rows y, Rows x, double[] mean, Rows g, double[] sums) {
    x.checkLike(dy);
    x.checkLike(y);
    x.checkLike(g);
    Grouped grouped = Grouped.of(x);
    if (grouped.count > 0) {
      double[] wide = new double[2 * grouped.width];
      momentsBack(
          dy.memory(),
          y.memory(),
          x.memory(),
          g.memory(),
          grouped.count,
          grouped.width,
          repeat(mean, grouped.width),
          wide);
      addMoments(wide, mean, sums);
    }
    if (grouped.rest > 0) {
      scalar.momentsBack(
          grouped.rest(dy), grouped.rest(y), grouped.rest(x), mean, grouped.rest(g), sums);
    }
  }

  /// Adds the sums of a group's columns, computed with rounded means, to the sums of the channels.
  private static void addMoments(double[] wide, double[] mean, double[] sums) {
    int channels = mean.length;
    int width = wide.length / 2;
    for (int i = 0; i < width; i++) {
      int c = i % channels;
      sums[c] += wide[i];
      sums[channels + c] += wide[width + i] + rounding(mean[c]) * wide[i];
    }
  }

  private static void momentsBack(
      MemorySegment dy, MemorySegment x, long count, int width, float[] mean, double[] sums) {
    int block = Math.max(2, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int c = 0; c < width; c += L) {
        FloatVector m = FloatVector.fromArray(S, mean, c);
        FloatVector s0 = FloatVector.zero(S);
        FloatVector s1 = s0;
        FloatVector q0 = s0;
        FloatVector q1 = s0;
        long row = from;
        for (; row + 1 < to; row += 2) {
          long at = row * width + c;
          FloatVector g0 = load(dy, at);
          FloatVector g1 = load(dy, at + width);
          s0 = s0.add(g0);
          s1 = s1.add(g1);
          q0 = g0.fma(load(x, at).sub(m), q0);
          q1 = g1.fma(load(x, at + width).sub(m), q1);
        }
        if (row < to) {
          long at = row * width + c;
          FloatVector g0 = load(dy, at);
          s0 = s0.add(g0);
          q0 = g0.fma(load(x, at).sub(m), q0);
        }
        add(s0.add(s1), sums, c);
        add(q0.add(q1), sums, width + c);
      }
    }
  }

  private static void momentsBack(
      MemorySegment dy,
      MemorySegment x,
      long count,
      int width,
      float[] mean,
      float[] scale,
      float[] shift,
      double[] sums) {
    int block = Math.max(2, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int c = 0; c < width; c += L) {
        FloatVector m = FloatVector.fromArray(S, mean, c);
        FloatVector k = FloatVector.fromArray(S, scale, c);
        FloatVector b = FloatVector.fromArray(S, shift, c);
        FloatVector s0 = FloatVector.zero(S);
        FloatVector s1 = s0;
        FloatVector q0 = s0;
        FloatVector q1 = s0;
        long row = from;
        for (; row + 1 < to; row += 2) {
          long at = row * width + c;
          FloatVector x0 = load(x, at).sub(m);
          FloatVector x1 = load(x, at + width).sub(m);
          FloatVector g0 = passed(load(dy, at), x0.fma(k, b));
          FloatVector g1 = passed(load(dy, at + width), x1.fma(k, b));
          s0 = s0.add(g0);
          s1 = s1.add(g1);
          q0 = g0.fma(x0, q0);
          q1 = g1.fma(x1, q1);
        }
        if (row < to) {
          long at = row * width + c;
          FloatVector x0 = load(x, at).sub(m);
          FloatVector g0 = passed(load(dy, at), x0.fma(k, b));
          s0 = s0.add(g0);
          q0 = g0.fma(x0, q0);
        }
        add(s0.add(s1), sums, c);
        add(q0.add(q1), sums, width + c);
      }
    }
  }

  private static void momentsBack(
      MemorySegment dy,
      MemorySegment y,
      MemorySegment x,
      MemorySegment g,
      long count,
      int width,
      float[] mean,
      double[] sums) {
    int block = Math.max(2, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int c = 0; c < width; c += L) {
        FloatVector m = FloatVector.fromArray(S, mean, c);
        FloatVector s0 = FloatVector.zero(S);
        FloatVector s1 = s0;
        FloatVector q0 = s0;
        FloatVector q1 = s0;
        long row = from;
        for (; row + 1 < to; row += 2) {
          long at = row * width + c;
          FloatVector g0 = passed(load(dy, at), load(y, at));
          FloatVector g1 = passed(load(dy, at + width), load(y, at + width));
          store(g0, g, at);
          store(g1, g, at + width);
          s0 = s0.add(g0);
          s1 = s1.add(g1);
          q0 = g0.fma(load(x, at).sub(m), q0);
          q1 = g1.fma(load(x, at + width).sub(m), q1);
        }
        if (row < to) {
          long at = row * width + c;
          FloatVector g0 = passed(load(dy, at), load(y, at));
          store(g0, g, at);
          s0 = s0.add(g0);
          q0 = g0.fma(load(x, at).sub(m), q0);
        }
        add(s0.add(s1), sums, c);
        add(q0.add(q1), sums, width + c);
      }
    }
  }

  @Override
  public void normalizeBack(
      Rows dy,
      Rows x,
      double[] mean,
      @Nullable Rectified rectified,
      double[] a,
      double[] b,
      double[] c,
      Rows dx) {
    x.checkLike(dy);
    x.checkLike(dx);
    Grouped grouped = Grouped.of(x);
    if (grouped.count > 0) {
      int width = grouped.width;
      float[] m = repeat(mean, width);
      float[] va = repeat(a, width);
      float[] vb = repeat(b, width);
      float[] vc = repeat(corrected(c, mean, b), width);
      if (rectified == null) {
        normalizeBack(dy.memory(), x.memory(), dx.memory(), grouped.count, width, m, va, vb, vc);
      } else {
        normalizeBack(
            dy.memory(),
            x.memory(),
            dx.memory(),
            grouped.count,
            width,
            m,
            repeat(rectified.scale(), width),
            repeat(corrected(rectified.shift(), mean, rectified.scale()), width),
            va,
            vb,
            vc);
      }
    }
    if (grouped.rest > 0) {
      scalar.normalizeBack(
          grouped.rest(dy), grouped.rest(x), mean, rectified, a, b, c, grouped.rest(dx));
    }
  }

  private static void normalizeBack(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment dx,
      long count,
      int width,
      float[] mean,
      float[] a,
      float[] b,
      float[] c) {
    int block = Math.max(1, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int col = 0; col < width; col += L) {
        FloatVector vm = FloatVector.fromArray(S, mean, col);
        FloatVector va = FloatVector.fromArray(S, a, col);
        FloatVector vb = FloatVector.fromArray(S, b, col);
        FloatVector vc = FloatVector.fromArray(S, c, col);
        for (long row = from; row < to; row++) {
          long at = row * width + col;
          store(load(dy, at).fma(va, load(x, at).sub(vm).fma(vb, vc)), dx, at);
        }
      }
    }
  }

  private static void normalizeBack(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment dx,
      long count,
      int width,
      float[] mean,
      float[] scale,
      float[] shift,
      float[] a,
      float[] b,
      float[] c) {
    int block = Math.max(1, BLOCK_ELEMENTS / width);
    for (long from = 0; from < count; from += block) {
      long to = Math.min(count, from + block);
      for (int col = 0; col < width; col += L) {
        FloatVector vm = FloatVector.fromArray(S, mean, col);
        FloatVector vk = FloatVector.fromArray(S, scale, col);
        FloatVector vs = FloatVector.fromArray(S, shift, col);
        FloatVector va = FloatVector.fromArray(S, a, col);
        FloatVector vb = FloatVector.fromArray(S, b, col);
        FloatVector vc = FloatVector.fromArray(S, c, col);
        for (long row = from; row < to; row++) {
          long at = row * width + col;
          FloatVector centred = load(x, at).sub(vm);
          FloatVector g = passed(load(dy, at), centred.fma(vk, vs));
          store(g.fma(va, centred.fma(vb, vc)), dx, at);
        }
      }
    }
  }

  /// Rows in groups: `count` groups of k rows, each treated as one row of `width` elements, and
  /// `rest` rows that are left over.
  private record Grouped(int k, int width, long count, long rest) {
    static Grouped of(Rows rows) {
      int k = L / gcd(L, rows.channels());
      return new Grouped(k, k * rows.channels(), rows.count() / k, rows.count() % k);
    }

    Rows rest(Rows rows) {
      long bytes = rest * rows.channels() * rows.type().bytes();
      return new Rows(
          rows.memory().asSlice(rows.memory().byteSize() - bytes, bytes),
          rows.type(),
          rest,
          rows.channels());
    }

    private static int gcd(int a, int b) {
      return b == 0 ? a : gcd(b, a % b);
    }
  }

  private static float[] repeat(double[] perChannel, int width) {
    float[] wide = new float[width];
    for (int i = 0; i < width; i++) {
      wide[i] = (float) perChannel[i % perChannel.length];
    }
    return wide;
  }

  /// How far a mean moves when it is rounded to float32. With a standard deviation of 1, a mean of
  /// 10,000 moves by up to 0.0005, so the formulas correct for it.
  private static double rounding(double mean) {
    return (float) mean - mean;
  }

  /// The constant of `(x − mean)·factor + constant`, corrected for the rounding of the mean.
  private static double[] corrected(double[] constant, double[] mean, double[] factor) {
    double[] result = new double[constant.length];
    for (int c = 0; c < result.length; c++) {
      result[c] = constant[c] + rounding(mean[c]) * factor[c];
    }
    return result;
  }

  /// `dy` where `v`, the rectifier's argument or result, is above 0, and 0 elsewhere.
  private static FloatVector passed(FloatVector dy, FloatVector v) {
    FloatVector zero = FloatVector.zero(S);
    return zero.blend(dy, v.compare(VectorOperators.GT, zero));
  }

  private static float element(MemorySegment memory, long at) {
    return HALVES
        ? BFloat16.value(memory.getAtIndex(JAVA_SHORT, at))
        : memory.getAtIndex(JAVA_FLOAT, at);
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return HALVES
        ? BFloat16.Vectors.load(memory, at)
        : FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  private static void store(FloatVector v, MemorySegment memory, long at) {
    if (HALVES) {
      BFloat16.Vectors.store(v, memory, at);
    } else {
      v.intoMemorySegment(memory, at << 2, ORDER);
    }
  }

  private static void add(FloatVector v, double[] sums, int at) {
    DoubleVector low = (DoubleVector) v.castShape(D, 0);
    DoubleVector high = (DoubleVector) v.castShape(D, 1);
    int half = D.length();
    DoubleVector.fromArray(D, sums, at).add(low).intoArray(sums, at);
    DoubleVector.fromArray(D, sums, at + half).add(high).intoArray(sums, at + half);
  }
}
