package fathom.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.kernel.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/// [ScalarCell] on vector registers, in float32. The units are a multiple of the lanes; those that
/// were added to make them so have weights and gains of zero and are left out of the statistics.
///
/// One row at a time, so that what one loop writes the next one finds in the first-level cache.
/// Nothing is allocated: what a row needs for a moment stands in arrays of this object, which
/// belongs to one forward and its way back.
final class VectorCell implements Cell {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int SIGMOID = 0;
  private static final int TANH = 1;

  private final int size;
  private final int hidden;
  private final VectorMask<Float> tail;

  /// Cotangents in front of the norms of the input's and of the recurrent part, G each.
  private final float[] dx;

  private final float[] dh;

  /// Cotangents of H units each.
  private final float[] dstate;

  private final float[] dnormed;

  /// Sums over the rows of one step, in the order of [CellGradients].
  private final float[] gainX;

  private final float[] biasX;
  private final float[] gainH;
  private final float[] biasH;
  private final float[] gainC;
  private final float[] biasC;

  /// Σg and Σg·x̂ of the loop that ran last.
  private float sum;

  private float along;

  VectorCell(Kind kind, int hidden, int padded) {
    this.size = padded;
    this.hidden = hidden;
    int last = hidden % L;
    this.tail = VectorMask.fromLong(S, last == 0 ? -1L : (1L << last) - 1);
    int width = kind.gates() * padded;
    this.dx = new float[width];
    this.dh = new float[width];
    this.dstate = new float[padded];
    this.dnormed = new float[padded];
    this.gainX = new float[width];
    this.biasX = new float[width];
    this.gainH = new float[width];
    this.biasH = new float[width];
    this.gainC = new float[padded];
    this.biasC = new float[padded];
  }

  /// H rounded up to what this class works on.
  static int padded(int hidden) {
    return (hidden + L - 1) / L * L;
  }

  @Override
  public void forward(Unrolled u, int t) {
    for (int n = 0; n < u.count(); n++) {
      if (!u.active(t, n)) {
        copy(u.h(), u.row(t, n) * size, u.row(t + 1, n) * size);
        if (u.kind() == Kind.LSTM) {
          copy(u.c(), u.row(t, n) * size, u.row(t + 1, n) * size);
        }
        continue;
      }
      switch (u.kind()) {
        case RNN -> rnn(u, t, n);
        case LSTM -> lstm(u, t, n);
        case GRU -> gru(u, t, n);
      }
    }
  }

  private void copy(MemorySegment memory, long from, long to) {
    MemorySegment.copy(memory, from << 2, memory, to << 2, (long) size << 2);
  }

  private void rnn(Unrolled u, int t, int n) {
    long a = u.row(t, n) * size;
    for (int j = 0; j < size; j += L) { // the sum takes the place of the input's part
      store(load(u.ax(), a + j).add(load(u.ah(), a + j)), u.ax(), a + j);
    }
    moments(u, t, n, 0, u.ax());
    long at = u.statistic(t, n, 0, 0);
    FloatVector mean = mean(u.statistics(), at);
    FloatVector reciprocal = reciprocal(u.statistics(), at);
    FloatVector rest = rest(u.statistics(), at);
    MemorySegment gain = u.weights().gainX();
    MemorySegment bias = u.weights().biasX();
    for (int j = 0; j < size; j += L) {
      FloatVector normal = load(u.ax(), a + j).sub(mean).fma(reciprocal, rest);
      store(
          Lanes.tanh(normal.fma(load(gain, j), load(bias, j))), u.h(), u.row(t + 1, n) * size + j);
    }
  }

  private void lstm(Unrolled u, int t, int n) {
    moments(u, t, n, 0, u.ax());
    moments(u, t, n, 1, u.ah());
    gate(u, t, n, 0, SIGMOID);
    gate(u, t, n, 1, SIGMOID);
    gate(u, t, n, 2, SIGMOID);
    gate(u, t, n, 3, TANH);
    MemorySegment gates = u.gates();
    MemorySegment c = u.c();
    long g = u.row(t, n) * u.width();
    long before = u.row(t, n) * size;
    long after = u.row(t + 1, n) * size;
    for (int j = 0; j < size; j += L) {
      FloatVector written = load(gates, g + j).mul(load(gates, g + 3L * size + j));
      store(load(gates, g + size + j).fma(load(c, before + j), written), c, after + j);
    }
    if (u.norm() == GateNorm.NONE) {
      none(u.statistics(), u.cellStatistic(t, n));
    } else {
      moments(c, after, 1, u.epsilon(), u.statistics(), u.cellStatistic(t, n));
    }
    readOut(u, t, n);
  }

  private void readOut(Unrolled u, int t, int n) {
    MemorySegment c = u.c();
    MemorySegment readOut = u.readOut();
    MemorySegment gain = u.weights().gainC();
    MemorySegment bias = u.weights().biasC();
    long at = u.cellStatistic(t, n);
    FloatVector mean = mean(u.statistics(), at);
    FloatVector reciprocal = reciprocal(u.statistics(), at);
    FloatVector rest = rest(u.statistics(), at);
    long row = u.row(t, n) * size;
    long after = u.row(t + 1, n) * size;
    long o = u.row(t, n) * u.width() + 2L * size;
    for (int j = 0; j < size; j += L) {
      FloatVector normal = load(c, after + j).sub(mean).fma(reciprocal, rest);
      FloatVector y = Lanes.tanh(normal.fma(load(gain, j), load(bias, j)));
      store(y, readOut, row + j);
      store(y.mul(load(u.gates(), o + j)), u.h(), after + j);
    }
  }

  private void gru(Unrolled u, int t, int n) {
    moments(u, t, n, 0, u.ax());
    moments(u, t, n, 1, u.ah());
    gate(u, t, n, 0, SIGMOID);
    gate(u, t, n, 1, SIGMOID);
    MemorySegment gates = u.gates();
    MemorySegment statistics = u.statistics();
    CellWeights w = u.weights();
    long atX = u.statistic(t, n, 0, 2);
    long atH = u.statistic(t, n, 1, 2);
    FloatVector meanX = mean(statistics, atX);
    FloatVector reciprocalX = reciprocal(statistics, atX);
    FloatVector restX = rest(statistics, atX);
    FloatVector meanH = mean(statistics, atH);
    FloatVector reciprocalH = reciprocal(statistics, atH);
    FloatVector restH = rest(statistics, atH);
    long g = u.row(t, n) * u.width();
    long before = u.row(t, n) * size;
    long after = u.row(t + 1, n) * size;
    for (int j = 0; j < size; j += L) {
      int k = 2 * size + j;
      FloatVector x =
          load(u.ax(), g + k)
              .sub(meanX)
              .fma(reciprocalX, restX)
              .fma(load(w.gainX(), k), load(w.biasX(), k));
      FloatVector recurrent =
          load(u.ah(), g + k)
              .sub(meanH)
              .fma(reciprocalH, restH)
              .fma(load(w.gainH(), k), load(w.biasH(), k));
      FloatVector candidate = Lanes.tanh(load(gates, g + size + j).fma(recurrent, x));
      store(candidate, gates, g + k);
      FloatVector h = load(u.h(), before + j);
      store(load(gates, g + j).fma(candidate.sub(h), h), u.h(), after + j);
    }
  }

  /// A gate from its two parts and through its non-linearity.
  private void gate(Unrolled u, int t, int n, int gate, int function) {
    MemorySegment ax = u.ax();
    MemorySegment ah = u.ah();
    MemorySegment gates = u.gates();
    MemorySegment statistics = u.statistics();
    CellWeights w = u.weights();
    MemorySegment wx = w.gainX();
    MemorySegment wh = w.gainH();
    MemorySegment bx = w.biasX();
    MemorySegment bh = w.biasH();
    long atX = u.statistic(t, n, 0, gate);
    long atH = u.statistic(t, n, 1, gate);
    FloatVector meanX = mean(statistics, atX);
    FloatVector reciprocalX = reciprocal(statistics, atX);
    FloatVector restX = rest(statistics, atX);
    FloatVector meanH = mean(statistics, atH);
    FloatVector reciprocalH = reciprocal(statistics, atH);
    FloatVector restH = rest(statistics, atH);
    long row = u.row(t, n) * u.width();
    int end = (gate + 1) * size;
    for (int k = gate * size; k < end; k += L) {
      FloatVector x = load(ax, row + k).sub(meanX).fma(reciprocalX, restX);
      FloatVector h = load(ah, row + k).sub(meanH).fma(reciprocalH, restH);
      FloatVector z = x.fma(load(wx, k), h.fma(load(wh, k), load(bx, k).add(load(bh, k))));
      store(function == SIGMOID ? Lanes.sigmoid(z) : Lanes.tanh(z), gates, row + k);
    }
  }

  /// The statistics of one part of every gate.
  private void moments(Unrolled u, int t, int n, int part, MemorySegment a) {
    int gates = u.kind().gates();
    for (int from = 0; from < gates; from = u.groupEnd(from)) {
      int to = u.groupEnd(from);
      long at = u.statistic(t, n, part, from);
      if (u.norm() == GateNorm.NONE) {
        none(u.statistics(), at);
      } else {
        moments(
            a,
            u.row(t, n) * u.width() + (long) from * size,
            to - from,
            u.epsilon(),
            u.statistics(),
            at);
        for (int gate = from + 1; gate < to; gate++) {
          MemorySegment.copy(
              u.statistics(), at << 3, u.statistics(), u.statistic(t, n, part, gate) << 3, 16);
        }
      }
    }
  }

  private static void none(MemorySegment statistics, long at) {
    statistics.setAtIndex(JAVA_DOUBLE, at, 0);
    statistics.setAtIndex(JAVA_DOUBLE, at + 1, 1);
  }

  /// Mean and reciprocal deviation over so many gates. The first pass finds about where the mean
  /// is, the second sums what is left, so that a large mean does not swallow a small deviation.
  private void moments(
      MemorySegment a, long from, int gates, double epsilon, MemorySegment statistics, long at) {
    double count = (double) gates * hidden;
    float pivot = (float) (total(a, from, gates * size) / count);
    FloatVector p = FloatVector.broadcast(S, pivot);
    FloatVector s = FloatVector.zero(S);
    FloatVector q = s;
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

  /// The units that were added are zero and add nothing.
  private static float total(MemorySegment a, long from, int length) {
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    int j = 0;
    for (; j + L < length; j += 2 * L) {
      s0 = s0.add(load(a, from + j));
      s1 = s1.add(load(a, from + j + L));
    }
    if (j < length) {
      s0 = s0.add(load(a, from + j));
    }
    return Lanes.total(s0.add(s1));
  }

  @Override
  public void backward(
      Unrolled u,
      int t,
      MemorySegment dy,
      MemorySegment product,
      MemorySegment carry,
      MemorySegment dc,
      CellGradients gradients) {
    for (int n = 0; n < u.count(); n++) {
      long here = (long) n * size;
      long row = u.row(t, n) * size;
      for (int j = 0; j < size; j += L) {
        load(dy, row + j)
            .add(load(product, here + j))
            .add(load(carry, here + j))
            .intoArray(dstate, j);
      }
      if (!u.active(t, n)) {
        MemorySegment.copy(dstate, 0, carry, JAVA_FLOAT, here << 2, size);
        long bytes = (long) u.width() << 2;
        u.ax().asSlice(u.row(t, n) * bytes, bytes).fill((byte) 0);
        u.ah().asSlice(u.row(t, n) * bytes, bytes).fill((byte) 0);
        continue;
      }
      switch (u.kind()) {
        case RNN -> rnnBack(u, t, n, carry);
        case LSTM -> lstmBack(u, t, n, carry, dc);
        case GRU -> gruBack(u, t, n, carry);
      }
    }
    flush(gainX, gradients.gainX());
    flush(biasX, gradients.biasX());
    if (u.kind() != Kind.RNN) {
      flush(gainH, gradients.gainH());
      flush(biasH, gradients.biasH());
    }
    if (u.kind() == Kind.LSTM) {
      flush(gainC, gradients.gainC());
      flush(biasC, gradients.biasC());
    }
  }

  private static void flush(float[] sums, double[] to) {
    for (int i = 0; i < sums.length; i++) {
      to[i] += sums[i];
    }
    Arrays.fill(sums, 0);
  }

  private void rnnBack(Unrolled u, int t, int n, MemorySegment carry) {
    FloatVector one = FloatVector.broadcast(S, 1);
    FloatVector zero = FloatVector.zero(S);
    long after = u.row(t + 1, n) * size;
    for (int j = 0; j < size; j += L) {
      FloatVector h = load(u.h(), after + j);
      FloatVector.fromArray(S, dstate, j).mul(one.sub(h.mul(h))).intoArray(dx, j);
      store(zero, carry, (long) n * size + j);
    }
    normalizedBack(u, t, n, 0, u.ax(), dx, u.weights().gainX(), gainX, biasX);
    long row = u.row(t, n) * size;
    MemorySegment.copy(u.ax(), row << 2, u.ah(), row << 2, (long) size << 2);
  }

  private void lstmBack(Unrolled u, int t, int n, MemorySegment carry, MemorySegment dc) {
    MemorySegment gates = u.gates();
    MemorySegment c = u.c();
    long g = u.row(t, n) * u.width();
    long here = (long) n * size;
    long after = u.row(t + 1, n) * size;
    long before = u.row(t, n) * size;
    FloatVector one = FloatVector.broadcast(S, 1);
    FloatVector zero = FloatVector.zero(S);
    for (int j = 0; j < size; j += L) {
      FloatVector o = load(gates, g + 2L * size + j);
      FloatVector readOut = load(u.readOut(), before + j);
      FloatVector d = FloatVector.fromArray(S, dstate, j);
      d.mul(readOut).mul(o.mul(one.sub(o))).intoArray(dx, 2 * size + j);
      d.mul(o).mul(one.sub(readOut.mul(readOut))).intoArray(dnormed, j);
      store(zero, carry, here + j);
    }
    long at = u.cellStatistic(t, n);
    FloatVector mean = mean(u.statistics(), at);
    FloatVector reciprocal = reciprocal(u.statistics(), at);
    FloatVector rest = rest(u.statistics(), at);
    MemorySegment gain = u.weights().gainC();
    FloatVector s = zero;
    FloatVector q = zero;
    for (int j = 0; j < size; j += L) {
      FloatVector normal = load(c, after + j).sub(mean).fma(reciprocal, rest);
      FloatVector d = FloatVector.fromArray(S, dnormed, j);
      FloatVector w = d.mul(load(gain, j));
      s = s.add(w);
      q = w.fma(normal, q);
      d.fma(normal, FloatVector.fromArray(S, gainC, j)).intoArray(gainC, j);
      d.add(FloatVector.fromArray(S, biasC, j)).intoArray(biasC, j);
    }
    boolean normed = u.norm() != GateNorm.NONE;
    float a = normed ? Lanes.total(s) / hidden : 0;
    float b = normed ? Lanes.total(q) / hidden : 0;
    FloatVector va = FloatVector.broadcast(S, -a);
    FloatVector vb = FloatVector.broadcast(S, -b);
    for (int j = 0; j < size; j += L) {
      FloatVector i = load(gates, g + j);
      FloatVector f = load(gates, g + size + j);
      FloatVector z = load(gates, g + 3L * size + j);
      FloatVector normal = load(c, after + j).sub(mean).fma(reciprocal, rest);
      FloatVector w = FloatVector.fromArray(S, dnormed, j).mul(load(gain, j));
      FloatVector d = normal.fma(vb, w.add(va)).fma(reciprocal, load(dc, here + j));
      d.mul(z).mul(i.mul(one.sub(i))).intoArray(dx, j);
      d.mul(load(c, before + j)).mul(f.mul(one.sub(f))).intoArray(dx, size + j);
      d.mul(i).mul(one.sub(z.mul(z))).intoArray(dx, 3 * size + j);
      store(d.mul(f), dc, here + j);
    }
    normalizedBack(u, t, n, 0, u.ax(), dx, u.weights().gainX(), gainX, biasX);
    normalizedBack(u, t, n, 1, u.ah(), dx, u.weights().gainH(), gainH, biasH);
  }

  private void gruBack(Unrolled u, int t, int n, MemorySegment carry) {
    MemorySegment gates = u.gates();
    CellWeights w = u.weights();
    long g = u.row(t, n) * u.width();
    long here = (long) n * size;
    long before = u.row(t, n) * size;
    long at = u.statistic(t, n, 1, 2);
    FloatVector mean = mean(u.statistics(), at);
    FloatVector reciprocal = reciprocal(u.statistics(), at);
    FloatVector rest = rest(u.statistics(), at);
    FloatVector one = FloatVector.broadcast(S, 1);
    for (int j = 0; j < size; j += L) {
      int k = 2 * size + j;
      FloatVector z = load(gates, g + j);
      FloatVector r = load(gates, g + size + j);
      FloatVector candidate = load(gates, g + k);
      FloatVector recurrent =
          load(u.ah(), g + k)
              .sub(mean)
              .fma(reciprocal, rest)
              .fma(load(w.gainH(), k), load(w.biasH(), k));
      FloatVector d = FloatVector.fromArray(S, dstate, j);
      FloatVector dz = d.mul(candidate.sub(load(u.h(), before + j))).mul(z.mul(one.sub(z)));
      FloatVector dcandidate = d.mul(z).mul(one.sub(candidate.mul(candidate)));
      FloatVector dr = dcandidate.mul(recurrent).mul(r.mul(one.sub(r)));
      dz.intoArray(dx, j);
      dz.intoArray(dh, j);
      dr.intoArray(dx, size + j);
      dr.intoArray(dh, size + j);
      dcandidate.intoArray(dx, k);
      dcandidate.mul(r).intoArray(dh, k);
      store(d.mul(one.sub(z)), carry, here + j);
    }
    normalizedBack(u, t, n, 0, u.ax(), dx, w.gainX(), gainX, biasX);
    normalizedBack(u, t, n, 1, u.ah(), dh, w.gainH(), gainH, biasH);
  }

  /// Replaces a part by its cotangent.
  private void normalizedBack(
      Unrolled u,
      int t,
      int n,
      int part,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      float[] dgain,
      float[] dbias) {
    int gates = u.kind().gates();
    for (int from = 0; from < gates; from = u.groupEnd(from)) {
      int to = u.groupEnd(from);
      long row = u.row(t, n) * u.width();
      long at = u.statistic(t, n, part, from);
      FloatVector mean = mean(u.statistics(), at);
      FloatVector reciprocal = reciprocal(u.statistics(), at);
      FloatVector rest = rest(u.statistics(), at);
      if (u.norm() == GateNorm.NONE) {
        none(row, from * size, to * size, a, dz, dbias);
      } else {
        sums(row, from * size, to * size, a, dz, gain, mean, reciprocal, rest, dgain, dbias);
        float count = (float) (to - from) * hidden;
        apply(row, from * size, to * size, a, dz, gain, mean, reciprocal, rest, count);
      }
    }
  }

  private static void none(long row, int from, int to, MemorySegment a, float[] dz, float[] dbias) {
    for (int k = from; k < to; k += L) {
      FloatVector d = FloatVector.fromArray(S, dz, k);
      d.add(FloatVector.fromArray(S, dbias, k)).intoArray(dbias, k);
      store(d, a, row + k);
    }
  }

  private void sums(
      long row,
      int from,
      int to,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      FloatVector mean,
      FloatVector reciprocal,
      FloatVector rest,
      float[] dgain,
      float[] dbias) {
    FloatVector s = FloatVector.zero(S);
    FloatVector q = s;
    for (int k = from; k < to; k += L) {
      FloatVector normal = load(a, row + k).sub(mean).fma(reciprocal, rest);
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

  private void apply(
      long row,
      int from,
      int to,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      FloatVector mean,
      FloatVector reciprocal,
      FloatVector rest,
      float count) {
    FloatVector va = FloatVector.broadcast(S, -sum / count);
    FloatVector vb = FloatVector.broadcast(S, -along / count);
    for (int k = from; k < to; k += L) {
      FloatVector normal = load(a, row + k).sub(mean).fma(reciprocal, rest);
      FloatVector w = FloatVector.fromArray(S, dz, k).fma(load(gain, k), va);
      store(normal.fma(vb, w).mul(reciprocal), a, row + k);
    }
  }

  private static FloatVector mean(MemorySegment statistics, long at) {
    return FloatVector.broadcast(S, (float) statistics.getAtIndex(JAVA_DOUBLE, at));
  }

  private static FloatVector reciprocal(MemorySegment statistics, long at) {
    return FloatVector.broadcast(S, (float) statistics.getAtIndex(JAVA_DOUBLE, at + 1));
  }

  /// What the mean loses when it is rounded to float32, over the deviation.
  private static FloatVector rest(MemorySegment statistics, long at) {
    double mean = statistics.getAtIndex(JAVA_DOUBLE, at);
    double reciprocal = statistics.getAtIndex(JAVA_DOUBLE, at + 1);
    return FloatVector.broadcast(S, (float) (((float) mean - mean) * reciprocal));
  }

  private static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  private static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }
}
