package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.Cores;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/// Layer norm on vector registers, float32 elements, any number of rows and of elements in them.
///
/// Four rows go side by side: their sums do not wait for one another, and gains, biases and their
/// gradients are loaded and stored once for four. They fit the first- or second-level cache, so
/// that memory is read and written once. A sample of a row says about where its mean is; one walk
/// over the differences from there gives mean and variance, without cancellation as long as the
/// sample is near, and with a second walk where it was not.
///
/// Sums run in float32 over blocks of a row (for parameters, over blocks of rows) and in float64
/// over the blocks. A row whose squares are no floats goes through [ScalarLayerNorm].
final class VectorLayerNorm implements LayerNormKernel {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// Rows side by side.
  private static final int FOUR = 4;

  /// Elements of a row whose sum runs in float32.
  private static final int BLOCK = 2048;

  /// Rows of a strip whose gradients of parameters are summed in float32.
  private static final int BLOCK_ROWS = 16;

  /// Fewer elements than this are not worth waking another core.
  private static final int ELEMENTS_PER_PART = 32_768;

  private static final double LEAST_VARIANCE = 1e-20;
  private static final double LEAST_RECIPROCAL = 1e-30;

  /// What the square of a pivot's distance from the mean may be of the mean square around it: so
  /// much of the variance's digits is lost at most.
  private static final double FAR = 0.1;

  @Override
  public void forward(
      Form form,
      Rows x,
      @Nullable Rows addend,
      @Nullable Rows sum,
      Rows y,
      @Nullable MemorySegment statistics) {
    LayerNormKernel.check(form, x, new @Nullable Rows[] {addend, sum, y}, statistics, null, null);
    Rows s = addend == null ? x : sum == null ? y : sum;
    float[] gain = floats(form.gain(), x.channels(), 1);
    float[] bias = floats(form.bias(), x.channels(), 0);
    Cores.split(
        x.count(),
        rowsPerPart(x),
        (from, to, _) -> new Forward(form, gain, bias, x, addend, s, y, statistics).rows(from, to));
  }

  private static long rowsPerPart(Rows rows) {
    return Math.ceilDiv(ELEMENTS_PER_PART, rows.channels());
  }

  /// The rows of a quarter: four strips are walked side by side, each from its first row to its
  /// last. Rows that follow one another would share pages of memory, and a processor that fetches
  /// ahead follows one walk through a page. An odd number keeps short rows out of each other's
  /// cache lines.
  private static long strip(long rows) {
    return Math.ceilDiv(rows, FOUR) | 1;
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

  /// Four rows and their numbers. Where there are fewer, the first stands for those that are
  /// missing: its result is written again, and its share of a sum is weighted with 0.
  private static final class Four {
    final long[] rows = new long[FOUR];
    final float[] weights = new float[FOUR];
    final float[] numbers;
    private final int each;
    private int count;

    Four(int each) {
      this.each = each;
      this.numbers = new float[each * FOUR];
    }

    void clear() {
      count = 0;
    }

    boolean isEmpty() {
      return count == 0;
    }

    void add(long row, float mean, float reciprocal, float lost) {
      rows[count] = row;
      weights[count] = 1;
      numbers[count * each] = mean;
      numbers[count * each + 1] = reciprocal;
      numbers[count * each + 2] = lost;
      count++;
    }

    void fill() {
      for (int i = count; i < FOUR; i++) {
        rows[i] = rows[0];
        weights[i] = 0;
        System.arraycopy(numbers, 0, numbers, i * each, each);
      }
    }
  }

  /// The way forward of some of the rows.
  ///
  /// @param s what is normalised
  private record Forward(
      Form form,
      float[] gain,
      float[] bias,
      Rows x,
      @Nullable Rows addend,
      Rows s,
      Rows y,
      @Nullable MemorySegment statistics) {

    /// Of `y = ((s − m)·r + c)·gain + bias` in each row: m, r and c.
    private static final int NUMBERS = 3;

    void rows(long from, long to) {
      long[] read = new long[FOUR];
      var written = new Four(NUMBERS);
      float[] pivots = new float[FOUR];
      float[] lanes = new float[2 * FOUR * L];
      double[] sums = new double[2 * FOUR];
      long strip = strip(to - from);
      for (long row = from; row < Math.min(to, from + strip); row++) {
        for (int i = 0; i < FOUR; i++) {
          read[i] = row + i * strip < to ? row + i * strip : row;
        }
        moments(read, pivots, lanes, sums);
        written.clear();
        for (int i = 0; i < FOUR && row + i * strip < to; i++) {
          if (!prepare(read[i], pivots[i], sums[2 * i], sums[2 * i + 1], written)) {
            ScalarLayerNorm.forward(form, s, y, statistics, read[i]);
          }
        }
        if (!written.isEmpty()) {
          written.fill();
          normalize(s.memory(), y.memory(), written, s.channels(), gain, bias);
        }
      }
    }

    /// Σ (s − pivot) and Σ (s − pivot)² of each row.
    private void moments(long[] rows, float[] pivots, float[] lanes, double[] sums) {
      int width = s.channels();
      MemorySegment more = addend == null ? null : addend.memory();
      for (int i = 0; i < FOUR && form.centred(); i++) {
        pivots[i] = sample(x.memory(), more, rows[i] * width, width);
      }
      differences(x.memory(), more, rows, pivots, lanes, sums);
      if (form.centred() && correct(width, pivots, sums)) {
        differences(s.memory(), null, rows, pivots, lanes, sums);
      }
    }

    private void differences(
        MemorySegment from,
        @Nullable MemorySegment more,
        long[] rows,
        float[] pivots,
        float[] lanes,
        double[] sums) {
      int width = s.channels();
      Arrays.fill(sums, 0);
      int whole = S.loopBound(width);
      for (int done = 0; done < whole; done += BLOCK) {
        int n = Math.min(BLOCK, whole - done);
        if (more == null) {
          VectorLayerNorm.differences(from, rows, width, done, n, pivots, lanes);
        } else {
          addedDifferences(from, more, s.memory(), rows, width, done, n, pivots, lanes);
        }
        total(lanes, sums);
      }
      for (int i = 0; i < FOUR && whole < width; i++) {
        restOfDifferences(from, more, rows[i] * width, whole, pivots[i], i, sums);
      }
    }

    /// The last elements of a row, fewer than a vector has.
    private void restOfDifferences(
        MemorySegment from,
        @Nullable MemorySegment more,
        long at,
        int done,
        float pivot,
        int place,
        double[] sums) {
      for (int i = done; i < s.channels(); i++) {
        float v = from.getAtIndex(JAVA_FLOAT, at + i);
        if (more != null) {
          v += more.getAtIndex(JAVA_FLOAT, at + i);
          s.memory().setAtIndex(JAVA_FLOAT, at + i, v);
        }
        double d = v - pivot;
        sums[2 * place] += d;
        sums[2 * place + 1] += d * d;
      }
    }

    /// Moves pivots to the means that they are far from; false if all were near.
    private static boolean correct(int width, float[] pivots, double[] sums) {
      boolean corrected = false;
      for (int i = 0; i < FOUR; i++) {
        double shift = sums[2 * i] / width;
        if (shift * shift > FAR * sums[2 * i + 1] / width) {
          pivots[i] += (float) shift;
          corrected = true;
        }
      }
      return corrected;
    }

    /// Writes a row's statistics and takes it among those to be written; false if float32 will not
    /// do for it.
    private boolean prepare(long row, float pivot, double sum, double squares, Four written) {
      int width = s.channels();
      double shift = form.centred() ? sum / width : 0;
      double variance = Math.max(0, squares / width - shift * shift) + form.epsilon();
      if (!(variance >= LEAST_VARIANCE && variance < Double.POSITIVE_INFINITY)) {
        return false;
      }
      double mean = form.centred() ? pivot + shift : 0;
      double r = 1 / Math.sqrt(variance);
      if (statistics != null) {
        statistics.setAtIndex(JAVA_DOUBLE, 2 * row, mean);
        statistics.setAtIndex(JAVA_DOUBLE, 2 * row + 1, r);
      }
      written.add(row, (float) mean, (float) r, lost(mean, r));
      return true;
    }
  }

  /// What rounding the mean to float32 takes off x̂: beside a deviation of 1, a mean of 10,000
  /// moves by up to 0.0005.
  private static float lost(double mean, double r) {
    return (float) (((float) mean - mean) * r);
  }

  /// About the mean of a row: that of four vectors of it, or of all where there are fewer.
  private static float sample(MemorySegment x, @Nullable MemorySegment addend, long at, int n) {
    if (n < 4 * L) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        float more = addend == null ? 0 : addend.getAtIndex(JAVA_FLOAT, at + i);
        sum += x.getAtIndex(JAVA_FLOAT, at + i) + more;
      }
      return (float) (sum / n);
    }
    int step = n / 4;
    FloatVector s = quarters(x, at, step);
    return Lanes.total(addend == null ? s : s.add(quarters(addend, at, step))) / (4 * L);
  }

  private static FloatVector quarters(MemorySegment x, long at, int step) {
    return load(x, at)
        .add(load(x, at + step))
        .add(load(x, at + 2L * step).add(load(x, at + 3L * step)));
  }

  /// Σ (x − pivot) and Σ (x − pivot)² of the elements `from .. from+n-1` of four rows, by lanes; n
  /// is a multiple of them.
  private static void differences(
      MemorySegment x, long[] rows, int width, int from, int n, float[] pivots, float[] lanes) {
    long a0 = rows[0] * width + from;
    long a1 = rows[1] * width + from;
    long a2 = rows[2] * width + from;
    long a3 = rows[3] * width + from;
    FloatVector p0 = FloatVector.broadcast(S, pivots[0]);
    FloatVector p1 = FloatVector.broadcast(S, pivots[1]);
    FloatVector p2 = FloatVector.broadcast(S, pivots[2]);
    FloatVector p3 = FloatVector.broadcast(S, pivots[3]);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector q0 = s0;
    FloatVector q1 = s0;
    FloatVector q2 = s0;
    FloatVector q3 = s0;
    for (int i = 0; i < n; i += L) {
      FloatVector d0 = load(x, a0 + i).sub(p0);
      FloatVector d1 = load(x, a1 + i).sub(p1);
      FloatVector d2 = load(x, a2 + i).sub(p2);
      FloatVector d3 = load(x, a3 + i).sub(p3);
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      s2 = s2.add(d2);
      s3 = s3.add(d3);
      q0 = d0.fma(d0, q0);
      q1 = d1.fma(d1, q1);
      q2 = d2.fma(d2, q2);
      q3 = d3.fma(d3, q3);
    }
    keep(lanes, 0, s0, q0);
    keep(lanes, 1, s1, q1);
    keep(lanes, 2, s2, q2);
    keep(lanes, 3, s3, q3);
  }

  /// The same of s = x + addend, which is written.
  private static void addedDifferences(
      MemorySegment x,
      MemorySegment addend,
      MemorySegment s,
      long[] rows,
      int width,
      int from,
      int n,
      float[] pivots,
      float[] lanes) {
    long a0 = rows[0] * width + from;
    long a1 = rows[1] * width + from;
    long a2 = rows[2] * width + from;
    long a3 = rows[3] * width + from;
    FloatVector p0 = FloatVector.broadcast(S, pivots[0]);
    FloatVector p1 = FloatVector.broadcast(S, pivots[1]);
    FloatVector p2 = FloatVector.broadcast(S, pivots[2]);
    FloatVector p3 = FloatVector.broadcast(S, pivots[3]);
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector q0 = s0;
    FloatVector q1 = s0;
    FloatVector q2 = s0;
    FloatVector q3 = s0;
    for (int i = 0; i < n; i += L) {
      FloatVector v0 = load(x, a0 + i).add(load(addend, a0 + i));
      FloatVector v1 = load(x, a1 + i).add(load(addend, a1 + i));
      FloatVector v2 = load(x, a2 + i).add(load(addend, a2 + i));
      FloatVector v3 = load(x, a3 + i).add(load(addend, a3 + i));
      store(v0, s, a0 + i);
      store(v1, s, a1 + i);
      store(v2, s, a2 + i);
      store(v3, s, a3 + i);
      FloatVector d0 = v0.sub(p0);
      FloatVector d1 = v1.sub(p1);
      FloatVector d2 = v2.sub(p2);
      FloatVector d3 = v3.sub(p3);
      s0 = s0.add(d0);
      s1 = s1.add(d1);
      s2 = s2.add(d2);
      s3 = s3.add(d3);
      q0 = d0.fma(d0, q0);
      q1 = d1.fma(d1, q1);
      q2 = d2.fma(d2, q2);
      q3 = d3.fma(d3, q3);
    }
    keep(lanes, 0, s0, q0);
    keep(lanes, 1, s1, q1);
    keep(lanes, 2, s2, q2);
    keep(lanes, 3, s3, q3);
  }

  /// The two sums of a row, lane by lane. They are added up elsewhere: what the compiler takes as
  /// one piece has a limit, beyond which it makes an object of every vector.
  private static void keep(float[] lanes, int row, FloatVector s, FloatVector q) {
    s.intoArray(lanes, 2 * row * L);
    q.intoArray(lanes, (2 * row + 1) * L);
  }

  private static void total(float[] lanes, double[] sums) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += Lanes.total(FloatVector.fromArray(S, lanes, i * L));
    }
  }

  /// `y = ((x − m)·r + c)·gain + bias` of four rows. All are read before one is written: the same
  /// row may be there twice.
  private static void normalize(
      MemorySegment x, MemorySegment y, Four four, int n, float[] gain, float[] bias) {
    int whole = S.loopBound(n);
    normalize(x, y, four.rows, n, whole, four.numbers, gain, bias);
    for (int row = 0; row < FOUR && whole < n; row++) {
      int k = row * Forward.NUMBERS;
      long at = four.rows[row] * n;
      for (int i = whole; i < n && four.weights[row] > 0; i++) {
        float d = x.getAtIndex(JAVA_FLOAT, at + i) - four.numbers[k];
        float normal = d * four.numbers[k + 1] + four.numbers[k + 2];
        y.setAtIndex(JAVA_FLOAT, at + i, normal * gain[i] + bias[i]);
      }
    }
  }

  private static void normalize(
      MemorySegment x,
      MemorySegment y,
      long[] rows,
      int n,
      int whole,
      float[] numbers,
      float[] gain,
      float[] bias) {
    long a0 = rows[0] * n;
    long a1 = rows[1] * n;
    long a2 = rows[2] * n;
    long a3 = rows[3] * n;
    FloatVector m0 = FloatVector.broadcast(S, numbers[0]);
    FloatVector r0 = FloatVector.broadcast(S, numbers[1]);
    FloatVector c0 = FloatVector.broadcast(S, numbers[2]);
    FloatVector m1 = FloatVector.broadcast(S, numbers[3]);
    FloatVector r1 = FloatVector.broadcast(S, numbers[4]);
    FloatVector c1 = FloatVector.broadcast(S, numbers[5]);
    FloatVector m2 = FloatVector.broadcast(S, numbers[6]);
    FloatVector r2 = FloatVector.broadcast(S, numbers[7]);
    FloatVector c2 = FloatVector.broadcast(S, numbers[8]);
    FloatVector m3 = FloatVector.broadcast(S, numbers[9]);
    FloatVector r3 = FloatVector.broadcast(S, numbers[10]);
    FloatVector c3 = FloatVector.broadcast(S, numbers[11]);
    for (int i = 0; i < whole; i += L) {
      FloatVector g = FloatVector.fromArray(S, gain, i);
      FloatVector b = FloatVector.fromArray(S, bias, i);
      FloatVector y0 = load(x, a0 + i).sub(m0).fma(r0, c0).fma(g, b);
      FloatVector y1 = load(x, a1 + i).sub(m1).fma(r1, c1).fma(g, b);
      FloatVector y2 = load(x, a2 + i).sub(m2).fma(r2, c2).fma(g, b);
      FloatVector y3 = load(x, a3 + i).sub(m3).fma(r3, c3).fma(g, b);
      store(y0, y, a0 + i);
      store(y1, y, a1 + i);
      store(y2, y, a2 + i);
      store(y3, y, a3 + i);
    }
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
    float[] gain = floats(form.gain(), s.channels(), 1);
    var passes = new Backward[Cores.parts(s.count(), rowsPerPart(s))];
    for (int i = 0; i < passes.length; i++) {
      passes[i] = new Backward(form, gain, dy, s, statistics, dsum, dx);
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
  private static final class Backward {
    /// Of `x̂ = (x − m)·r + c` and `dx = (w + a + (x − m)·b)·r` in each row: m, r, c, a and b.
    private static final int NUMBERS = 5;

    private final Form form;
    private final float[] gain;
    private final Rows dy;
    private final Rows s;
    private final MemorySegment statistics;
    private final @Nullable Rows dsum;
    private final Rows dx;
    private final int width;
    private final float[] blockGain; // of a block of rows
    private final float[] blockBias;
    private final double[] gainSums;
    private final double[] biasSums;
    private final Four four = new Four(NUMBERS);
    private final float[] lanes = new float[2 * FOUR * L];
    private final double[] sums = new double[2 * FOUR];

    Backward(
        Form form,
        float[] gain,
        Rows dy,
        Rows s,
        MemorySegment statistics,
        @Nullable Rows dsum,
        Rows dx) {
      this.form = form;
      this.gain = gain;
      this.dy = dy;
      this.s = s;
      this.statistics = statistics;
      this.dsum = dsum;
      this.dx = dx;
      this.width = s.channels();
      this.blockGain = new float[width];
      this.blockBias = new float[width];
      this.gainSums = new double[width];
      this.biasSums = new double[width];
    }

    void rows(long from, long to) {
      long strip = strip(to - from);
      for (long row = from; row < Math.min(to, from + strip); row++) {
        four(row, strip, to);
        if ((row + 1 - from) % BLOCK_ROWS == 0) {
          drain(blockGain, gainSums);
          drain(blockBias, biasSums);
        }
      }
      drain(blockGain, gainSums);
      drain(blockBias, biasSums);
    }

    private static void drain(float[] block, double[] sums) {
      for (int i = 0; i < block.length; i++) {
        sums[i] += block[i];
        block[i] = 0;
      }
    }

    private void four(long first, long strip, long to) {
      four.clear();
      for (long row = first; row < Math.min(to, first + FOUR * strip); row += strip) {
        double mean = statistics.getAtIndex(JAVA_DOUBLE, 2 * row);
        double r = statistics.getAtIndex(JAVA_DOUBLE, 2 * row + 1);
        if (r >= LEAST_RECIPROCAL && r <= 1 / LEAST_RECIPROCAL) {
          four.add(row, (float) mean, (float) r, lost(mean, r));
        } else {
          ScalarLayerNorm.backward(form, dy, s, statistics, dsum, dx, gainSums, biasSums, row);
        }
      }
      if (four.isEmpty()) {
        return;
      }
      four.fill();
      products();
      int whole = S.loopBound(width);
      sums(dy.memory(), s.memory(), four, width, whole, blockGain, blockBias);
      if (dsum == null) {
        back(dy.memory(), s.memory(), dx.memory(), four, width, whole, gain);
      } else {
        back(dy.memory(), s.memory(), dsum.memory(), dx.memory(), four, width, whole, gain);
      }
      for (int row = 0; row < FOUR && whole < width; row++) {
        if (four.weights[row] > 0) {
          rest(row, whole);
        }
      }
    }

    /// The means of w and w·x̂ over each row, and by them its numbers a and b.
    private void products() {
      int whole = S.loopBound(width);
      Arrays.fill(sums, 0);
      for (int done = 0; done < whole; done += BLOCK) {
        int n = Math.min(BLOCK, whole - done);
        products(dy.memory(), s.memory(), four, width, done, n, gain, lanes);
        total(lanes, sums);
      }
      for (int row = 0; row < FOUR; row++) {
        int at = row * NUMBERS;
        long first = four.rows[row] * width;
        double sum = sums[2 * row];
        double along = sums[2 * row + 1];
        for (int i = whole; i < width; i++) {
          double w = dy.memory().getAtIndex(JAVA_FLOAT, first + i) * (double) gain[i];
          sum += w;
          along += w * (s.memory().getAtIndex(JAVA_FLOAT, first + i) - four.numbers[at]);
        }
        double r = statistics.getAtIndex(JAVA_DOUBLE, 2 * four.rows[row] + 1);
        double b = -(along * r + sum * four.numbers[at + 2]) / width;
        double a = form.centred() ? -sum / width : 0;
        four.numbers[at + 3] = (float) (a + four.numbers[at + 2] * b);
        four.numbers[at + 4] = (float) (r * b);
      }
    }

    private static FloatVector number(Four four, int row, int which) {
      return FloatVector.broadcast(S, four.numbers[row * NUMBERS + which]);
    }

    /// Σ w and Σ w·(x − m) of the elements `from .. from+n-1` of four rows, by lanes; n is a
    /// multiple of them.
    private static void products(
        MemorySegment dy,
        MemorySegment x,
        Four four,
        int width,
        int from,
        int n,
        float[] gain,
        float[] lanes) {
      long a0 = four.rows[0] * width + from;
      long a1 = four.rows[1] * width + from;
      long a2 = four.rows[2] * width + from;
      long a3 = four.rows[3] * width + from;
      FloatVector m0 = number(four, 0, 0);
      FloatVector m1 = number(four, 1, 0);
      FloatVector m2 = number(four, 2, 0);
      FloatVector m3 = number(four, 3, 0);
      FloatVector s0 = FloatVector.zero(S);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      FloatVector q0 = s0;
      FloatVector q1 = s0;
      FloatVector q2 = s0;
      FloatVector q3 = s0;
      for (int i = 0; i < n; i += L) {
        FloatVector g = FloatVector.fromArray(S, gain, from + i);
        FloatVector w0 = load(dy, a0 + i).mul(g);
        FloatVector w1 = load(dy, a1 + i).mul(g);
        FloatVector w2 = load(dy, a2 + i).mul(g);
        FloatVector w3 = load(dy, a3 + i).mul(g);
        s0 = s0.add(w0);
        s1 = s1.add(w1);
        s2 = s2.add(w2);
        s3 = s3.add(w3);
        q0 = w0.fma(load(x, a0 + i).sub(m0), q0);
        q1 = w1.fma(load(x, a1 + i).sub(m1), q1);
        q2 = w2.fma(load(x, a2 + i).sub(m2), q2);
        q3 = w3.fma(load(x, a3 + i).sub(m3), q3);
      }
      keep(lanes, 0, s0, q0);
      keep(lanes, 1, s1, q1);
      keep(lanes, 2, s2, q2);
      keep(lanes, 3, s3, q3);
    }

    /// `dgain += Σ dy·x̂` and `dbias += Σ dy` over four rows.
    private static void sums(
        MemorySegment dy,
        MemorySegment x,
        Four four,
        int width,
        int whole,
        float[] dgain,
        float[] dbias) {
      long a0 = four.rows[0] * width;
      long a1 = four.rows[1] * width;
      long a2 = four.rows[2] * width;
      long a3 = four.rows[3] * width;
      FloatVector k1 = FloatVector.broadcast(S, four.weights[1]);
      FloatVector k2 = FloatVector.broadcast(S, four.weights[2]);
      FloatVector k3 = FloatVector.broadcast(S, four.weights[3]);
      FloatVector m0 = number(four, 0, 0);
      FloatVector r0 = number(four, 0, 1);
      FloatVector c0 = number(four, 0, 2);
      FloatVector m1 = number(four, 1, 0);
      FloatVector r1 = number(four, 1, 1);
      FloatVector c1 = number(four, 1, 2);
      FloatVector m2 = number(four, 2, 0);
      FloatVector r2 = number(four, 2, 1);
      FloatVector c2 = number(four, 2, 2);
      FloatVector m3 = number(four, 3, 0);
      FloatVector r3 = number(four, 3, 1);
      FloatVector c3 = number(four, 3, 2);
      for (int i = 0; i < whole; i += L) {
        FloatVector g0 = load(dy, a0 + i);
        FloatVector g1 = load(dy, a1 + i).mul(k1);
        FloatVector g2 = load(dy, a2 + i).mul(k2);
        FloatVector g3 = load(dy, a3 + i).mul(k3);
        FloatVector p = g0.mul(load(x, a0 + i).sub(m0).fma(r0, c0));
        FloatVector q = g1.mul(load(x, a1 + i).sub(m1).fma(r1, c1));
        p = g2.fma(load(x, a2 + i).sub(m2).fma(r2, c2), p);
        q = g3.fma(load(x, a3 + i).sub(m3).fma(r3, c3), q);
        FloatVector.fromArray(S, dgain, i).add(p.add(q)).intoArray(dgain, i);
        FloatVector.fromArray(S, dbias, i).add(g0.add(g1).add(g2.add(g3))).intoArray(dbias, i);
      }
    }

    /// `dx = (w + a + (x − m)·b)·r` of four rows. All are read before one is written.
    private static void back(
        MemorySegment dy,
        MemorySegment x,
        MemorySegment dx,
        Four four,
        int width,
        int whole,
        float[] gain) {
      long a0 = four.rows[0] * width;
      long a1 = four.rows[1] * width;
      long a2 = four.rows[2] * width;
      long a3 = four.rows[3] * width;
      FloatVector m0 = number(four, 0, 0);
      FloatVector r0 = number(four, 0, 1);
      FloatVector d0 = number(four, 0, 3);
      FloatVector b0 = number(four, 0, 4);
      FloatVector m1 = number(four, 1, 0);
      FloatVector r1 = number(four, 1, 1);
      FloatVector d1 = number(four, 1, 3);
      FloatVector b1 = number(four, 1, 4);
      FloatVector m2 = number(four, 2, 0);
      FloatVector r2 = number(four, 2, 1);
      FloatVector d2 = number(four, 2, 3);
      FloatVector b2 = number(four, 2, 4);
      FloatVector m3 = number(four, 3, 0);
      FloatVector r3 = number(four, 3, 1);
      FloatVector d3 = number(four, 3, 3);
      FloatVector b3 = number(four, 3, 4);
      for (int i = 0; i < whole; i += L) {
        FloatVector g = FloatVector.fromArray(S, gain, i);
        FloatVector e0 = load(x, a0 + i).sub(m0).fma(b0, load(dy, a0 + i).fma(g, d0));
        FloatVector e1 = load(x, a1 + i).sub(m1).fma(b1, load(dy, a1 + i).fma(g, d1));
        FloatVector e2 = load(x, a2 + i).sub(m2).fma(b2, load(dy, a2 + i).fma(g, d2));
        FloatVector e3 = load(x, a3 + i).sub(m3).fma(b3, load(dy, a3 + i).fma(g, d3));
        store(e0.mul(r0), dx, a0 + i);
        store(e1.mul(r1), dx, a1 + i);
        store(e2.mul(r2), dx, a2 + i);
        store(e3.mul(r3), dx, a3 + i);
      }
    }

    /// The same with dsum added.
    private static void back(
        MemorySegment dy,
        MemorySegment x,
        MemorySegment dsum,
        MemorySegment dx,
        Four four,
        int width,
        int whole,
        float[] gain) {
      long a0 = four.rows[0] * width;
      long a1 = four.rows[1] * width;
      long a2 = four.rows[2] * width;
      long a3 = four.rows[3] * width;
      FloatVector m0 = number(four, 0, 0);
      FloatVector r0 = number(four, 0, 1);
      FloatVector d0 = number(four, 0, 3);
      FloatVector b0 = number(four, 0, 4);
      FloatVector m1 = number(four, 1, 0);
      FloatVector r1 = number(four, 1, 1);
      FloatVector d1 = number(four, 1, 3);
      FloatVector b1 = number(four, 1, 4);
      FloatVector m2 = number(four, 2, 0);
      FloatVector r2 = number(four, 2, 1);
      FloatVector d2 = number(four, 2, 3);
      FloatVector b2 = number(four, 2, 4);
      FloatVector m3 = number(four, 3, 0);
      FloatVector r3 = number(four, 3, 1);
      FloatVector d3 = number(four, 3, 3);
      FloatVector b3 = number(four, 3, 4);
      for (int i = 0; i < whole; i += L) {
        FloatVector g = FloatVector.fromArray(S, gain, i);
        FloatVector e0 =
            load(x, a0 + i)
                .sub(m0)
                .fma(b0, load(dy, a0 + i).fma(g, d0))
                .fma(r0, load(dsum, a0 + i));
        FloatVector e1 =
            load(x, a1 + i)
                .sub(m1)
                .fma(b1, load(dy, a1 + i).fma(g, d1))
                .fma(r1, load(dsum, a1 + i));
        FloatVector e2 =
            load(x, a2 + i)
                .sub(m2)
                .fma(b2, load(dy, a2 + i).fma(g, d2))
                .fma(r2, load(dsum, a2 + i));
        FloatVector e3 =
            load(x, a3 + i)
                .sub(m3)
                .fma(b3, load(dy, a3 + i).fma(g, d3))
                .fma(r3, load(dsum, a3 + i));
        store(e0, dx, a0 + i);
        store(e1, dx, a1 + i);
        store(e2, dx, a2 + i);
        store(e3, dx, a3 + i);
      }
    }

    /// All of it for the last elements of a row, fewer than a vector has.
    private void rest(int row, int whole) {
      int k = row * NUMBERS;
      long at = four.rows[row] * width;
      for (int i = whole; i < width; i++) {
        float d = s.memory().getAtIndex(JAVA_FLOAT, at + i) - four.numbers[k];
        float g = dy.memory().getAtIndex(JAVA_FLOAT, at + i);
        float more = dsum == null ? 0 : dsum.memory().getAtIndex(JAVA_FLOAT, at + i);
        float e = d * four.numbers[k + 4] + (g * gain[i] + four.numbers[k + 3]);
        dx.memory().setAtIndex(JAVA_FLOAT, at + i, e * four.numbers[k + 1] + more);
        blockGain[i] += g * (d * four.numbers[k + 1] + four.numbers[k + 2]);
        blockBias[i] += g;
      }
    }
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  private static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }
}
