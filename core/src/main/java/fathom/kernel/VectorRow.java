package fathom.kernel;

import static fathom.kernel.FourRows.L;
import static fathom.kernel.FourRows.S;
import static fathom.kernel.FourRows.load;
import static fathom.kernel.FourRows.store;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// The equations of [RowNorm] on vector registers for one row at a time, for recurrent cells. A
/// cell has just written the row and is about to read it again, so the row lies in the first-level
/// cache, where four rows side by side ([VectorRowNorm]) would only push each other out.
///
/// A row consists of some gates of `hidden` units, each padded to `size`, a multiple of the lanes.
/// The padding is zero in every operand but the row itself and does not count in the row's
/// statistics: μ and 1/σ, two float64 numbers at element `at` of a `statistics` segment. An
/// instance keeps sums between calls, so only one thread at a time may use it.
public final class VectorRow {
  private final int size;
  private final int hidden;
  private final VectorMask<Float> tail;

  /// Σw and Σw·x̂ of the last call of [#sums].
  private float sum;

  private float along;

  /// Makes the kernel for gates of `hidden` units.
  public VectorRow(int hidden) {
    this.hidden = hidden;
    this.size = padded(hidden);
    int last = hidden % L;
    this.tail = VectorMask.fromLong(S, last == 0 ? -1L : (1L << last) - 1);
  }

  /// Returns `hidden` rounded up to a multiple of the lanes.
  public static int padded(int hidden) {
    return (hidden + L - 1) / L * L;
  }

  /// Writes the mean and the reciprocal standard deviation over the elements of `gates` gates,
  /// which start at element `from` of `a`. The first pass estimates the mean; the padding adds
  /// nothing to it. The second pass sums the differences from that estimate, so that a large mean
  /// does not swallow a small standard deviation.
  ///
  /// Both passes are in this one method, which makes it too long for the compiler to inline into
  /// its callers. Inlined, it would push them past the limit beyond which vectors become objects.
  public void moments(
      MemorySegment a, long from, int gates, double epsilon, MemorySegment statistics, long at) {
    double count = (double) gates * hidden;
    FloatVector s = FloatVector.zero(S);
    FloatVector q = s;
    int length = gates * size;
    int first = 0;
    for (; first + L < length; first += 2 * L) {
      s = s.add(load(a, from + first));
      q = q.add(load(a, from + first + L));
    }
    if (first < length) {
      s = s.add(load(a, from + first));
    }
    float pivot = (float) (Lanes.total(s.add(q)) / count);
    FloatVector p = FloatVector.broadcast(S, pivot);
    s = FloatVector.zero(S);
    q = s;
    int whole = hidden / L * L;
    for (int gate = 0; gate < gates; gate++) {
      long start = from + (long) gate * size;
      for (int j = 0; j < whole; j += L) {
        FloatVector d = load(a, start + j).sub(p);
        s = s.add(d);
        q = d.fma(d, q);
      }
      if (whole < hidden) {
        FloatVector d = FloatVector.zero(S).blend(load(a, start + whole).sub(p), tail);
        s = s.add(d);
        q = d.fma(d, q);
      }
    }
    double shift = Lanes.total(s) / count;
    double variance = Lanes.total(q) / count - shift * shift;
    statistics.setAtIndex(JAVA_DOUBLE, at, pivot + shift);
    statistics.setAtIndex(JAVA_DOUBLE, at + 1, 1 / Math.sqrt(Math.max(0, variance) + epsilon));
  }

  /// Computes Σw and Σw·x̂ for w = dz·gain over the elements `from .. to-1` of the row that begins
  /// at element `row` of `a`, and keeps them for [#meanW], [#meanWNormal] and [#back]. Adds dz·x̂
  /// to `dgain` and dz to `dbias`.
  public void sums(
      long row,
      int from,
      int to,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      MemorySegment statistics,
      long at,
      float[] dgain,
      float[] dbias) {
    FloatVector mean = mean(statistics, at);
    FloatVector reciprocal = reciprocal(statistics, at);
    FloatVector lost = lost(statistics, at);
    FloatVector s = FloatVector.zero(S);
    FloatVector q = s;
    for (int k = from; k < to; k += L) {
      FloatVector normal = load(a, row + k).sub(mean).fma(reciprocal, lost);
      FloatVector d = FloatVector.fromArray(S, dz, k);
      FloatVector w = d.mul(load(gain, k));
      s = s.add(w);
      q = w.fma(normal, q);
      d.fma(normal, FloatVector.fromArray(S, dgain, k)).intoArray(dgain, k);
      d.add(FloatVector.fromArray(S, dbias, k)).intoArray(dbias, k);
    }
    sum = Lanes.total(s);
    along = Lanes.total(q);
  }

  /// Returns mean(w) over `count` elements, from the last call of [#sums].
  public float meanW(float count) {
    return sum / count;
  }

  /// Returns mean(w·x̂) over `count` elements, from the last call of [#sums].
  public float meanWNormal(float count) {
    return along / count;
  }

  /// Replaces the elements `from .. to-1` of a row by their cotangents, (w − mean(w) −
  /// x̂·mean(w·x̂))/σ. The last call of [#sums] must have been for the same elements.
  public void back(
      long row,
      int from,
      int to,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      MemorySegment statistics,
      long at) {
    int gates = (to - from) / size;
    float count = (float) gates * hidden;
    FloatVector mean = mean(statistics, at);
    FloatVector reciprocal = reciprocal(statistics, at);
    FloatVector lost = lost(statistics, at);
    FloatVector va = FloatVector.broadcast(S, -meanW(count));
    FloatVector vb = FloatVector.broadcast(S, -meanWNormal(count));
    for (int k = from; k < to; k += L) {
      FloatVector normal = load(a, row + k).sub(mean).fma(reciprocal, lost);
      FloatVector w = FloatVector.fromArray(S, dz, k).fma(load(gain, k), va);
      store(normal.fma(vb, w).mul(reciprocal), a, row + k);
    }
  }

  /// The backward pass of a row that is not normalized: replaces its elements `from .. to-1` by
  /// their cotangents dz, and adds dz to `dbias`.
  public static void backOfNone(
      long row, int from, int to, MemorySegment a, float[] dz, float[] dbias) {
    for (int k = from; k < to; k += L) {
      FloatVector d = FloatVector.fromArray(S, dz, k);
      d.add(FloatVector.fromArray(S, dbias, k)).intoArray(dbias, k);
      store(d, a, row + k);
    }
  }

  /// Returns m of `x̂ = (a − m)·r + c` in all lanes: the mean, rounded to float32.
  public static FloatVector mean(MemorySegment statistics, long at) {
    return FloatVector.broadcast(S, (float) statistics.getAtIndex(JAVA_DOUBLE, at));
  }

  /// Returns r of `x̂ = (a − m)·r + c` in all lanes: the reciprocal standard deviation.
  public static FloatVector reciprocal(MemorySegment statistics, long at) {
    return FloatVector.broadcast(S, (float) statistics.getAtIndex(JAVA_DOUBLE, at + 1));
  }

  /// Returns c of `x̂ = (a − m)·r + c` in all lanes: what the mean loses when it is rounded to
  /// float32, divided by the standard deviation.
  public static FloatVector lost(MemorySegment statistics, long at) {
    double mean = statistics.getAtIndex(JAVA_DOUBLE, at);
    double reciprocal = statistics.getAtIndex(JAVA_DOUBLE, at + 1);
    return FloatVector.broadcast(S, FourRows.lost(mean, reciprocal));
  }
}
