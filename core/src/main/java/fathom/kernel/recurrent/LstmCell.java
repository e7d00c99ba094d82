package fathom.kernel.recurrent;

import static fathom.kernel.recurrent.VectorSteps.L;
import static fathom.kernel.recurrent.VectorSteps.S;
import static fathom.kernel.recurrent.VectorSteps.load;
import static fathom.kernel.recurrent.VectorSteps.store;

import fathom.Tensor;
import fathom.Torch;
import fathom.kernel.KernelForm;
import fathom.kernel.Lanes;
import fathom.kernel.ScalarRowNorm;
import fathom.kernel.ScalarRowNorm.Moments;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// The cell of an LSTM with layer norm: z = LN(W_h·h) + LN(W_x·x) + b, which holds the gates i, f,
/// o and g in this order; c = σ(f)⊙c + σ(i)⊙tanh(g); h = σ(o)⊙tanh(LN(c)) (Ba et al. 2016, eq.
/// 20-22). The norm of the cell state affects h only: the next step gets c without it.
public final class LstmCell {
  private LstmCell() {}

  /// Makes a cell for one forward and backward pass over `u`, in the given form.
  public static Cell of(Unrolled u, KernelForm form) {
    return switch (form) {
      case SCALAR -> new ScalarSteps(u, Scalar::new);
      case VECTOR -> new VectorSteps(u, Vector::new);
      case TORCH -> new TorchSteps(u, Operations::new);
    };
  }

  private record Scalar(ScalarSteps s) implements ScalarSteps.Row {
    @Override
    public void forward(int t, int n) {
      Unrolled u = s.u;
      int size = s.size;
      double[] z =
          ScalarSteps.plus(
              s.normalized(t, n, 0, s.read(s.ax, t, n), s.gainX, s.biasX),
              s.normalized(t, n, 1, s.read(s.ah, t, n), s.gainH, s.biasH));
      double[] c = new double[size];
      long gates = u.row(t, n) * u.width();
      for (int j = 0; j < size; j++) {
        double i = ScalarSteps.sigmoid(z[j]);
        double f = ScalarSteps.sigmoid(z[size + j]);
        double o = ScalarSteps.sigmoid(z[2 * size + j]);
        double g = Math.tanh(z[3 * size + j]);
        s.set(s.gates, gates + j, i);
        s.set(s.gates, gates + size + j, f);
        s.set(s.gates, gates + 2L * size + j, o);
        s.set(s.gates, gates + 3L * size + j, g);
        c[j] = f * s.get(s.c, u.row(t, n) * size + j) + i * g;
        s.set(s.c, u.row(t + 1, n) * size + j, c[j]);
      }
      Moments m = s.moments(c, 0, size);
      s.remember(m, s.statistics.ofCell(t, n));
      double[] read = new double[size];
      ScalarRowNorm.normalize(c, 0, size, m, s.gainC, s.biasC, read);
      for (int j = 0; j < size; j++) {
        double readOut = Math.tanh(read[j]);
        s.set(s.readOut, u.row(t, n) * size + j, readOut);
        double o = s.get(s.gates, gates + 2L * size + j);
        s.set(s.h, u.row(t + 1, n) * size + j, o * readOut);
      }
    }

    @Override
    public void backward(int t, int n, double[] dh, MemorySegment carry, MemorySegment dc) {
      Unrolled u = s.u;
      int size = s.size;
      long gates = u.row(t, n) * u.width();
      double[] dz = new double[4 * size];
      double[] c = new double[size];
      double[] dread = new double[size];
      double[] dcell = new double[size];
      for (int j = 0; j < size; j++) {
        double o = s.get(s.gates, gates + 2L * size + j);
        double readOut = s.get(s.readOut, u.row(t, n) * size + j);
        dz[2 * size + j] = dh[j] * readOut * o * (1 - o);
        dread[j] = dh[j] * o * (1 - readOut * readOut);
        c[j] = s.get(s.c, u.row(t + 1, n) * size + j);
      }
      Moments m = s.remembered(s.statistics.ofCell(t, n));
      s.normalizedBack(dread, c, 0, size, m, s.gainC, dcell, s.dgainC, s.dbiasC);
      for (int j = 0; j < size; j++) {
        double i = s.get(s.gates, gates + j);
        double f = s.get(s.gates, gates + size + j);
        double g = s.get(s.gates, gates + 3L * size + j);
        double before = s.get(s.c, u.row(t, n) * size + j);
        long at = (long) n * size + j;
        double d = s.get(dc, at) + dcell[j];
        dz[j] = d * g * i * (1 - i);
        dz[size + j] = d * before * f * (1 - f);
        dz[3 * size + j] = d * i * (1 - g * g);
        s.set(dc, at, d * f);
        s.set(carry, at, 0);
      }
      double[] ax = s.read(s.ax, t, n);
      double[] ah = s.read(s.ah, t, n);
      s.write(s.ax, t, n, s.normalizedBack(t, n, 0, ax, dz, s.gainX, s.dgainX, s.dbiasX));
      s.write(s.ah, t, n, s.normalizedBack(t, n, 1, ah, dz, s.gainH, s.dgainH, s.dbiasH));
    }
  }

  private record Vector(VectorSteps s) implements VectorSteps.Row {
    @Override
    public void forward(int t, int n) {
      s.moments(t, n, 0, s.ax);
      s.moments(t, n, 1, s.ah);
      s.sigmoidGate(t, n, 0);
      s.sigmoidGate(t, n, 1);
      s.sigmoidGate(t, n, 2);
      s.tanhGate(t, n, 3);
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment gates = s.gates;
      MemorySegment c = s.c;
      long g = u.row(t, n) * u.width();
      long before = u.row(t, n) * size;
      long after = u.row(t + 1, n) * size;
      for (int j = 0; j < size; j += L) {
        FloatVector written = load(gates, g + j).mul(load(gates, g + 3L * size + j));
        store(load(gates, g + size + j).fma(load(c, before + j), written), c, after + j);
      }
      long at = s.places.ofCell(t, n);
      if (u.normed()) {
        s.norm.moments(c, after, 1, u.epsilon(), s.statistics, at);
      } else {
        s.none(at);
      }
      readOut(t, n, at);
    }

    private void readOut(int t, int n, long at) {
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment c = s.c;
      MemorySegment h = s.h;
      MemorySegment gates = s.gates;
      MemorySegment readOut = s.readOut;
      MemorySegment gain = s.gainC;
      MemorySegment bias = s.biasC;
      FloatVector mean = s.mean(at);
      FloatVector reciprocal = s.reciprocal(at);
      FloatVector lost = s.lost(at);
      long row = u.row(t, n) * size;
      long after = u.row(t + 1, n) * size;
      long o = u.row(t, n) * u.width() + 2L * size;
      for (int j = 0; j < size; j += L) {
        FloatVector normal = load(c, after + j).sub(mean).fma(reciprocal, lost);
        FloatVector y = Lanes.tanh(normal.fma(load(gain, j), load(bias, j)));
        store(y, readOut, row + j);
        store(y.mul(load(gates, o + j)), h, after + j);
      }
    }

    @Override
    public void backward(int t, int n, MemorySegment carry, MemorySegment dc) {
      Unrolled u = s.u;
      readOutBack(t, n, carry);
      int size = s.size;
      long after = u.row(t + 1, n) * size;
      long at = s.places.ofCell(t, n);
      s.norm.sums(after, 0, size, s.c, s.dnormed, s.gainC, s.statistics, at, s.dgainC, s.dbiasC);
      float a = u.normed() ? s.norm.meanW(u.hidden()) : 0;
      float b = u.normed() ? s.norm.meanWNormal(u.hidden()) : 0;
      cellBack(t, n, at, a, b, dc);
      s.normalizedBack(t, n, 0, s.ax, s.dx, s.gainX, s.dgainX, s.dbiasX);
      s.normalizedBack(t, n, 1, s.ah, s.dx, s.gainH, s.dgainH, s.dbiasH);
    }

    private void readOutBack(int t, int n, MemorySegment carry) {
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment gates = s.gates;
      MemorySegment allRead = s.readOut;
      float[] dstate = s.dstate;
      float[] dx = s.dx;
      float[] dnormed = s.dnormed;
      long g = u.row(t, n) * u.width();
      long here = (long) n * size;
      long before = u.row(t, n) * size;
      FloatVector one = FloatVector.broadcast(S, 1);
      FloatVector zero = FloatVector.zero(S);
      for (int j = 0; j < size; j += L) {
        FloatVector o = load(gates, g + 2L * size + j);
        FloatVector readOut = load(allRead, before + j);
        FloatVector d = FloatVector.fromArray(S, dstate, j);
        d.mul(readOut).mul(o.mul(one.sub(o))).intoArray(dx, 2 * size + j);
        d.mul(o).mul(one.sub(readOut.mul(readOut))).intoArray(dnormed, j);
        store(zero, carry, here + j);
      }
    }

    /// Computes the cotangent of the cell state, where a = mean(w) and b = mean(w·x̂) of its norm,
    /// and from it the cotangents of the gates i, f and g and of the cell state before the step.
    private void cellBack(int t, int n, long at, float a, float b, MemorySegment dc) {
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment gates = s.gates;
      MemorySegment c = s.c;
      MemorySegment gain = s.gainC;
      float[] dx = s.dx;
      float[] dnormed = s.dnormed;
      FloatVector mean = s.mean(at);
      FloatVector reciprocal = s.reciprocal(at);
      FloatVector lost = s.lost(at);
      FloatVector one = FloatVector.broadcast(S, 1);
      FloatVector va = FloatVector.broadcast(S, -a);
      FloatVector vb = FloatVector.broadcast(S, -b);
      long g = u.row(t, n) * u.width();
      long here = (long) n * size;
      long before = u.row(t, n) * size;
      long after = u.row(t + 1, n) * size;
      for (int j = 0; j < size; j += L) {
        FloatVector i = load(gates, g + j);
        FloatVector f = load(gates, g + size + j);
        FloatVector z = load(gates, g + 3L * size + j);
        FloatVector normal = load(c, after + j).sub(mean).fma(reciprocal, lost);
        FloatVector w = FloatVector.fromArray(S, dnormed, j).mul(load(gain, j));
        FloatVector d = normal.fma(vb, w.add(va)).fma(reciprocal, load(dc, here + j));
        d.mul(z).mul(i.mul(one.sub(i))).intoArray(dx, j);
        d.mul(load(c, before + j)).mul(f.mul(one.sub(f))).intoArray(dx, size + j);
        d.mul(i).mul(one.sub(z.mul(z))).intoArray(dx, 3 * size + j);
        store(d.mul(f), dc, here + j);
      }
    }
  }

  private record Operations(TorchSteps s) implements TorchSteps.Row {
    @Override
    public TorchSteps.Step forward(Tensor ax, Tensor ah, Tensor before, Tensor c) {
      CellWeights w = s.weights;
      var x = s.normalized(ax, w.gainX(), w.biasX());
      var h = s.normalized(ah, w.gainH(), w.biasH());
      Tensor z = x.value().plus(h.value());
      Tensor i = s.gate(z, 0).sigmoid();
      Tensor f = s.gate(z, 1).sigmoid();
      Tensor o = s.gate(z, 2).sigmoid();
      Tensor g = s.gate(z, 3).tanh();
      Tensor after = f.times(c).plus(i.times(g));
      var normed = s.normalizedCell(after);
      Tensor readOut = normed.value().tanh();
      Tensor cBefore = c.alias(); // a view of all states, which outlives this step's own handle
      return new TorchSteps.Step(
          o.times(readOut),
          after,
          (dh, dc) -> {
            Tensor dread = Torch.tanhBackward(dh.times(o), readOut);
            Tensor d = dc.plus(s.normalizedCellBack(dread, normed));
            Tensor dz =
                Tensor.concatenated(
                    1,
                    List.of(
                        Torch.sigmoidBackward(d.times(g), i),
                        Torch.sigmoidBackward(d.times(cBefore), f),
                        Torch.sigmoidBackward(dh.times(readOut), o),
                        Torch.tanhBackward(d.times(i), g)));
            return new TorchSteps.Cotangents(
                s.inputBack(dz, x), s.recurrentBack(dz, h), dh.zerosLike(), d.times(f));
          },
          TorchSteps.all(
              List.of(i, f, o, g, readOut, cBefore, normed.s(), normed.statistics()),
              x.kept(),
              h.kept()));
    }
  }
}
