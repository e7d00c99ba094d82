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

import fathom.Tensor;
import fathom.kernel.RowNorm.Cotangents;
import fathom.kernel.RowNorm.Form;
import fathom.kernel.RowNorm.Normed;
import fathom.parallel.Cores;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The backward pass of [VectorRowNorm] through some of the rows. Each instance has its own sums
/// for the parameters: in float32 over blocks of rows, and in float64 over the blocks.
final class VectorRowNormBack {
  /// The number of rows of a strip whose parameter gradients are summed in float32.
  private static final int BLOCK_ROWS = 16;

  static final double LEAST_RECIPROCAL = 1e-30;

  /// The backward pass through all rows, divided over the cores.
  static Cotangents of(Form form, float[] gain, Tensor dy, Normed normed, @Nullable Tensor dsum) {
    int n = form.width();
    Tensor dx = normed.s().emptyLike();
    Rows s = Rows.of(normed.s(), n);
    Rows cotangents = Rows.of(dy, n);
    Rows statistics = Rows.of(normed.statistics(), 2);
    Rows more = Rows.ofNullable(dsum, n);
    Rows to = Rows.of(dx, n);
    int parts = Cores.parts(s.count(), FourRows.perPart(n));
    double[][] dgains = new double[parts][];
    double[][] dbiases = new double[parts][];
    Cores.split(
        s.count(),
        FourRows.perPart(n),
        (from, last, part) -> {
          if (n <= RowBlock.WIDEST) {
            var pass = new NarrowRowNormBack(form, gain, cotangents, s, statistics, more, to);
            pass.rows(from, last);
            dgains[part] = pass.gainSums;
            dbiases[part] = pass.biasSums;
          } else {
            var pass = new VectorRowNormBack(form, gain, cotangents, s, statistics, more, to);
            pass.rows(from, last);
            dgains[part] = pass.gainSums;
            dbiases[part] = pass.biasSums;
          }
        });
    double[] dgain = new double[n];
    double[] dbias = new double[n];
    for (int part = 0; part < parts; part++) {
      for (int i = 0; i < n; i++) {
        dgain[i] += dgains[part][i];
        dbias[i] += dbiases[part][i];
      }
    }
    return new Cotangents(
        dx,
        form.gain() == null ? null : Tensor.of(dgain, n),
        form.bias() == null ? null : Tensor.of(dbias, n));
  }

  /// The number of coefficients of a row: m, r, c, a and b of `x̂ = (x − m)·r + c` and `dx = (w + a
  /// + (x − m)·b)·r`.
  private static final int NUMBERS = 5;

  private final Form form;
  private final float[] gain;
  private final Rows dy;
  private final Rows s;
  private final Rows statistics;
  private final @Nullable Rows dsum;
  private final Rows dx;
  private final int width;
  private final float[] blockGain; // over a block of rows, like blockBias
  private final float[] blockBias;
  private final double[] gainSums;
  private final double[] biasSums;
  private final FourRows four = new FourRows(NUMBERS);
  private final float[] lanes = new float[2 * FOUR * L];
  private final double[] sums = new double[2 * FOUR];

  VectorRowNormBack(
      Form form, float[] gain, Rows dy, Rows s, Rows statistics, @Nullable Rows dsum, Rows dx) {
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
    long strip = FourRows.strip(to - from);
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
      double mean = statistics.memory().getAtIndex(JAVA_DOUBLE, 2 * row);
      double r = statistics.memory().getAtIndex(JAVA_DOUBLE, 2 * row + 1);
      if (r >= LEAST_RECIPROCAL && r <= 1 / LEAST_RECIPROCAL) {
        four.add(row, mean, r);
      } else {
        ScalarRowNorm.normalizeBack(
            form, FourRows.doubles(gain), dy, s, statistics, dsum, dx, gainSums, biasSums, row);
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

  /// Computes the means of w and w·x̂ over each row, and from them its coefficients a and b.
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
      double r = statistics.memory().getAtIndex(JAVA_DOUBLE, 2 * four.rows[row] + 1);
      double b = -(along * r + sum * four.numbers[at + 2]) / width;
      double a = form.centred() ? -sum / width : 0;
      four.numbers[at + 3] = (float) (a + four.numbers[at + 2] * b);
      four.numbers[at + 4] = (float) (r * b);
    }
  }

  private static FloatVector number(FourRows four, int row, int which) {
    return FloatVector.broadcast(S, four.numbers[row * NUMBERS + which]);
  }

  /// Computes Σ w and Σ w·(x − m) of the elements `from .. from+n-1` of four rows, lane by lane; n
  /// is a multiple of the lanes.
  private static void products(
      MemorySegment dy,
      MemorySegment x,
      FourRows four,
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

  /// Computes `dgain += Σ dy·x̂` and `dbias += Σ dy` over four rows.
  private static void sums(
      MemorySegment dy,
      MemorySegment x,
      FourRows four,
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

  /// Computes `dx = (w + a + (x − m)·b)·r` for four rows. All four are read before the first is
  /// written, because the same row may occur twice.
  private static void back(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment dx,
      FourRows four,
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

  /// Computes the same with dsum added.
  private static void back(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment dsum,
      MemorySegment dx,
      FourRows four,
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
          load(x, a0 + i).sub(m0).fma(b0, load(dy, a0 + i).fma(g, d0)).fma(r0, load(dsum, a0 + i));
      FloatVector e1 =
          load(x, a1 + i).sub(m1).fma(b1, load(dy, a1 + i).fma(g, d1)).fma(r1, load(dsum, a1 + i));
      FloatVector e2 =
          load(x, a2 + i).sub(m2).fma(b2, load(dy, a2 + i).fma(g, d2)).fma(r2, load(dsum, a2 + i));
      FloatVector e3 =
          load(x, a3 + i).sub(m3).fma(b3, load(dy, a3 + i).fma(g, d3)).fma(r3, load(dsum, a3 + i));
      store(e0, dx, a0 + i);
      store(e1, dx, a1 + i);
      store(e2, dx, a2 + i);
      store(e3, dx, a3 + i);
    }
  }

  /// Computes dx, dγ and dβ for the last elements of a row, fewer than a vector has.
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
