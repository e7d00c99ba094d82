package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import fathom.Cores;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// Layer norm on vector registers, float32 elements, any number of rows and of elements in them.
///
/// A row fits the first- or second-level cache, so it is read from memory once and walked over
/// several times: for a rough mean, for the sums of the differences from it, which correct the mean
/// and give the variance without cancellation, and for the value. Sums run in float32 over blocks
/// of a row (for parameters, over blocks of rows) and in float64 over the blocks.
///
/// A row whose squares are no floats goes through [ScalarLayerNorm].
final class VectorLayerNorm implements LayerNormKernel {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// Elements of a row whose sum runs in float32.
  private static final int BLOCK = 8192;

  /// Rows whose gradients of parameters are summed in float32.
  private static final int BLOCK_ROWS = 64;

  /// Elements of a page of memory: rows of fewer follow one another in it.
  private static final int PAGE = 1024;

  /// Fewer elements than this are not worth waking another core.
  private static final int ELEMENTS_PER_PART = 32_768;

  private static final double LEAST_VARIANCE = 1e-20;
  private static final double LEAST_RECIPROCAL = 1e-30;

  @Override
  public void forward(
      Form form,
      Rows x,
      @Nullable Rows addend,
      @Nullable Rows sum,
      Rows y,
      @Nullable MemorySegment statistics) {
    LayerNormKernel.check(form, x, new @Nullable Rows[] {addend, sum, y}, statistics, null, null);
    var pass =
        new Forward(form, x, addend, addend == null ? x : sum == null ? y : sum, y, statistics);
    Cores.split(x.count(), rowsPerPart(x), (from, to, _) -> pass.rows(from, to));
  }

  private static long rowsPerPart(Rows rows) {
    return Math.ceilDiv(ELEMENTS_PER_PART, rows.channels());
  }

  /// A gain or bias as an array; one that is not there as one that changes nothing.
  private static float[] floats(@Nullable MemorySegment elements, int width, float otherwise) {
    if (elements != null) {
      return elements.toArray(JAVA_FLOAT);
    }
    float[] same = new float[width];
    Arrays.fill(same, otherwise);
    return same;
  }

  /// A row's way forward.
  private static final class Forward {
    private final Form form;
    private final Rows x;
    private final @Nullable Rows addend;
    private final Rows s;
    private final Rows y;
    private final @Nullable MemorySegment statistics;
    private final int width;
    private final float[] gain;
    private final float[] bias;

    /// Written by all threads and read by none, so that nobody finds the fetching to be in vain.
    @SuppressWarnings("UnusedVariable")
    private int touched;

    Forward(
        Form form,
        Rows x,
        @Nullable Rows addend,
        Rows s,
        Rows y,
        @Nullable MemorySegment statistics) {
      this.form = form;
      this.x = x;
      this.addend = addend;
      this.s = s;
      this.y = y;
      this.statistics = statistics;
      this.width = x.channels();
      this.gain = floats(form.gain(), width, 1);
      this.bias = floats(form.bias(), width, 0);
    }

    void rows(long from, long to) {
      double[] sums = new double[2];
      for (long row = from; row < to; row++) {
        row(row, sums);
      }
    }

    private void row(long row, double[] sums) {
      long at = row * width;
      MemorySegment memory = s.memory();
      if (addend != null) {
        add(x.memory(), addend.memory(), memory, at, width);
      }
      float pivot = 0;
      if (form.centred()) {
        float first = memory.getAtIndex(JAVA_FLOAT, at);
        pivot = first + differences(memory, at, width, first) / width;
      }
      sums[0] = 0;
      sums[1] = 0;
      for (int done = 0; done < width; done += BLOCK) {
        moments(memory, at + done, Math.min(BLOCK, width - done), pivot, sums);
      }
      double shift = form.centred() ? sums[0] / width : 0;
      double spread = sums[1] / width - shift * shift;
      double variance = Math.max(0, spread) + form.epsilon();
      if (!(variance >= LEAST_VARIANCE && variance < Double.POSITIVE_INFINITY)) {
        ScalarLayerNorm.forward(form, s, y, statistics, row);
        return;
      }
      double mean = pivot + shift;
      double r = 1 / Math.sqrt(variance);
      if (statistics != null) {
        statistics.setAtIndex(JAVA_DOUBLE, 2 * row, mean);
        statistics.setAtIndex(JAVA_DOUBLE, 2 * row + 1, r);
      }
      float near = (float) mean;
      touched =
          normalize(
              memory,
              y.memory(),
              x.memory(),
              at,
              width >= PAGE && row + 1 < x.count() ? at + width : at,
              width,
              near,
              (float) r,
              rest(near, mean, r),
              gain,
              bias);
    }
  }

  /// What rounding the mean to float32 takes off x̂: beside a deviation of 1, a mean of 10,000
  /// moves by up to 0.0005.
  private static float rest(float near, double mean, double r) {
    return (float) ((near - mean) * r);
  }

  private static void add(MemorySegment x, MemorySegment addend, MemorySegment s, long at, int n) {
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(x, at + i).add(load(addend, at + i)), s, at + i);
    }
    if (i < n) {
      VectorMask<Float> rest = S.indexInRange(i, n);
      store(load(x, at + i, rest).add(load(addend, at + i, rest)), s, at + i, rest);
    }
  }

  /// Σ (x − first)
  private static float differences(MemorySegment x, long at, int n, float first) {
    FloatVector f = FloatVector.broadcast(S, first);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      s0 = s0.add(load(x, at + i).sub(f));
      s1 = s1.add(load(x, at + i + L).sub(f));
      s2 = s2.add(load(x, at + i + L + L).sub(f));
      s3 = s3.add(load(x, at + i + L + L + L).sub(f));
    }
    for (; i <= n - L; i += L) {
      s0 = s0.add(load(x, at + i).sub(f));
    }
    if (i < n) {
      VectorMask<Float> rest = S.indexInRange(i, n);
      s1 = s1.add(load(x, at + i, rest).sub(f, rest));
    }
    return Lanes.total(s0.add(s1).add(s2.add(s3)));
  }

  /// Adds Σ (x − pivot) and Σ (x − pivot)².
  private static void moments(MemorySegment x, long at, int n, float pivot, double[] sums) {
    FloatVector p = FloatVector.broadcast(S, pivot);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector q0 = s0;
    FloatVector q1 = s0;
    FloatVector q2 = s0;
    FloatVector q3 = s0;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      FloatVector d0 = load(x, at + i).sub(p);
      FloatVector d1 = load(x, at + i + L).sub(p);
      FloatVector d2 = load(x, at + i + L + L).sub(p);
      FloatVector d3 = load(x, at + i + L + L + L).sub(p);
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      s2 = s2.add(d2);
      s3 = s3.add(d3);
      q0 = d0.fma(d0, q0);
      q1 = d1.fma(d1, q1);
      q2 = d2.fma(d2, q2);
      q3 = d3.fma(d3, q3);
    }
    for (; i <= n - L; i += L) {
      FloatVector d0 = load(x, at + i).sub(p);
      s0 = s0.add(d0);
      q0 = d0.fma(d0, q0);
    }
    if (i < n) {
      VectorMask<Float> rest = S.indexInRange(i, n);
      FloatVector d1 = load(x, at + i, rest).sub(p, rest);
      s1 = s1.add(d1);
      q1 = d1.fma(d1, q1);
    }
    sums[0] += Lanes.total(s0.add(s1).add(s2.add(s3)));
    sums[1] += Lanes.total(q0.add(q1).add(q2.add(q3)));
  }

  /// `y = ((x − mean)·r + rest)·gain + bias`. Meanwhile the row at `next` is fetched, which the
  /// processor does not do by itself beyond the end of a page; what is returned is of no use.
  private static int normalize(
      MemorySegment x,
      MemorySegment y,
      MemorySegment fetched,
      long at,
      long next,
      int n,
      float mean,
      float r,
      float rest,
      float[] gain,
      float[] bias) {
    FloatVector m = FloatVector.broadcast(S, mean);
    FloatVector k = FloatVector.broadcast(S, r);
    FloatVector c = FloatVector.broadcast(S, rest);
    int touched = 0;
    int i = 0;
    for (; i <= n - L; i += L) {
      touched ^= fetched.getAtIndex(JAVA_INT, next + i);
      FloatVector normal = load(x, at + i).sub(m).fma(k, c);
      FloatVector g = FloatVector.fromArray(S, gain, i);
      store(normal.fma(g, FloatVector.fromArray(S, bias, i)), y, at + i);
    }
    if (i < n) {
      VectorMask<Float> in = S.indexInRange(i, n);
      FloatVector normal = load(x, at + i, in).sub(m).fma(k, c);
      FloatVector g = FloatVector.fromArray(S, gain, i, in);
      store(normal.fma(g, FloatVector.fromArray(S, bias, i, in)), y, at + i, in);
    }
    return touched;
  }

  @Override
  public void backward(
      Form form,
      Rows dy,
      Rows s,
      MemorySegment statistics,
      @Nullable Rows dsum,
      Rows dx,
      double @Nullable [] dgain,
      double @Nullable [] dbias) {
    LayerNormKernel.check(form, s, new @Nullable Rows[] {dy, dsum, dx}, statistics, dgain, dbias);
    boolean wantsSums = dgain != null || dbias != null;
    var passes = new Backward[Cores.parts(s.count(), rowsPerPart(s))];
    for (int i = 0; i < passes.length; i++) {
      passes[i] = new Backward(form, dy, s, statistics, dsum, dx, wantsSums);
    }
    Cores.split(s.count(), rowsPerPart(s), (from, to, part) -> passes[part].rows(from, to));
    for (Backward pass : passes) {
      add(pass.gainSums, dgain);
      add(pass.biasSums, dbias);
    }
  }

  private static void add(double[] part, double @Nullable [] sum) {
    if (sum != null) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] += part[i];
      }
    }
  }

  /// The way back through some of the rows, with sums of its own.
  ///
  /// With x̂ = (x − m)·r + c for the mean m in float32, a row has five numbers: m, r, c, and a and
  /// b of `dx = (w + a + x̂·b)·r`.
  private static final class Backward {
    private static final int NUMBERS = 5;

    private final Form form;
    private final Rows dy;
    private final Rows s;
    private final MemorySegment statistics;
    private final @Nullable Rows dsum;
    private final Rows dx;
    private final int width;
    private final boolean wantsSums;
    private final float[] gain;
    private final float[] blockGain; // of a block of rows
    private final float[] blockBias;
    private final double[] gainSums;
    private final double[] biasSums;
    private final float[] numbers = new float[4 * NUMBERS];
    private final double[] sums = new double[2];

    Backward(
        Form form,
        Rows dy,
        Rows s,
        MemorySegment statistics,
        @Nullable Rows dsum,
        Rows dx,
        boolean wantsSums) {
      this.form = form;
      this.dy = dy;
      this.s = s;
      this.statistics = statistics;
      this.dsum = dsum;
      this.dx = dx;
      this.width = s.channels();
      this.wantsSums = wantsSums;
      this.gain = floats(form.gain(), width, 1);
      int sums = wantsSums ? width : 0;
      this.blockGain = new float[sums];
      this.blockBias = new float[sums];
      this.gainSums = new double[sums];
      this.biasSums = new double[sums];
    }

    void rows(long from, long to) {
      for (long block = from; block < to; block += BLOCK_ROWS) {
        long end = Math.min(to, block + BLOCK_ROWS);
        long row = block;
        for (; row + 4 <= end; row += 4) {
          four(row);
        }
        for (; row < end; row++) {
          one(row, prepare(row, 0), 0);
        }
        if (wantsSums) {
          drain(blockGain, gainSums);
          drain(blockBias, biasSums);
        }
      }
    }

    private static void drain(float[] block, double[] sums) {
      for (int i = 0; i < block.length; i++) {
        sums[i] += block[i];
        block[i] = 0;
      }
    }

    private void four(long row) {
      boolean first = prepare(row, 0);
      boolean second = prepare(row + 1, 1);
      boolean third = prepare(row + 2, 2);
      boolean fourth = prepare(row + 3, 3);
      if (!(first && second && third && fourth && wantsSums)) {
        one(row, first, 0);
        one(row + 1, second, 1);
        one(row + 2, third, 2);
        one(row + 3, fourth, 3);
        return;
      }
      sumsOfFour(dy.memory(), s.memory(), row * width, width, numbers, blockGain, blockBias);
      for (int place = 0; place < 4; place++) {
        back(
            dy.memory(),
            s.memory(),
            dsum == null ? null : dsum.memory(),
            dx.memory(),
            (row + place) * width,
            width,
            numbers,
            place * NUMBERS,
            gain);
      }
    }

    /// Fills a row's place among the numbers; false if float32 will not do for it.
    private boolean prepare(long row, int place) {
      double mean = statistics.getAtIndex(JAVA_DOUBLE, 2 * row);
      double r = statistics.getAtIndex(JAVA_DOUBLE, 2 * row + 1);
      if (!(r >= LEAST_RECIPROCAL && r <= 1 / LEAST_RECIPROCAL)) {
        return false;
      }
      long at = row * width;
      float near = (float) mean;
      float c = rest(near, mean, r);
      sums[0] = 0;
      sums[1] = 0;
      for (int done = 0; done < width; done += BLOCK) {
        int n = Math.min(BLOCK, width - done);
        products(dy.memory(), s.memory(), at + done, n, near, gain, done, sums);
      }
      int i = place * NUMBERS;
      numbers[i] = near;
      numbers[i + 1] = (float) r;
      numbers[i + 2] = c;
      numbers[i + 3] = form.centred() ? (float) (-sums[0] / width) : 0;
      numbers[i + 4] = (float) (-(sums[1] * r + sums[0] * (near - mean) * r) / width); // of w·x̂
      return true;
    }

    private void one(long row, boolean inFloats, int place) {
      if (!inFloats) {
        ScalarLayerNorm.backward(
            form,
            dy,
            s,
            statistics,
            dsum,
            dx,
            wantsSums ? gainSums : null,
            wantsSums ? biasSums : null,
            row);
        return;
      }
      MemorySegment more = dsum == null ? null : dsum.memory();
      if (wantsSums) {
        sums(
            dy.memory(),
            s.memory(),
            row * width,
            width,
            numbers,
            place * NUMBERS,
            blockGain,
            blockBias);
      }
      back(
          dy.memory(),
          s.memory(),
          more,
          dx.memory(),
          row * width,
          width,
          numbers,
          place * NUMBERS,
          gain);
    }

    /// Adds Σ w and Σ w·(x − m).
    private static void products(
        MemorySegment dy,
        MemorySegment x,
        long at,
        int n,
        float mean,
        float[] gain,
        int from,
        double[] sums) {
      FloatVector m = FloatVector.broadcast(S, mean);
      FloatVector s0 = FloatVector.zero(S);
      FloatVector s1 = s0;
      FloatVector q0 = s0;
      FloatVector q1 = s0;
      int i = 0;
      for (; i <= n - 2 * L; i += 2 * L) {
        FloatVector w0 = load(dy, at + i).mul(FloatVector.fromArray(S, gain, from + i));
        FloatVector w1 = load(dy, at + i + L).mul(FloatVector.fromArray(S, gain, from + i + L));
        s0 = s0.add(w0);
        s1 = s1.add(w1);
        q0 = w0.fma(load(x, at + i).sub(m), q0);
        q1 = w1.fma(load(x, at + i + L).sub(m), q1);
      }
      for (; i <= n - L; i += L) {
        FloatVector w0 = load(dy, at + i).mul(FloatVector.fromArray(S, gain, from + i));
        s0 = s0.add(w0);
        q0 = w0.fma(load(x, at + i).sub(m), q0);
      }
      if (i < n) {
        VectorMask<Float> in = S.indexInRange(i, n);
        FloatVector w1 = load(dy, at + i, in).mul(FloatVector.fromArray(S, gain, from + i, in));
        s1 = s1.add(w1);
        q1 = w1.fma(load(x, at + i, in).sub(m, in), q1); // 0 past the end
      }
      sums[0] += Lanes.total(s0.add(s1));
      sums[1] += Lanes.total(q0.add(q1));
    }

    /// `dx = (w + a + x̂·b)·r + dsum` of one row.
    private static void back(
        MemorySegment dy,
        MemorySegment x,
        @Nullable MemorySegment dsum,
        MemorySegment dx,
        long at,
        int n,
        float[] numbers,
        int place,
        float[] gain) {
      FloatVector m = FloatVector.broadcast(S, numbers[place]);
      FloatVector r = FloatVector.broadcast(S, numbers[place + 1]);
      FloatVector c = FloatVector.broadcast(S, numbers[place + 2]);
      FloatVector a = FloatVector.broadcast(S, numbers[place + 3]);
      FloatVector b = FloatVector.broadcast(S, numbers[place + 4]);
      int i = 0;
      if (dsum == null) {
        for (; i <= n - L; i += L) {
          FloatVector w = load(dy, at + i).mul(FloatVector.fromArray(S, gain, i));
          store(load(x, at + i).sub(m).fma(r, c).fma(b, w.add(a)).mul(r), dx, at + i);
        }
      } else {
        for (; i <= n - L; i += L) {
          FloatVector w = load(dy, at + i).mul(FloatVector.fromArray(S, gain, i));
          FloatVector e = load(x, at + i).sub(m).fma(r, c).fma(b, w.add(a));
          store(e.fma(r, load(dsum, at + i)), dx, at + i);
        }
      }
      if (i < n) {
        VectorMask<Float> in = S.indexInRange(i, n);
        FloatVector w = load(dy, at + i, in).mul(FloatVector.fromArray(S, gain, i, in));
        FloatVector ds = load(x, at + i, in).sub(m).fma(r, c).fma(b, w.add(a)).mul(r);
        if (dsum != null) {
          ds = ds.add(load(dsum, at + i, in));
        }
        store(ds, dx, at + i, in);
      }
    }

    /// `dgain += dy·x̂` and `dbias += dy` of one row.
    private static void sums(
        MemorySegment dy,
        MemorySegment x,
        long at,
        int n,
        float[] numbers,
        int place,
        float[] dgain,
        float[] dbias) {
      FloatVector m = FloatVector.broadcast(S, numbers[place]);
      FloatVector r = FloatVector.broadcast(S, numbers[place + 1]);
      FloatVector c = FloatVector.broadcast(S, numbers[place + 2]);
      int i = 0;
      for (; i <= n - L; i += L) {
        FloatVector g = load(dy, at + i);
        g.fma(load(x, at + i).sub(m).fma(r, c), FloatVector.fromArray(S, dgain, i))
            .intoArray(dgain, i);
        g.add(FloatVector.fromArray(S, dbias, i)).intoArray(dbias, i);
      }
      if (i < n) {
        restOfSums(dy, x, at, i, n, numbers, place, dgain, dbias);
      }
    }

    /// The same of four rows, the first at `at`: the sums are loaded and stored once for them.
    private static void sumsOfFour(
        MemorySegment dy,
        MemorySegment x,
        long at,
        int n,
        float[] numbers,
        float[] dgain,
        float[] dbias) {
      int whole = S.loopBound(n);
      FloatVector m0 = number(numbers, 0, 0);
      FloatVector r0 = number(numbers, 0, 1);
      FloatVector c0 = number(numbers, 0, 2);
      FloatVector m1 = number(numbers, 1, 0);
      FloatVector r1 = number(numbers, 1, 1);
      FloatVector c1 = number(numbers, 1, 2);
      FloatVector m2 = number(numbers, 2, 0);
      FloatVector r2 = number(numbers, 2, 1);
      FloatVector c2 = number(numbers, 2, 2);
      FloatVector m3 = number(numbers, 3, 0);
      FloatVector r3 = number(numbers, 3, 1);
      FloatVector c3 = number(numbers, 3, 2);
      long at1 = at + n;
      long at2 = at1 + n;
      long at3 = at2 + n;
      for (int i = 0; i < whole; i += L) {
        FloatVector g0 = load(dy, at + i);
        FloatVector g1 = load(dy, at1 + i);
        FloatVector g2 = load(dy, at2 + i);
        FloatVector g3 = load(dy, at3 + i);
        FloatVector p = g0.mul(load(x, at + i).sub(m0).fma(r0, c0));
        FloatVector q = g1.mul(load(x, at1 + i).sub(m1).fma(r1, c1));
        p = g2.fma(load(x, at2 + i).sub(m2).fma(r2, c2), p);
        q = g3.fma(load(x, at3 + i).sub(m3).fma(r3, c3), q);
        FloatVector.fromArray(S, dgain, i).add(p.add(q)).intoArray(dgain, i);
        FloatVector.fromArray(S, dbias, i).add(g0.add(g1).add(g2.add(g3))).intoArray(dbias, i);
      }
      for (int row = 0; whole < n && row < 4; row++) {
        restOfSums(dy, x, at + (long) row * n, whole, n, numbers, row * NUMBERS, dgain, dbias);
      }
    }

    private static FloatVector number(float[] numbers, int row, int which) {
      return FloatVector.broadcast(S, numbers[row * NUMBERS + which]);
    }

    /// Those of a row's last elements, fewer than a vector has.
    private static void restOfSums(
        MemorySegment dy,
        MemorySegment x,
        long at,
        int i,
        int n,
        float[] numbers,
        int place,
        float[] dgain,
        float[] dbias) {
      VectorMask<Float> in = S.indexInRange(i, n);
      FloatVector m = FloatVector.broadcast(S, numbers[place]);
      FloatVector r = FloatVector.broadcast(S, numbers[place + 1]);
      FloatVector c = FloatVector.broadcast(S, numbers[place + 2]);
      FloatVector g = load(dy, at + i, in);
      g.fma(load(x, at + i, in).sub(m).fma(r, c), FloatVector.fromArray(S, dgain, i, in))
          .intoArray(dgain, i, in);
      g.add(FloatVector.fromArray(S, dbias, i, in)).intoArray(dbias, i, in);
    }
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  private static FloatVector load(MemorySegment memory, long at, VectorMask<Float> in) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER, in);
  }

  private static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }

  private static void store(FloatVector v, MemorySegment memory, long at, VectorMask<Float> in) {
    v.intoMemorySegment(memory, at << 2, ORDER, in);
  }
}
