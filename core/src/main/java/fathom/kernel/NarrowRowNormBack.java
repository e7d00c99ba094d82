package fathom.kernel;

import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;
import static fathom.kernel.FourRows.load;
import static fathom.kernel.FourRows.store;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.kernel.RowNorm.Form;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The backward pass of [VectorRowNorm] through some of the rows, for rows of at most
/// [RowBlock#WIDEST] elements. Each instance has its own sums for the parameters: in float32 over
/// some rows, and in float64 over all.
final class NarrowRowNormBack {
  /// The number of rows whose parameter gradients are summed in float32.
  private static final int ROWS_IN_FLOAT = 64;

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
  final double[] gainSums;
  final double[] biasSums;
  private final RowBlock block;

  private final double[] reciprocals;

  /// The coefficients a and b of `dx = (w + a + (x − m)·b)·r` of each row.
  private final float[] constant;

  private final float[] along;

  NarrowRowNormBack(
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
    this.block = new RowBlock(width);
    this.reciprocals = new double[block.most()];
    this.constant = new float[block.most()];
    this.along = new float[block.most()];
  }

  void rows(long from, long to) {
    int summed = 0;
    for (long first = from; first < to; first += block.most()) {
      block(first, Math.min(to, first + block.most()));
      summed += block.most();
      if (summed >= ROWS_IN_FLOAT) {
        drain(blockGain, gainSums);
        drain(blockBias, biasSums);
        summed = 0;
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

  private void block(long first, long to) {
    block.clear();
    for (long row = first; row < to; row++) {
      double mean = statistics.memory().getAtIndex(JAVA_DOUBLE, 2 * row);
      double r = statistics.memory().getAtIndex(JAVA_DOUBLE, 2 * row + 1);
      if (r >= VectorRowNormBack.LEAST_RECIPROCAL && r <= 1 / VectorRowNormBack.LEAST_RECIPROCAL) {
        reciprocals[block.count()] = r;
        block.add(row, mean, r);
      } else {
        ScalarRowNorm.normalizeBack(
            form, FourRows.doubles(gain), dy, s, statistics, dsum, dx, gainSums, biasSums, row);
      }
    }
    int count = block.count();
    if (count == 0) {
      return;
    }
    products();
    int pairs = width / (2 * L) * (2 * L);
    int whole = S.loopBound(width);
    if (dsum == null) {
      pairs(dy.memory(), s.memory(), dx.memory(), pairs);
    } else {
      pairs(dy.memory(), s.memory(), dx.memory(), dx.memory(), pairs);
    }
    if (pairs < whole) {
      last(dsum == null ? null : dsum.memory(), pairs);
    }
    for (int row = 0; row < count && whole < width; row++) {
      rest(row, whole);
    }
  }

  /// Computes the means of w and w·x̂ over each row, and from them its coefficients a and b.
  private void products() {
    int count = block.count();
    int whole = S.loopBound(width);
    MemorySegment ahead = (dsum == null ? dy : dsum).memory();
    block.clearSums();
    products(dy.memory(), s.memory(), ahead, dx.memory(), block, width, whole, gain);
    block.total(count);
    for (int row = 0; row < count && whole < width; row++) {
      restOfProducts(row, whole);
    }
    coefficients(block, count, 1.0 / width, form.centred(), reciprocals, constant, along);
  }

  private void restOfProducts(int row, int whole) {
    long first = block.rows[row] * width;
    for (int i = whole; i < width; i++) {
      double w = dy.memory().getAtIndex(JAVA_FLOAT, first + i) * (double) gain[i];
      block.first[row] += w;
      block.second[row] += w * (s.memory().getAtIndex(JAVA_FLOAT, first + i) - block.mean[row]);
    }
  }

  private static void coefficients(
      RowBlock block,
      int count,
      double share,
      boolean centred,
      double[] reciprocals,
      float[] constant,
      float[] along) {
    double centre = centred ? share : 0;
    for (int row = 0; row < count; row++) {
      double sum = block.first[row];
      double b = -(block.second[row] * reciprocals[row] + sum * block.lost[row]) * share;
      constant[row] = (float) (block.lost[row] * b - sum * centre);
      along[row] = (float) (reciprocals[row] * b);
    }
  }

  /// Computes Σ w and Σ w·(x − m) of the elements `from .. from+n-1` of each row, lane by lane; n
  /// is a multiple of the lanes.
  private static void products(
      MemorySegment dy,
      MemorySegment x,
      MemorySegment carried,
      MemorySegment dx,
      RowBlock block,
      int width,
      int n,
      float[] gain) {
    float[] lanes = block.lanes;
    int second = block.most() * L;
    int count = block.count();
    long[] rows = block.rows;
    float[] mean = block.mean;
    int fours = n / (4 * L) * (4 * L);
    for (int row = 0; row < count; row++) {
      long start = rows[row] * width;
      FloatVector m = FloatVector.broadcast(S, mean[row]);
      FloatVector s0 = FloatVector.zero(S);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      FloatVector q0 = s0;
      FloatVector q1 = s0;
      FloatVector q2 = s0;
      FloatVector q3 = s0;
      int i = 0;
      for (; i < fours; i += 4 * L) {
        FloatVector w0 = load(dy, start + i).mul(FloatVector.fromArray(S, gain, i));
        FloatVector w1 = load(dy, start + i + L).mul(FloatVector.fromArray(S, gain, i + L));
        FloatVector w2 =
            load(dy, start + i + 2L * L).mul(FloatVector.fromArray(S, gain, i + 2 * L));
        FloatVector w3 =
            load(dy, start + i + 3L * L).mul(FloatVector.fromArray(S, gain, i + 3 * L));
        store(load(carried, start + i), dx, start + i);
        store(load(carried, start + i + L), dx, start + i + L);
        store(load(carried, start + i + 2L * L), dx, start + i + 2L * L);
        store(load(carried, start + i + 3L * L), dx, start + i + 3L * L);
        s0 = s0.add(w0);
        s1 = s1.add(w1);
        s2 = s2.add(w2);
        s3 = s3.add(w3);
        q0 = w0.fma(load(x, start + i).sub(m), q0);
        q1 = w1.fma(load(x, start + i + L).sub(m), q1);
        q2 = w2.fma(load(x, start + i + 2L * L).sub(m), q2);
        q3 = w3.fma(load(x, start + i + 3L * L).sub(m), q3);
      }
      for (; i < n; i += L) {
        FloatVector w = load(dy, start + i).mul(FloatVector.fromArray(S, gain, i));
        store(load(carried, start + i), dx, start + i);
        s0 = s0.add(w);
        q0 = w.fma(load(x, start + i).sub(m), q0);
      }
      s0.add(s1).add(s2.add(s3)).intoArray(lanes, row * L);
      q0.add(q1).add(q2.add(q3)).intoArray(lanes, second + row * L);
    }
  }

  /// Computes `dx = (w + a + (x − m)·b)·r`, `dgain += Σ dy·x̂` and `dbias += Σ dy` for the rows of
  /// a block, two vectors of each row at a time, up to element `pairs`. The gradients of the
  /// parameters of two vectors stay in registers; those of four would make the method too large for
  /// the compiler, which then makes an object of every vector.
  private void pairs(MemorySegment dy, MemorySegment x, MemorySegment dx, int pairs) {
    int count = block.count();
    int n = width;
    long[] rows = block.rows;
    float[] mean = block.mean;
    float[] reciprocal = block.reciprocal;
    float[] lost = block.lost;
    float[] as = constant;
    float[] bs = along;
    for (int i = 0; i < pairs; i += 2 * L) {
      FloatVector g0 = FloatVector.fromArray(S, gain, i);
      FloatVector g1 = FloatVector.fromArray(S, gain, i + L);
      FloatVector dgain0 = FloatVector.fromArray(S, blockGain, i);
      FloatVector dgain1 = FloatVector.fromArray(S, blockGain, i + L);
      FloatVector dbias0 = FloatVector.fromArray(S, blockBias, i);
      FloatVector dbias1 = FloatVector.fromArray(S, blockBias, i + L);
      for (int k = 0; k < count; k++) {
        long at = rows[k] * n + i;
        FloatVector m = FloatVector.broadcast(S, mean[k]);
        FloatVector r = FloatVector.broadcast(S, reciprocal[k]);
        FloatVector c = FloatVector.broadcast(S, lost[k]);
        FloatVector a = FloatVector.broadcast(S, as[k]);
        FloatVector b = FloatVector.broadcast(S, bs[k]);
        FloatVector y0 = load(dy, at);
        FloatVector y1 = load(dy, at + L);
        FloatVector d0 = load(x, at).sub(m);
        FloatVector d1 = load(x, at + L).sub(m);
        dbias0 = dbias0.add(y0);
        dbias1 = dbias1.add(y1);
        dgain0 = y0.fma(d0.fma(r, c), dgain0);
        dgain1 = y1.fma(d1.fma(r, c), dgain1);
        FloatVector e0 = d0.fma(b, y0.fma(g0, a));
        FloatVector e1 = d1.fma(b, y1.fma(g1, a));
        store(e0.mul(r), dx, at);
        store(e1.mul(r), dx, at + L);
      }
      dgain0.intoArray(blockGain, i);
      dgain1.intoArray(blockGain, i + L);
      dbias0.intoArray(blockBias, i);
      dbias1.intoArray(blockBias, i + L);
    }
  }

  /// Computes the same with dsum added to dx.
  private void pairs(
      MemorySegment dy, MemorySegment x, MemorySegment dsum, MemorySegment dx, int pairs) {
    int count = block.count();
    int n = width;
    long[] rows = block.rows;
    float[] mean = block.mean;
    float[] reciprocal = block.reciprocal;
    float[] lost = block.lost;
    float[] as = constant;
    float[] bs = along;
    for (int i = 0; i < pairs; i += 2 * L) {
      FloatVector g0 = FloatVector.fromArray(S, gain, i);
      FloatVector g1 = FloatVector.fromArray(S, gain, i + L);
      FloatVector dgain0 = FloatVector.fromArray(S, blockGain, i);
      FloatVector dgain1 = FloatVector.fromArray(S, blockGain, i + L);
      FloatVector dbias0 = FloatVector.fromArray(S, blockBias, i);
      FloatVector dbias1 = FloatVector.fromArray(S, blockBias, i + L);
      for (int k = 0; k < count; k++) {
        long at = rows[k] * n + i;
        FloatVector m = FloatVector.broadcast(S, mean[k]);
        FloatVector r = FloatVector.broadcast(S, reciprocal[k]);
        FloatVector c = FloatVector.broadcast(S, lost[k]);
        FloatVector a = FloatVector.broadcast(S, as[k]);
        FloatVector b = FloatVector.broadcast(S, bs[k]);
        FloatVector y0 = load(dy, at);
        FloatVector y1 = load(dy, at + L);
        FloatVector d0 = load(x, at).sub(m);
        FloatVector d1 = load(x, at + L).sub(m);
        dbias0 = dbias0.add(y0);
        dbias1 = dbias1.add(y1);
        dgain0 = y0.fma(d0.fma(r, c), dgain0);
        dgain1 = y1.fma(d1.fma(r, c), dgain1);
        FloatVector e0 = d0.fma(b, y0.fma(g0, a));
        FloatVector e1 = d1.fma(b, y1.fma(g1, a));
        store(e0.fma(r, load(dsum, at)), dx, at);
        store(e1.fma(r, load(dsum, at + L)), dx, at + L);
      }
      dgain0.intoArray(blockGain, i);
      dgain1.intoArray(blockGain, i + L);
      dbias0.intoArray(blockBias, i);
      dbias1.intoArray(blockBias, i + L);
    }
  }

  /// Computes the same for the vector that begins at element `i` of each row.
  private void last(@Nullable MemorySegment dsum, int i) {
    FloatVector g = FloatVector.fromArray(S, gain, i);
    FloatVector dgain = FloatVector.fromArray(S, blockGain, i);
    FloatVector dbias = FloatVector.fromArray(S, blockBias, i);
    for (int k = 0; k < block.count(); k++) {
      long at = block.rows[k] * width + i;
      FloatVector d = load(s.memory(), at).sub(block.mean[k]);
      FloatVector y = load(dy.memory(), at);
      dbias = dbias.add(y);
      FloatVector normal = d.mul(block.reciprocal[k]).add(block.lost[k]);
      dgain = y.fma(normal, dgain);
      FloatVector w = y.mul(g).add(constant[k]).add(d.mul(along[k]));
      FloatVector e = w.mul(block.reciprocal[k]);
      store(dsum == null ? e : e.add(load(dsum, at)), dx.memory(), at);
    }
    dgain.intoArray(blockGain, i);
    dbias.intoArray(blockBias, i);
  }

  /// Computes dx, dγ and dβ for the last elements of a row, fewer than a vector has.
  private void rest(int row, int whole) {
    long at = block.rows[row] * width;
    for (int i = whole; i < width; i++) {
      float d = s.memory().getAtIndex(JAVA_FLOAT, at + i) - block.mean[row];
      float g = dy.memory().getAtIndex(JAVA_FLOAT, at + i);
      float more = dsum == null ? 0 : dsum.memory().getAtIndex(JAVA_FLOAT, at + i);
      float e = d * along[row] + (g * gain[i] + constant[row]);
      dx.memory().setAtIndex(JAVA_FLOAT, at + i, e * block.reciprocal[row] + more);
      blockGain[i] += g * (d * block.reciprocal[row] + block.lost[row]);
      blockBias[i] += g;
    }
  }
}
