package fathom.recurrent;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.DType;
import java.lang.foreign.MemorySegment;

/// The equations as they stand in the paper (Ba et al. 2016, eq. 4, 20-22 and 26-28), number by
/// number in double precision: the specification of [VectorCell], and what float64 runs on.
final class ScalarCell implements Cell {
  @Override
  public void forward(Unrolled u, int t) {
    for (int n = 0; n < u.count(); n++) {
      if (!u.active(t, n)) {
        stand(u, t, n);
        continue;
      }
      switch (u.kind()) {
        case RNN -> rnn(u, t, n);
        case LSTM -> lstm(u, t, n);
        case GRU -> gru(u, t, n);
      }
    }
  }

  private static void stand(Unrolled u, int t, int n) {
    int size = u.padded();
    for (int j = 0; j < size; j++) {
      set(u, u.h(), u.row(t + 1, n) * size + j, get(u, u.h(), u.row(t, n) * size + j));
      if (u.kind() == Kind.LSTM) {
        set(u, u.c(), u.row(t + 1, n) * size + j, get(u, u.c(), u.row(t, n) * size + j));
      }
    }
  }

  /// h = tanh(LN(W_h·h + W_x·x))
  private static void rnn(Unrolled u, int t, int n) {
    double[] sum = plus(values(u, u.ax(), t, n), values(u, u.ah(), t, n));
    double[] z = normalized(u, t, n, 0, sum, u.weights().gainX(), u.weights().biasX());
    for (int j = 0; j < u.padded(); j++) {
      set(u, u.h(), u.row(t + 1, n) * u.padded() + j, Math.tanh(z[j]));
    }
  }

  /// z = LN(W_h·h) + LN(W_x·x) + b; c = σ(f)·c + σ(i)·tanh(g); h = σ(o)·tanh(LN(c))
  private static void lstm(Unrolled u, int t, int n) {
    CellWeights w = u.weights();
    int size = u.padded();
    double[] z =
        plus(
            normalized(u, t, n, 0, values(u, u.ax(), t, n), w.gainX(), w.biasX()),
            normalized(u, t, n, 1, values(u, u.ah(), t, n), w.gainH(), w.biasH()));
    double[] c = new double[size];
    long gates = u.row(t, n) * u.width();
    for (int j = 0; j < size; j++) {
      double i = sigmoid(z[j]);
      double f = sigmoid(z[size + j]);
      double o = sigmoid(z[2 * size + j]);
      double g = Math.tanh(z[3 * size + j]);
      set(u, u.gates(), gates + j, i);
      set(u, u.gates(), gates + size + j, f);
      set(u, u.gates(), gates + 2L * size + j, o);
      set(u, u.gates(), gates + 3L * size + j, g);
      c[j] = f * get(u, u.c(), u.row(t, n) * size + j) + i * g;
      set(u, u.c(), u.row(t + 1, n) * size + j, c[j]);
    }
    double[] moments = {0, 1};
    if (u.norm() != GateNorm.NONE) {
      moments = moments(u, c, 0, 1);
    }
    u.statistics().setAtIndex(JAVA_DOUBLE, u.cellStatistic(t, n), moments[0]);
    u.statistics().setAtIndex(JAVA_DOUBLE, u.cellStatistic(t, n) + 1, moments[1]);
    for (int j = 0; j < size; j++) {
      double normed =
          get(u, w.gainC(), j) * (c[j] - moments[0]) * moments[1] + get(u, w.biasC(), j);
      double readOut = Math.tanh(normed);
      set(u, u.readOut(), u.row(t, n) * size + j, readOut);
      double o = get(u, u.gates(), gates + 2L * size + j);
      set(u, u.h(), u.row(t + 1, n) * size + j, o * readOut);
    }
  }

  /// (z, r) = LN(W_h·h) + LN(W_x·x); ĥ = tanh(LN(W·x) + σ(r)·LN(U·h)); h = (1 − σ(z))·h + σ(z)·ĥ
  private static void gru(Unrolled u, int t, int n) {
    CellWeights w = u.weights();
    int size = u.padded();
    double[] x = normalized(u, t, n, 0, values(u, u.ax(), t, n), w.gainX(), w.biasX());
    double[] h = normalized(u, t, n, 1, values(u, u.ah(), t, n), w.gainH(), w.biasH());
    long gates = u.row(t, n) * u.width();
    for (int j = 0; j < size; j++) {
      double z = sigmoid(x[j] + h[j]);
      double r = sigmoid(x[size + j] + h[size + j]);
      double candidate = Math.tanh(x[2 * size + j] + r * h[2 * size + j]);
      set(u, u.gates(), gates + j, z);
      set(u, u.gates(), gates + size + j, r);
      set(u, u.gates(), gates + 2L * size + j, candidate);
      double before = get(u, u.h(), u.row(t, n) * size + j);
      set(u, u.h(), u.row(t + 1, n) * size + j, (1 - z) * before + z * candidate);
    }
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
    int size = u.padded();
    for (int n = 0; n < u.count(); n++) {
      double[] dh = new double[size];
      for (int j = 0; j < size; j++) {
        long at = (long) n * size + j;
        dh[j] = get(u, dy, u.row(t, n) * size + j) + get(u, product, at) + get(u, carry, at);
      }
      if (!u.active(t, n)) {
        for (int j = 0; j < size; j++) {
          set(u, carry, (long) n * size + j, dh[j]);
        }
        for (int j = 0; j < u.width(); j++) {
          set(u, u.ax(), u.row(t, n) * u.width() + j, 0);
          set(u, u.ah(), u.row(t, n) * u.width() + j, 0);
        }
        continue;
      }
      switch (u.kind()) {
        case RNN -> rnnBack(u, t, n, dh, carry, gradients);
        case LSTM -> lstmBack(u, t, n, dh, carry, dc, gradients);
        case GRU -> gruBack(u, t, n, dh, carry, gradients);
      }
    }
  }

  private static void rnnBack(
      Unrolled u, int t, int n, double[] dh, MemorySegment carry, CellGradients gradients) {
    int size = u.padded();
    double[] dz = new double[size];
    for (int j = 0; j < size; j++) {
      double h = get(u, u.h(), u.row(t + 1, n) * size + j);
      dz[j] = dh[j] * (1 - h * h);
      set(u, carry, (long) n * size + j, 0);
    }
    double[] sum = plus(values(u, u.ax(), t, n), values(u, u.ah(), t, n));
    double[] d =
        normalizedBack(
            u, t, n, 0, sum, dz, u.weights().gainX(), gradients.gainX(), gradients.biasX());
    write(u, u.ax(), t, n, d);
    write(u, u.ah(), t, n, d);
  }

  private static void lstmBack(
      Unrolled u,
      int t,
      int n,
      double[] dh,
      MemorySegment carry,
      MemorySegment dc,
      CellGradients gradients) {
    CellWeights w = u.weights();
    int size = u.padded();
    long gates = u.row(t, n) * u.width();
    double[] dz = new double[4 * size];
    double[] c = new double[size];
    double[] dnormed = new double[size];
    for (int j = 0; j < size; j++) {
      double o = get(u, u.gates(), gates + 2L * size + j);
      double readOut = get(u, u.readOut(), u.row(t, n) * size + j);
      dz[2 * size + j] = dh[j] * readOut * o * (1 - o);
      dnormed[j] = dh[j] * o * (1 - readOut * readOut);
      c[j] = get(u, u.c(), u.row(t + 1, n) * size + j);
    }
    double mean = u.statistics().getAtIndex(JAVA_DOUBLE, u.cellStatistic(t, n));
    double reciprocal = u.statistics().getAtIndex(JAVA_DOUBLE, u.cellStatistic(t, n) + 1);
    double sum = 0;
    double along = 0;
    for (int j = 0; j < size; j++) {
      double normal = (c[j] - mean) * reciprocal;
      double g = dnormed[j] * get(u, w.gainC(), j);
      sum += g;
      along += g * normal;
      gradients.gainC()[j] += dnormed[j] * normal;
      gradients.biasC()[j] += dnormed[j];
    }
    if (u.norm() == GateNorm.NONE) {
      sum = 0;
      along = 0;
    }
    for (int j = 0; j < size; j++) {
      double i = get(u, u.gates(), gates + j);
      double f = get(u, u.gates(), gates + size + j);
      double g = get(u, u.gates(), gates + 3L * size + j);
      double before = get(u, u.c(), u.row(t, n) * size + j);
      double normal = (c[j] - mean) * reciprocal;
      long at = (long) n * size + j;
      double d =
          get(u, dc, at)
              + reciprocal
                  * (dnormed[j] * get(u, w.gainC(), j)
                      - sum / u.hidden()
                      - normal * along / u.hidden());
      dz[j] = d * g * i * (1 - i);
      dz[size + j] = d * before * f * (1 - f);
      dz[3 * size + j] = d * i * (1 - g * g);
      set(u, dc, at, d * f);
      set(u, carry, at, 0);
    }
    write(
        u,
        u.ax(),
        t,
        n,
        normalizedBack(
            u,
            t,
            n,
            0,
            values(u, u.ax(), t, n),
            dz,
            w.gainX(),
            gradients.gainX(),
            gradients.biasX()));
    write(
        u,
        u.ah(),
        t,
        n,
        normalizedBack(
            u,
            t,
            n,
            1,
            values(u, u.ah(), t, n),
            dz,
            w.gainH(),
            gradients.gainH(),
            gradients.biasH()));
  }

  private static void gruBack(
      Unrolled u, int t, int n, double[] dh, MemorySegment carry, CellGradients gradients) {
    CellWeights w = u.weights();
    int size = u.padded();
    long gates = u.row(t, n) * u.width();
    double[] ah = values(u, u.ah(), t, n);
    double[] dx = new double[3 * size];
    double[] dhh = new double[3 * size];
    double mean = u.statistics().getAtIndex(JAVA_DOUBLE, u.statistic(t, n, 1, 2));
    double reciprocal = u.statistics().getAtIndex(JAVA_DOUBLE, u.statistic(t, n, 1, 2) + 1);
    for (int j = 0; j < size; j++) {
      double z = get(u, u.gates(), gates + j);
      double r = get(u, u.gates(), gates + size + j);
      double candidate = get(u, u.gates(), gates + 2L * size + j);
      double before = get(u, u.h(), u.row(t, n) * size + j);
      int k = 2 * size + j;
      double recurrent = get(u, w.gainH(), k) * (ah[k] - mean) * reciprocal + get(u, w.biasH(), k);
      dx[j] = dh[j] * (candidate - before) * z * (1 - z);
      dhh[j] = dx[j];
      dx[k] = dh[j] * z * (1 - candidate * candidate);
      dhh[k] = dx[k] * r;
      dx[size + j] = dx[k] * recurrent * r * (1 - r);
      dhh[size + j] = dx[size + j];
      set(u, carry, (long) n * size + j, dh[j] * (1 - z));
    }
    write(
        u,
        u.ax(),
        t,
        n,
        normalizedBack(
            u,
            t,
            n,
            0,
            values(u, u.ax(), t, n),
            dx,
            w.gainX(),
            gradients.gainX(),
            gradients.biasX()));
    write(
        u,
        u.ah(),
        t,
        n,
        normalizedBack(u, t, n, 1, ah, dhh, w.gainH(), gradients.gainH(), gradients.biasH()));
  }

  /// gain·(a − μ)/√(σ² + ε) + bias, each group of gates by its own mean and deviation, which are
  /// remembered.
  private static double[] normalized(
      Unrolled u, int t, int n, int part, double[] a, MemorySegment gain, MemorySegment bias) {
    int size = u.padded();
    double[] z = new double[a.length];
    for (int from = 0; from < u.kind().gates(); from = u.groupEnd(from)) {
      double[] moments = {0, 1};
      if (u.norm() != GateNorm.NONE) {
        moments = moments(u, a, from, u.groupEnd(from));
      }
      for (int gate = from; gate < u.groupEnd(from); gate++) {
        u.statistics().setAtIndex(JAVA_DOUBLE, u.statistic(t, n, part, gate), moments[0]);
        u.statistics().setAtIndex(JAVA_DOUBLE, u.statistic(t, n, part, gate) + 1, moments[1]);
      }
      for (int k = from * size; k < u.groupEnd(from) * size; k++) {
        z[k] = get(u, gain, k) * (a[k] - moments[0]) * moments[1] + get(u, bias, k);
      }
    }
    return z;
  }

  /// Mean and reciprocal deviation over the units of these gates.
  private static double[] moments(Unrolled u, double[] a, int fromGate, int toGate) {
    double count = (double) (toGate - fromGate) * u.hidden();
    double sum = 0;
    for (int gate = fromGate; gate < toGate; gate++) {
      for (int j = 0; j < u.hidden(); j++) {
        sum += a[gate * u.padded() + j];
      }
    }
    double mean = sum / count;
    double squares = 0;
    for (int gate = fromGate; gate < toGate; gate++) {
      for (int j = 0; j < u.hidden(); j++) {
        double d = a[gate * u.padded() + j] - mean;
        squares += d * d;
      }
    }
    return new double[] {mean, 1 / Math.sqrt(squares / count + u.epsilon())};
  }

  /// From the cotangent of [#normalized] to that of a.
  private static double[] normalizedBack(
      Unrolled u,
      int t,
      int n,
      int part,
      double[] a,
      double[] dz,
      MemorySegment gain,
      double[] dgain,
      double[] dbias) {
    int size = u.padded();
    double[] da = new double[a.length];
    for (int from = 0; from < u.kind().gates(); from = u.groupEnd(from)) {
      long at = u.statistic(t, n, part, from);
      double mean = u.statistics().getAtIndex(JAVA_DOUBLE, at);
      double reciprocal = u.statistics().getAtIndex(JAVA_DOUBLE, at + 1);
      double count = (double) (u.groupEnd(from) - from) * u.hidden();
      double sum = 0;
      double along = 0;
      for (int k = from * size; k < u.groupEnd(from) * size; k++) {
        double normal = (a[k] - mean) * reciprocal;
        double g = dz[k] * get(u, gain, k);
        sum += g;
        along += g * normal;
        dgain[k] += dz[k] * normal;
        dbias[k] += dz[k];
      }
      if (u.norm() == GateNorm.NONE) {
        sum = 0;
        along = 0;
      }
      for (int k = from * size; k < u.groupEnd(from) * size; k++) {
        double normal = (a[k] - mean) * reciprocal;
        da[k] = reciprocal * (dz[k] * get(u, gain, k) - sum / count - normal * along / count);
      }
    }
    return da;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  private static double[] plus(double[] a, double[] b) {
    double[] sum = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      sum[i] = a[i] + b[i];
    }
    return sum;
  }

  private static double[] values(Unrolled u, MemorySegment memory, int t, int n) {
    double[] row = new double[u.width()];
    for (int k = 0; k < row.length; k++) {
      row[k] = get(u, memory, u.row(t, n) * row.length + k);
    }
    return row;
  }

  private static void write(Unrolled u, MemorySegment memory, int t, int n, double[] row) {
    for (int k = 0; k < row.length; k++) {
      set(u, memory, u.row(t, n) * row.length + k, row[k]);
    }
  }

  private static double get(Unrolled u, MemorySegment memory, long at) {
    return u.type() == DType.FLOAT64
        ? memory.getAtIndex(JAVA_DOUBLE, at)
        : memory.getAtIndex(JAVA_FLOAT, at);
  }

  private static void set(Unrolled u, MemorySegment memory, long at, double value) {
    if (u.type() == DType.FLOAT64) {
      memory.setAtIndex(JAVA_DOUBLE, at, value);
    } else {
      memory.setAtIndex(JAVA_FLOAT, at, (float) value);
    }
  }
}
