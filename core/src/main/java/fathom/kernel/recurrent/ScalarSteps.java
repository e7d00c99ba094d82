package fathom.kernel.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import fathom.Tensor;
import fathom.kernel.ScalarRowNorm;
import fathom.kernel.ScalarRowNorm.Moments;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Function;

/// The part that the specifications of all cells share: it takes a layer's step for one sequence
/// after the other, number by number in double precision. Float64 tensors are computed by it.
final class ScalarSteps implements Cell {
  /// The equations of a cell for one sequence at one time, at which the sequence has not ended.
  interface Row {
    void forward(int t, int n);

    /// Goes back through the step.
    ///
    /// @param dh the cotangent of the hidden state after t
    void backward(int t, int n, double[] dh, MemorySegment carry, MemorySegment dc);
  }

  final Unrolled u;

  /// The number of units. The specification needs no padding.
  final int size;

  final MemorySegment ax;
  final MemorySegment ah;
  final MemorySegment h;
  final MemorySegment c;

  /// The gates after their non-linearities, T×N×G.
  final MemorySegment gates;

  /// tanh of the cell state, after its norm if there is one, T×N×H.
  final MemorySegment readOut;

  final Statistics statistics;
  final double[] gainX;
  final double[] biasX;
  final double[] gainH;
  final double[] biasH;
  final double[] gainC;
  final double[] biasC;
  final double[] dgainX;
  final double[] dbiasX;
  final double[] dgainH;
  final double[] dbiasH;
  final double[] dgainC;
  final double[] dbiasC;
  private final Row row;

  ScalarSteps(Unrolled u, Function<ScalarSteps, Row> cell) {
    this.u = u;
    this.size = u.padded();
    this.ax = u.ax().segment();
    this.ah = u.ah().segment();
    this.h = u.h().segment();
    this.c = u.c().segment();
    this.gates = Tensor.empty(u.type(), u.steps(), u.count(), u.width()).segment();
    this.readOut = Tensor.empty(u.type(), u.steps(), u.count(), size).segment();
    this.statistics = Statistics.of(u);
    this.gainX = u.weights().gainX().toDoubles();
    this.biasX = u.weights().biasX().toDoubles();
    this.gainH = u.weights().gainH().toDoubles();
    this.biasH = u.weights().biasH().toDoubles();
    this.gainC = u.weights().gainC().toDoubles();
    this.biasC = u.weights().biasC().toDoubles();
    this.dgainX = new double[u.width()];
    this.dbiasX = new double[u.width()];
    this.dgainH = new double[u.width()];
    this.dbiasH = new double[u.width()];
    this.dgainC = new double[size];
    this.dbiasC = new double[size];
    this.row = cell.apply(this);
  }

  @Override
  public void forward(int t) {
    for (int n = 0; n < u.count(); n++) {
      if (u.active(t, n)) {
        row.forward(t, n);
        continue;
      }
      for (int j = 0; j < size; j++) {
        set(h, u.row(t + 1, n) * size + j, get(h, u.row(t, n) * size + j));
        if (c.byteSize() > 0) {
          set(c, u.row(t + 1, n) * size + j, get(c, u.row(t, n) * size + j));
        }
      }
    }
  }

  @Override
  public void backward(int t, Tensor dy, Back back) {
    MemorySegment cotangents = dy.segment();
    MemorySegment product = back.product().segment();
    MemorySegment carry = back.carry().segment();
    MemorySegment dc = back.dc().segment();
    for (int n = 0; n < u.count(); n++) {
      double[] dh = new double[size];
      for (int j = 0; j < size; j++) {
        long at = (long) n * size + j;
        dh[j] = get(cotangents, u.row(t, n) * size + j) + get(product, at) + get(carry, at);
      }
      if (u.active(t, n)) {
        row.backward(t, n, dh, carry, dc);
        continue;
      }
      for (int j = 0; j < size; j++) {
        set(carry, (long) n * size + j, dh[j]);
      }
      double[] zeros = new double[u.width()];
      write(ax, t, n, zeros);
      write(ah, t, n, zeros);
    }
  }

  @Override
  public CellGradients gradients() {
    return new CellGradients(
        Tensor.of(dgainX, dgainX.length),
        Tensor.of(dbiasX, dbiasX.length),
        Tensor.of(dgainH, dgainH.length),
        Tensor.of(dbiasH, dbiasH.length),
        Tensor.of(dgainC, dgainC.length),
        Tensor.of(dbiasC, dbiasC.length));
  }

  /// Normalizes `a` with gain and bias, each group of gates by its own mean and standard deviation,
  /// and keeps these statistics. `part` is 0 for the input's part and 1 for the recurrent part.
  double[] normalized(int t, int n, int part, double[] a, double[] gain, double[] bias) {
    double[] z = new double[a.length];
    for (int from = 0; from < u.gates(); from = u.end(from)) {
      int first = from * size;
      int last = u.end(from) * size;
      Moments m = moments(a, first, last);
      for (int gate = from; gate < u.end(from); gate++) {
        remember(m, statistics.of(t, n, part, gate));
      }
      ScalarRowNorm.normalize(a, first, last, m, gain, bias, z);
    }
    return z;
  }

  /// Returns the cotangent of a for `dz`, the cotangent of the result of [#normalized].
  double[] normalizedBack(
      int t,
      int n,
      int part,
      double[] a,
      double[] dz,
      double[] gain,
      double[] dgain,
      double[] dbias) {
    double[] da = new double[a.length];
    for (int from = 0; from < u.gates(); from = u.end(from)) {
      Moments m = remembered(statistics.of(t, n, part, from));
      normalizedBack(dz, a, from * size, u.end(from) * size, m, gain, da, dgain, dbias);
    }
    return da;
  }

  /// The statistics of the elements `from .. to-1`, or those that change nothing if there is no
  /// norm.
  Moments moments(double[] a, int from, int to) {
    return u.normed() ? Moments.of(a, from, to, u.epsilon(), true) : Moments.NONE;
  }

  void normalizedBack(
      double[] dz,
      double[] a,
      int from,
      int to,
      Moments m,
      double[] gain,
      double[] da,
      double[] dgain,
      double[] dbias) {
    if (u.normed()) {
      ScalarRowNorm.normalizeBack(dz, a, from, to, m, gain, true, da, dgain, dbias);
      return;
    }
    for (int k = from; k < to; k++) {
      da[k] = dz[k] * gain[k];
      dbias[k] += dz[k];
    }
  }

  void remember(Moments m, long at) {
    statistics.memory().setAtIndex(JAVA_DOUBLE, at, m.mean());
    statistics.memory().setAtIndex(JAVA_DOUBLE, at + 1, m.reciprocal());
  }

  Moments remembered(long at) {
    return new Moments(
        statistics.memory().getAtIndex(JAVA_DOUBLE, at),
        statistics.memory().getAtIndex(JAVA_DOUBLE, at + 1));
  }

  static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  static double[] plus(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  /// The G elements of one sequence at one time.
  double[] read(MemorySegment all, int t, int n) {
    double[] row = new double[u.width()];
    Arrays.setAll(row, k -> get(all, u.row(t, n) * row.length + k));
    return row;
  }

  void write(MemorySegment all, int t, int n, double[] row) {
    for (int k = 0; k < row.length; k++) {
      set(all, u.row(t, n) * row.length + k, row[k]);
    }
  }

  double get(MemorySegment memory, long at) {
    return u.type() == DType.FLOAT64
        ? memory.getAtIndex(JAVA_DOUBLE, at)
        : memory.getAtIndex(JAVA_FLOAT, at);
  }

  void set(MemorySegment memory, long at, double value) {
    if (u.type() == DType.FLOAT64) {
      memory.setAtIndex(JAVA_DOUBLE, at, value);
    } else {
      memory.setAtIndex(JAVA_FLOAT, at, (float) value);
    }
  }
}
