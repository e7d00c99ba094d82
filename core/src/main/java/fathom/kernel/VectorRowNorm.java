package fathom.kernel;

import static fathom.kernel.FourRows.BLOCK;
import static fathom.kernel.FourRows.FOUR;
import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;
import static fathom.kernel.FourRows.keep;
import static fathom.kernel.FourRows.load;
import static fathom.kernel.FourRows.store;
import static fathom.kernel.FourRows.total;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.Tensor;
import fathom.parallel.Cores;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// [RowNorm] on vector registers, for float32 elements and any number and width of rows. Rows of at
/// most [RowBlock#WIDEST] elements go through [NarrowRowNorm] and [NarrowRowNormBack], others
/// through the loops below.
///
/// Four rows are processed side by side: their sums do not wait for one another, and gains, biases
/// and their gradients are loaded and stored once for four rows. Four rows fit the first- or
/// second-level cache, so that memory is read and written once. A sample of a row gives a pivot
/// near its mean. One pass over the differences from the pivot gives mean and variance, without
/// cancellation as long as the pivot is near; where it was not, a second pass follows from a better
/// pivot.
///
/// Sums run in float32 over blocks of a row (for parameters, over blocks of rows) and in float64
/// over the blocks. A row whose squares exceed float32 goes through [ScalarRowNorm]. The backward
/// pass is in [VectorRowNormBack].
final class VectorRowNorm implements RowNorm {
  static final double LEAST_VARIANCE = 1e-20;

  /// The largest permitted ratio of the squared distance between pivot and mean to the mean square
  /// around the pivot. It bounds the share of the variance's digits that cancellation takes.
  static final double FAR = 0.1;

  @Override
  public Normed forward(Form form, Tensor x, @Nullable Tensor addend) {
    long count = RowNorm.count(form, x, addend);
    Tensor s = addend == null ? x : x.emptyLike();
    var normed = new Normed(x.emptyLike(), s, Tensor.empty(DType.FLOAT64, count, 2));
    forward(form, x, addend, s, normed.value(), normed.statistics());
    return normed;
  }

  @Override
  public Tensor predict(Form form, Tensor x, @Nullable Tensor addend) {
    RowNorm.count(form, x, addend);
    Tensor y = x.emptyLike();
    forward(form, x, addend, addend == null ? x : y, y, null);
    return y;
  }

  private static void forward(
      Form form,
      Tensor x,
      @Nullable Tensor addend,
      Tensor sum,
      Tensor y,
      @Nullable Tensor statistics) {
    int n = form.width();
    float[] gain = floats(form.gain(), n, 1);
    float[] bias = floats(form.bias(), n, 0);
    Rows from = Rows.of(x, n);
    Rows more = Rows.ofNullable(addend, n);
    Rows s = Rows.of(sum, n);
    Rows to = Rows.of(y, n);
    Rows moments = Rows.ofNullable(statistics, 2);
    Cores.Body body;
    if (n <= RowBlock.WIDEST) {
      var pass = new NarrowRowNorm(form, gain, bias, from, more, s, to, moments);
      body = (first, last, _) -> pass.rows(first, last);
    } else {
      var pass = new Forward(form, gain, bias, from, more, s, to, moments);
      body = (first, last, _) -> pass.rows(first, last);
    }
    Cores.split(s.count(), FourRows.perPart(n), body);
  }

  @Override
  public Cotangents backward(Form form, Tensor dy, Normed normed, @Nullable Tensor dsum) {
    RowNorm.count(form, normed.s(), dy, dsum);
    return VectorRowNormBack.of(form, floats(form.gain(), form.width(), 1), dy, normed, dsum);
  }

  /// A gain or bias as an array; a missing one becomes `otherwise`, the value that changes nothing.
  private static float[] floats(@Nullable Tensor elements, int width, float otherwise) {
    if (elements != null) {
      return elements.segment().toArray(JAVA_FLOAT);
    }
    float[] same = new float[width];
    Arrays.fill(same, otherwise);
    return same;
  }

  /// The forward pass through some of the rows.
  ///
  /// @param s what is normalized
  private record Forward(
      Form form,
      float[] gain,
      float[] bias,
      Rows x,
      @Nullable Rows addend,
      Rows s,
      Rows y,
      @Nullable Rows statistics) {

    /// The number of coefficients of a row: m, r and c of `y = ((s − m)·r + c)·gain + bias`.
    private static final int NUMBERS = 3;

    void rows(long from, long to) {
      long[] read = new long[FOUR];
      var written = new FourRows(NUMBERS);
      float[] pivots = new float[FOUR];
      float[] lanes = new float[2 * FOUR * L];
      double[] sums = new double[2 * FOUR];
      long strip = FourRows.strip(to - from);
      for (long row = from; row < Math.min(to, from + strip); row++) {
        for (int i = 0; i < FOUR; i++) {
          read[i] = row + i * strip < to ? row + i * strip : row;
        }
        moments(read, pivots, lanes, sums);
        written.clear();
        for (int i = 0; i < FOUR && row + i * strip < to; i++) {
          if (!prepare(read[i], pivots[i], sums[2 * i], sums[2 * i + 1], written)) {
            ScalarRowNorm.normalize(
                form, FourRows.doubles(gain), FourRows.doubles(bias), s, y, statistics, read[i]);
          }
        }
        if (!written.isEmpty()) {
          written.fill();
          normalize(s.memory(), y.memory(), written, s.channels(), gain, bias);
        }
      }
    }

    /// Computes Σ (s − pivot) and Σ (s − pivot)² of each row.
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
          VectorRowNorm.differences(from, rows, width, done, n, pivots, lanes);
        } else {
          addedDifferences(from, more, s.memory(), rows, width, done, n, pivots, lanes);
        }
        total(lanes, sums);
      }
      for (int i = 0; i < FOUR && whole < width; i++) {
        restOfDifferences(from, more, rows[i] * width, whole, pivots[i], i, sums);
      }
    }

    /// Adds the last elements of a row, fewer than a vector has.
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

    /// Moves each pivot that is far from its mean to the mean. Returns false if all pivots were
    /// near.
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

    /// Writes a row's statistics and adds the row to those to be written. Returns false if float32
    /// does not suffice for it.
    private boolean prepare(long row, float pivot, double sum, double squares, FourRows written) {
      int width = s.channels();
      double shift = form.centred() ? sum / width : 0;
      double variance = Math.max(0, squares / width - shift * shift) + form.epsilon();
      if (!(variance >= LEAST_VARIANCE && variance < Double.POSITIVE_INFINITY)) {
        return false;
      }
      double mean = form.centred() ? pivot + shift : 0;
      double r = 1 / Math.sqrt(variance);
      if (statistics != null) {
        statistics.memory().setAtIndex(JAVA_DOUBLE, 2 * row, mean);
        statistics.memory().setAtIndex(JAVA_DOUBLE, 2 * row + 1, r);
      }
      written.add(row, mean, r);
      return true;
    }
  }

  /// An estimate of a row's mean: the mean of four vectors of it, or of all elements if it is
  /// shorter.
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

  /// Computes Σ (x − pivot) and Σ (x − pivot)² of the elements `from .. from+n-1` of four rows,
  /// lane by lane; n is a multiple of the lanes.
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

  /// Computes the same sums for s = x + addend, and writes s.
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

  /// Computes `y = ((x − m)·r + c)·gain + bias` for four rows. All four are read before the first
  /// is written, because the same row may occur twice.
  private static void normalize(
      MemorySegment x, MemorySegment y, FourRows four, int n, float[] gain, float[] bias) {
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
}
