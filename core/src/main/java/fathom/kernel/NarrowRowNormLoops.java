package fathom.kernel;

import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;
import static fathom.kernel.FourRows.load;
import static fathom.kernel.FourRows.store;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/// The loops over elements of [NarrowRowNorm]. Each is a method of its own, and keeps in local
/// variables what it reads for every row, because the compiler cannot know that a store into a
/// tensor's memory leaves fields as they are.
final class NarrowRowNormLoops {
  private NarrowRowNormLoops() {}

  /// The mean of a row of few elements, without those of a large mean's digits that float32 lacks.
  static float mean(MemorySegment x, @Nullable MemorySegment addend, long at, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      float more = addend == null ? 0 : addend.getAtIndex(JAVA_FLOAT, at + i);
      sum += x.getAtIndex(JAVA_FLOAT, at + i) + more;
    }
    return (float) (sum / n);
  }

  /// Computes the mean of four vectors of each of `count` rows, of which the first begins at `at`.
  static void samples(MemorySegment x, long at, int width, int count, float[] means) {
    int step = width / 4;
    for (int row = 0; row < count; row++) {
      FloatVector s = quarters(x, at + (long) row * width, step);
      means[row] = Lanes.total(s) / (4 * L);
    }
  }

  /// Computes the same of x + addend.
  static void samples(
      MemorySegment x, MemorySegment addend, long at, int width, int count, float[] means) {
    int step = width / 4;
    for (int row = 0; row < count; row++) {
      long start = at + (long) row * width;
      FloatVector s = quarters(x, start, step).add(quarters(addend, start, step));
      means[row] = Lanes.total(s) / (4 * L);
    }
  }

  private static FloatVector quarters(MemorySegment x, long at, int step) {
    return load(x, at)
        .add(load(x, at + step))
        .add(load(x, at + 2L * step).add(load(x, at + 3L * step)));
  }

  /// Computes Σ (x − pivot) and Σ (x − pivot)² of `n` elements of each of `count` rows, lane by
  /// lane, and copies them to y. The first row's elements begin at `at`; n is a multiple of the
  /// lanes.
  static void differences(
      MemorySegment x,
      MemorySegment y,
      long at,
      int width,
      int n,
      int count,
      float[] pivots,
      RowBlock block) {
    float[] lanes = block.lanes;
    int second = block.most() * L;
    int fours = n / (4 * L) * (4 * L);
    for (int row = 0; row < count; row++) {
      long start = at + (long) row * width;
      FloatVector p = FloatVector.broadcast(S, pivots[row]);
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
        FloatVector v0 = load(x, start + i);
        FloatVector v1 = load(x, start + i + L);
        FloatVector v2 = load(x, start + i + 2L * L);
        FloatVector v3 = load(x, start + i + 3L * L);
        store(v0, y, start + i);
        store(v1, y, start + i + L);
        store(v2, y, start + i + 2L * L);
        store(v3, y, start + i + 3L * L);
        FloatVector d0 = v0.sub(p);
        FloatVector d1 = v1.sub(p);
        FloatVector d2 = v2.sub(p);
        FloatVector d3 = v3.sub(p);
        s0 = s0.add(d0);
        s1 = s1.add(d1);
        s2 = s2.add(d2);
        s3 = s3.add(d3);
        q0 = d0.fma(d0, q0);
        q1 = d1.fma(d1, q1);
        q2 = d2.fma(d2, q2);
        q3 = d3.fma(d3, q3);
      }
      for (; i < n; i += L) {
        FloatVector v = load(x, start + i);
        store(v, y, start + i);
        FloatVector d = v.sub(p);
        s0 = s0.add(d);
        q0 = d.fma(d, q0);
      }
      s0.add(s1).add(s2.add(s3)).intoArray(lanes, row * L);
      q0.add(q1).add(q2.add(q3)).intoArray(lanes, second + row * L);
    }
  }

  /// Computes the same sums for s = x + addend, and writes s, to y too.
  static void addedDifferences(
      MemorySegment x,
      MemorySegment addend,
      MemorySegment s,
      MemorySegment y,
      long at,
      int width,
      int n,
      int count,
      float[] pivots,
      RowBlock block) {
    float[] lanes = block.lanes;
    int second = block.most() * L;
    int fours = n / (4 * L) * (4 * L);
    for (int row = 0; row < count; row++) {
      long start = at + (long) row * width;
      FloatVector p = FloatVector.broadcast(S, pivots[row]);
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
        FloatVector v0 = load(x, start + i).add(load(addend, start + i));
        FloatVector v1 = load(x, start + i + L).add(load(addend, start + i + L));
        FloatVector v2 = load(x, start + i + 2L * L).add(load(addend, start + i + 2L * L));
        FloatVector v3 = load(x, start + i + 3L * L).add(load(addend, start + i + 3L * L));
        store(v0, s, start + i);
        store(v1, s, start + i + L);
        store(v2, s, start + i + 2L * L);
        store(v3, s, start + i + 3L * L);
        store(v0, y, start + i);
        store(v1, y, start + i + L);
        store(v2, y, start + i + 2L * L);
        store(v3, y, start + i + 3L * L);
        FloatVector d0 = v0.sub(p);
        FloatVector d1 = v1.sub(p);
        FloatVector d2 = v2.sub(p);
        FloatVector d3 = v3.sub(p);
        s0 = s0.add(d0);
        s1 = s1.add(d1);
        s2 = s2.add(d2);
        s3 = s3.add(d3);
        q0 = d0.fma(d0, q0);
        q1 = d1.fma(d1, q1);
        q2 = d2.fma(d2, q2);
        q3 = d3.fma(d3, q3);
      }
      for (; i < n; i += L) {
        FloatVector v = load(x, start + i).add(load(addend, start + i));
        store(v, s, start + i);
        store(v, y, start + i);
        FloatVector d = v.sub(p);
        s0 = s0.add(d);
        q0 = d.fma(d, q0);
      }
      s0.add(s1).add(s2.add(s3)).intoArray(lanes, row * L);
      q0.add(q1).add(q2.add(q3)).intoArray(lanes, second + row * L);
    }
  }

  /// Replaces y by `((y − m)·r + c)·gain + bias` for all rows of a block, four vectors of each row
  /// at a time; n is a multiple of four vectors.
  static void normalizeColumns(
      MemorySegment y, RowBlock block, int count, int n, float[] gain, float[] bias) {
    long[] rows = block.rows;
    float[] mean = block.mean;
    float[] reciprocal = block.reciprocal;
    float[] lost = block.lost;
    for (int i = 0; i < n; i += 4 * L) {
      FloatVector g0 = FloatVector.fromArray(S, gain, i);
      FloatVector g1 = FloatVector.fromArray(S, gain, i + L);
      FloatVector g2 = FloatVector.fromArray(S, gain, i + 2 * L);
      FloatVector g3 = FloatVector.fromArray(S, gain, i + 3 * L);
      FloatVector b0 = FloatVector.fromArray(S, bias, i);
      FloatVector b1 = FloatVector.fromArray(S, bias, i + L);
      FloatVector b2 = FloatVector.fromArray(S, bias, i + 2 * L);
      FloatVector b3 = FloatVector.fromArray(S, bias, i + 3 * L);
      for (int k = 0; k < count; k++) {
        long at = rows[k] * n + i;
        FloatVector m = FloatVector.broadcast(S, mean[k]);
        FloatVector r = FloatVector.broadcast(S, reciprocal[k]);
        FloatVector c = FloatVector.broadcast(S, lost[k]);
        FloatVector y0 = load(y, at).sub(m).fma(r, c).fma(g0, b0);
        FloatVector y1 = load(y, at + L).sub(m).fma(r, c).fma(g1, b1);
        FloatVector y2 = load(y, at + 2L * L).sub(m).fma(r, c).fma(g2, b2);
        FloatVector y3 = load(y, at + 3L * L).sub(m).fma(r, c).fma(g3, b3);
        store(y0, y, at);
        store(y1, y, at + L);
        store(y2, y, at + 2L * L);
        store(y3, y, at + 3L * L);
      }
    }
  }

  /// Computes `y = ((x − m)·r + c)·gain + bias` four rows at a time, up to element `whole`, a
  /// multiple of the lanes. Of four rows all are read before the first is written, because the same
  /// row may occur twice and x may be y.
  static void normalizeRows(
      MemorySegment x,
      MemorySegment y,
      RowBlock block,
      int count,
      int n,
      int whole,
      float[] gain,
      float[] bias) {
    long[] rows = block.rows;
    float[] mean = block.mean;
    float[] reciprocal = block.reciprocal;
    float[] lost = block.lost;
    for (int k = 0; k < count; k += 4) {
      long a0 = rows[k] * n;
      long a1 = rows[k + 1] * n;
      long a2 = rows[k + 2] * n;
      long a3 = rows[k + 3] * n;
      FloatVector m0 = FloatVector.broadcast(S, mean[k]);
      FloatVector r0 = FloatVector.broadcast(S, reciprocal[k]);
      FloatVector c0 = FloatVector.broadcast(S, lost[k]);
      FloatVector m1 = FloatVector.broadcast(S, mean[k + 1]);
      FloatVector r1 = FloatVector.broadcast(S, reciprocal[k + 1]);
      FloatVector c1 = FloatVector.broadcast(S, lost[k + 1]);
      FloatVector m2 = FloatVector.broadcast(S, mean[k + 2]);
      FloatVector r2 = FloatVector.broadcast(S, reciprocal[k + 2]);
      FloatVector c2 = FloatVector.broadcast(S, lost[k + 2]);
      FloatVector m3 = FloatVector.broadcast(S, mean[k + 3]);
      FloatVector r3 = FloatVector.broadcast(S, reciprocal[k + 3]);
      FloatVector c3 = FloatVector.broadcast(S, lost[k + 3]);
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
}
