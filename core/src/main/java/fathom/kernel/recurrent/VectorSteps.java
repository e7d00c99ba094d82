package fathom.kernel.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.Tensor;
import fathom.kernel.Lanes;
import fathom.kernel.VectorRow;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Function;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// The part that all cells on vector registers share, in float32. The number of units is a multiple
/// of the lanes; the units that were added for this have weights and gains of zero.
///
/// Rows are processed one at a time, so that the data one loop writes is in the first-level cache
/// for the next. A step allocates nothing: temporary data of a row is in arrays of this object.
final class VectorSteps implements Cell {
  /// The equations of a cell for one sequence at one time, at which the sequence has not ended.
  interface Row {
    void forward(int t, int n);

    /// Goes back through the step. `dstate` holds the cotangent of the hidden state after t.
    void backward(int t, int n, MemorySegment carry, MemorySegment dc);
  }

  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  static final int L = S.length();
  private static final int SIGMOID = 0;
  private static final int TANH = 1;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  final Unrolled u;
  final int size;
  final VectorRow norm;
  final MemorySegment ax;
  final MemorySegment ah;
  final MemorySegment h;
  final MemorySegment c;

  /// The gates after their non-linearities, T×N×G.
  final MemorySegment gates;

  /// tanh of the cell state, after its norm if there is one, T×N×H; empty without a cell state.
  final MemorySegment readOut;

  final Statistics places;
  final MemorySegment statistics;
  final MemorySegment gainX;
  final MemorySegment biasX;
  final MemorySegment gainH;
  final MemorySegment biasH;
  final MemorySegment gainC;
  final MemorySegment biasC;

  /// The cotangents of the normalized input part and of the normalized recurrent part, G each.
  final float[] dx;

  final float[] dh;

  /// Cotangents of H units each.
  final float[] dstate;

  final float[] dnormed;

  /// Sums over the rows of one step, in the order of [CellGradients].
  final float[] dgainX;

  final float[] dbiasX;
  final float[] dgainH;
  final float[] dbiasH;
  final float[] dgainC;
  final float[] dbiasC;

  private final float[][] ofStep;

  /// Sums over the steps, in the order of [CellGradients].
  private final double[][] sums;

  private final Row row;

  VectorSteps(Unrolled u, Function<VectorSteps, Row> cell) {
    this.u = u;
    this.size = u.padded();
    this.norm = new VectorRow(u.hidden());
    this.ax = u.ax().segment();
    this.ah = u.ah().segment();
    this.h = u.h().segment();
    this.c = u.c().segment();
    int width = u.width();
    this.gates = Tensor.empty(u.type(), u.steps(), u.count(), width).segment();
    boolean cells = u.c().shape().size(0) > 0;
    this.readOut = Tensor.empty(u.type(), cells ? u.steps() : 0, u.count(), size).segment();
    this.places = Statistics.of(u);
    this.statistics = places.memory();
    CellWeights weights = u.weights();
    this.gainX = weights.gainX().segment();
    this.biasX = weights.biasX().segment();
    this.gainH = weights.gainH().segment();
    this.biasH = weights.biasH().segment();
    this.gainC = weights.gainC().segment();
    this.biasC = weights.biasC().segment();
    this.dx = new float[width];
    this.dh = new float[width];
    this.dstate = new float[size];
    this.dnormed = new float[size];
    this.dgainX = new float[width];
    this.dbiasX = new float[width];
    this.dgainH = new float[width];
    this.dbiasH = new float[width];
    this.dgainC = new float[size];
    this.dbiasC = new float[size];
    this.ofStep = new float[][] {dgainX, dbiasX, dgainH, dbiasH, dgainC, dbiasC};
    this.sums =
        new double[][] {
          new double[width],
          new double[width],
          new double[width],
          new double[width],
          new double[size],
          new double[size]
        };
    this.row = cell.apply(this);
  }

  @Override
  public void forward(int t) {
    for (int n = 0; n < u.count(); n++) {
      if (u.active(t, n)) {
        row.forward(t, n);
        continue;
      }
      copy(h, u.row(t, n) * size, u.row(t + 1, n) * size);
      if (c.byteSize() > 0) {
        copy(c, u.row(t, n) * size, u.row(t + 1, n) * size);
      }
    }
  }

  private void copy(MemorySegment memory, long from, long to) {
    MemorySegment.copy(memory, from << 2, memory, to << 2, (long) size << 2);
  }

  @Override
  public void backward(int t, Tensor dy, Back back) {
    MemorySegment cotangents = dy.segment();
    MemorySegment product = back.product().segment();
    MemorySegment carry = back.carry().segment();
    MemorySegment dc = back.dc().segment();
    for (int n = 0; n < u.count(); n++) {
      sum(cotangents, u.row(t, n) * size, product, carry, (long) n * size);
      if (u.active(t, n)) {
        row.backward(t, n, carry, dc);
        continue;
      }
      MemorySegment.copy(dstate, 0, carry, JAVA_FLOAT, ((long) n * size) << 2, size);
      long bytes = (long) u.width() << 2;
      ax.asSlice(u.row(t, n) * bytes, bytes).fill((byte) 0);
      ah.asSlice(u.row(t, n) * bytes, bytes).fill((byte) 0);
    }
    for (int i = 0; i < sums.length; i++) {
      flush(ofStep[i], sums[i]);
    }
  }

  private void sum(
      MemorySegment dy, long at, MemorySegment product, MemorySegment carry, long here) {
    for (int j = 0; j < size; j += L) {
      load(dy, at + j).add(load(product, here + j)).add(load(carry, here + j)).intoArray(dstate, j);
    }
  }

  private static void flush(float[] sums, double[] to) {
    for (int i = 0; i < sums.length; i++) {
      to[i] += sums[i];
    }
    Arrays.fill(sums, 0);
  }

  @Override
  public CellGradients gradients() {
    return new CellGradients(tensor(0), tensor(1), tensor(2), tensor(3), tensor(4), tensor(5));
  }

  private Tensor tensor(int which) {
    return Tensor.of(sums[which], sums[which].length);
  }

  /// Computes the statistics of one part of every gate: 0 is the input's part, 1 the recurrent
  /// part.
  void moments(int t, int n, int part, MemorySegment a) {
    for (int from = 0; from < u.gates(); from = u.end(from)) {
      int to = u.end(from);
      long at = places.of(t, n, part, from);
      if (!u.normed()) {
        none(at);
        continue;
      }
      long start = u.row(t, n) * u.width() + (long) from * size;
      norm.moments(a, start, to - from, u.epsilon(), statistics, at);
      for (int gate = from + 1; gate < to; gate++) {
        MemorySegment.copy(statistics, at << 3, statistics, places.of(t, n, part, gate) << 3, 16);
      }
    }
  }

  /// Writes the statistics that change nothing: mean 0 and standard deviation 1.
  void none(long at) {
    statistics.setAtIndex(JAVA_DOUBLE, at, 0);
    statistics.setAtIndex(JAVA_DOUBLE, at + 1, 1);
  }

  void sigmoidGate(int t, int n, int gate) {
    gate(t, n, gate, SIGMOID);
  }

  void tanhGate(int t, int n, int gate) {
    gate(t, n, gate, TANH);
  }

  /// Computes a gate: the sum of its two parts, through its non-linearity.
  private void gate(int t, int n, int gate, int function) {
    MemorySegment ax = this.ax;
    MemorySegment ah = this.ah;
    MemorySegment gates = this.gates;
    MemorySegment wx = gainX;
    MemorySegment wh = gainH;
    MemorySegment bx = biasX;
    MemorySegment bh = biasH;
    long atX = places.of(t, n, 0, gate);
    long atH = places.of(t, n, 1, gate);
    FloatVector meanX = mean(atX);
    FloatVector reciprocalX = reciprocal(atX);
    FloatVector lostX = lost(atX);
    FloatVector meanH = mean(atH);
    FloatVector reciprocalH = reciprocal(atH);
    FloatVector lostH = lost(atH);
    long row = u.row(t, n) * u.width();
    int end = (gate + 1) * size;
    for (int k = gate * size; k < end; k += L) {
      FloatVector x = load(ax, row + k).sub(meanX).fma(reciprocalX, lostX);
      FloatVector h = load(ah, row + k).sub(meanH).fma(reciprocalH, lostH);
      FloatVector z = x.fma(load(wx, k), h.fma(load(wh, k), load(bx, k).add(load(bh, k))));
      store(function == SIGMOID ? Lanes.sigmoid(z) : Lanes.tanh(z), gates, row + k);
    }
  }

  /// Replaces a part by its cotangent.
  void normalizedBack(
      int t,
      int n,
      int part,
      MemorySegment a,
      float[] dz,
      MemorySegment gain,
      float[] dgain,
      float[] dbias) {
    for (int from = 0; from < u.gates(); from = u.end(from)) {
      int to = u.end(from);
      long row = u.row(t, n) * u.width();
      long at = places.of(t, n, part, from);
      if (u.normed()) {
        norm.sums(row, from * size, to * size, a, dz, gain, statistics, at, dgain, dbias);
        norm.back(row, from * size, to * size, a, dz, gain, statistics, at);
      } else {
        VectorRow.backOfNone(row, from * size, to * size, a, dz, dbias);
      }
    }
  }

  FloatVector mean(long at) {
    return VectorRow.mean(statistics, at);
  }

  FloatVector reciprocal(long at) {
    return VectorRow.reciprocal(statistics, at);
  }

  FloatVector lost(long at) {
    return VectorRow.lost(statistics, at);
  }

  static FloatVector load(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(S, memory, at << 2, ORDER);
  }

  static void store(FloatVector v, MemorySegment memory, long at) {
    v.intoMemorySegment(memory, at << 2, ORDER);
  }
}
