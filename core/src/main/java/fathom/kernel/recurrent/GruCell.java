package fathom.kernel.recurrent;

import static fathom.kernel.recurrent.VectorSteps.L;
import static fathom.kernel.recurrent.VectorSteps.S;
import static fathom.kernel.recurrent.VectorSteps.load;
import static fathom.kernel.recurrent.VectorSteps.store;

import fathom.Tensor;
import fathom.Torch;
import fathom.kernel.KernelForm;
import fathom.kernel.Lanes;
import fathom.kernel.ScalarRowNorm.Moments;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// The cell of a GRU with layer norm: (z, r) = LN(W_h·h) + LN(W_x·x); ĥ = tanh(LN(W·x) +
/// σ(r)⊙LN(U·h)); h = (1 − σ(z))⊙h + σ(z)⊙ĥ (Ba et al. 2016, eq. 26-28). The gates are, in this
/// order, z, r and the candidate ĥ.
public final class GruCell {
  private GruCell() {}

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
      double[] x = s.normalized(t, n, 0, s.read(s.ax, t, n), s.gainX, s.biasX);
      double[] h = s.normalized(t, n, 1, s.read(s.ah, t, n), s.gainH, s.biasH);
      long gates = u.row(t, n) * u.width();
      for (int j = 0; j < size; j++) {
        double z = ScalarSteps.sigmoid(x[j] + h[j]);
        double r = ScalarSteps.sigmoid(x[size + j] + h[size + j]);
        double candidate = Math.tanh(x[2 * size + j] + r * h[2 * size + j]);
        s.set(s.gates, gates + j, z);
        s.set(s.gates, gates + size + j, r);
        s.set(s.gates, gates + 2L * size + j, candidate);
        double before = s.get(s.h, u.row(t, n) * size + j);
        s.set(s.h, u.row(t + 1, n) * size + j, (1 - z) * before + z * candidate);
      }
    }

    @Override
    public void backward(int t, int n, double[] dstate, MemorySegment carry, MemorySegment dc) {
      Unrolled u = s.u;
      int size = s.size;
      long gates = u.row(t, n) * u.width();
      double[] ax = s.read(s.ax, t, n);
      double[] ah = s.read(s.ah, t, n);
      double[] dx = new double[3 * size];
      double[] dh = new double[3 * size];
      Moments m = s.remembered(s.statistics.of(t, n, 1, 2));
      for (int j = 0; j < size; j++) {
        double z = s.get(s.gates, gates + j);
        double r = s.get(s.gates, gates + size + j);
        double candidate = s.get(s.gates, gates + 2L * size + j);
        double before = s.get(s.h, u.row(t, n) * size + j);
        int k = 2 * size + j;
        double recurrent = m.normal(ah[k]) * s.gainH[k] + s.biasH[k];
        dx[j] = dstate[j] * (candidate - before) * z * (1 - z);
        dh[j] = dx[j];
        dx[k] = dstate[j] * z * (1 - candidate * candidate);
        dh[k] = dx[k] * r;
        dx[size + j] = dx[k] * recurrent * r * (1 - r);
        dh[size + j] = dx[size + j];
        s.set(carry, (long) n * size + j, dstate[j] * (1 - z));
      }
      s.write(s.ax, t, n, s.normalizedBack(t, n, 0, ax, dx, s.gainX, s.dgainX, s.dbiasX));
      s.write(s.ah, t, n, s.normalizedBack(t, n, 1, ah, dh, s.gainH, s.dgainH, s.dbiasH));
    }
  }

  private record Vector(VectorSteps s) implements VectorSteps.Row {
    @Override
    public void forward(int t, int n) {
      s.moments(t, n, 0, s.ax);
      s.moments(t, n, 1, s.ah);
      s.sigmoidGate(t, n, 0);
      s.sigmoidGate(t, n, 1);
      candidate(t, n);
    }

    private void candidate(int t, int n) {
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment gates = s.gates;
      MemorySegment ax = s.ax;
      MemorySegment ah = s.ah;
      MemorySegment states = s.h;
      MemorySegment wx = s.gainX;
      MemorySegment wh = s.gainH;
      MemorySegment bx = s.biasX;
      MemorySegment bh = s.biasH;
      long atX = s.places.of(t, n, 0, 2);
      long atH = s.places.of(t, n, 1, 2);
      FloatVector meanX = s.mean(atX);
      FloatVector reciprocalX = s.reciprocal(atX);
      FloatVector lostX = s.lost(atX);
      FloatVector meanH = s.mean(atH);
      FloatVector reciprocalH = s.reciprocal(atH);
      FloatVector lostH = s.lost(atH);
      long g = u.row(t, n) * u.width();
      long before = u.row(t, n) * size;
      long after = u.row(t + 1, n) * size;
      for (int j = 0; j < size; j += L) {
        int k = 2 * size + j;
        FloatVector x = load(ax, g + k).sub(meanX).fma(reciprocalX, lostX);
        FloatVector recurrent = load(ah, g + k).sub(meanH).fma(reciprocalH, lostH);
        x = x.fma(load(wx, k), load(bx, k));
        recurrent = recurrent.fma(load(wh, k), load(bh, k));
        FloatVector candidate = Lanes.tanh(load(gates, g + size + j).fma(recurrent, x));
        store(candidate, gates, g + k);
        FloatVector h = load(states, before + j);
        store(load(gates, g + j).fma(candidate.sub(h), h), states, after + j);
      }
    }

    @Override
    public void backward(int t, int n, MemorySegment carry, MemorySegment dc) {
      gatesBack(t, n, carry);
      s.normalizedBack(t, n, 0, s.ax, s.dx, s.gainX, s.dgainX, s.dbiasX);
      s.normalizedBack(t, n, 1, s.ah, s.dh, s.gainH, s.dgainH, s.dbiasH);
    }

    private void gatesBack(int t, int n, MemorySegment carry) {
      Unrolled u = s.u;
      int size = s.size;
      MemorySegment gates = s.gates;
      MemorySegment ah = s.ah;
      MemorySegment states = s.h;
      MemorySegment gain = s.gainH;
      MemorySegment bias = s.biasH;
      float[] dstate = s.dstate;
      float[] dx = s.dx;
      float[] dh = s.dh;
      long g = u.row(t, n) * u.width();
      long here = (long) n * size;
      long before = u.row(t, n) * size;
      long at = s.places.of(t, n, 1, 2);
      FloatVector mean = s.mean(at);
      FloatVector reciprocal = s.reciprocal(at);
      FloatVector lost = s.lost(at);
      FloatVector one = FloatVector.broadcast(S, 1);
      for (int j = 0; j < size; j += L) {
        int k = 2 * size + j;
        FloatVector z = load(gates, g + j);
        FloatVector r = load(gates, g + size + j);
        FloatVector candidate = load(gates, g + k);
        FloatVector normal = load(ah, g + k).sub(mean).fma(reciprocal, lost);
        FloatVector recurrent = normal.fma(load(gain, k), load(bias, k));
        FloatVector d = FloatVector.fromArray(S, dstate, j);
        FloatVector dz = d.mul(candidate.sub(load(states, before + j))).mul(z.mul(one.sub(z)));
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
    }
  }

  private record Operations(TorchSteps s) implements TorchSteps.Row {
    @Override
    public TorchSteps.Step forward(Tensor ax, Tensor ah, Tensor before, Tensor c) {
      CellWeights w = s.weights;
      var x = s.normalized(ax, w.gainX(), w.biasX());
      var h = s.normalized(ah, w.gainH(), w.biasH());
      Tensor z = s.gate(x.value(), 0).plus(s.gate(h.value(), 0)).sigmoid();
      Tensor r = s.gate(x.value(), 1).plus(s.gate(h.value(), 1)).sigmoid();
      Tensor recurrent = s.gate(h.value(), 2);
      Tensor candidate = s.gate(x.value(), 2).plus(r.times(recurrent)).tanh();
      Tensor moved = candidate.minus(before);
      return new TorchSteps.Step(
          before.plus(z.times(moved)),
          null,
          (dh, _) -> {
            Tensor dmoved = dh.times(z);
            Tensor dcandidate = Torch.tanhBackward(dmoved, candidate);
            Tensor dz = Torch.sigmoidBackward(dh.times(moved), z);
            Tensor dr = Torch.sigmoidBackward(dcandidate.times(recurrent), r);
            Tensor dx = Tensor.concatenated(1, List.of(dz, dr, dcandidate));
            Tensor drecurrent = Tensor.concatenated(1, List.of(dz, dr, dcandidate.times(r)));
            return new TorchSteps.Cotangents(
                s.inputBack(dx, x), s.recurrentBack(drecurrent, h), dh.minus(dmoved), null);
          },
          TorchSteps.all(List.of(z, r, recurrent, candidate, moved), x.kept(), h.kept()));
    }
  }
}
