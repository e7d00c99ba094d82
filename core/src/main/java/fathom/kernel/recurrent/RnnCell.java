package fathom.kernel.recurrent;

import static fathom.kernel.recurrent.VectorSteps.L;
import static fathom.kernel.recurrent.VectorSteps.S;
import static fathom.kernel.recurrent.VectorSteps.load;
import static fathom.kernel.recurrent.VectorSteps.store;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.Tensor;
import fathom.Torch;
import fathom.kernel.KernelForm;
import fathom.kernel.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// The cell of a plain recurrent net with layer norm: h = tanh(LN(W_h·h + W_x·x)), with one norm of
/// the sum (Ba et al. 2016, eq. 4).
public final class RnnCell {
  private RnnCell() {}

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
      double[] sum = ScalarSteps.plus(s.read(s.ax, t, n), s.read(s.ah, t, n));
      double[] z = s.normalized(t, n, 0, sum, s.gainX, s.biasX);
      for (int j = 0; j < s.size; j++) {
        s.set(s.h, u.row(t + 1, n) * s.size + j, Math.tanh(z[j]));
      }
    }

    @Override
    public void backward(int t, int n, double[] dh, MemorySegment carry, MemorySegment dc) {
      Unrolled u = s.u;
      double[] dz = new double[s.size];
      for (int j = 0; j < s.size; j++) {
        double h = s.get(s.h, u.row(t + 1, n) * s.size + j);
        dz[j] = dh[j] * (1 - h * h);
        s.set(carry, (long) n * s.size + j, 0);
      }
      double[] sum = ScalarSteps.plus(s.read(s.ax, t, n), s.read(s.ah, t, n));
      double[] d = s.normalizedBack(t, n, 0, sum, dz, s.gainX, s.dgainX, s.dbiasX);
      s.write(s.ax, t, n, d);
      s.write(s.ah, t, n, d);
    }
  }

  private record Vector(VectorSteps s) implements VectorSteps.Row {
    @Override
    public void forward(int t, int n) {
      Unrolled u = s.u;
      MemorySegment ax = s.ax;
      MemorySegment ah = s.ah;
      int size = s.size;
      long a = u.row(t, n) * size;
      for (int j = 0; j < size; j += L) { // the sum replaces the input's part
        store(load(ax, a + j).add(load(ah, a + j)), ax, a + j);
      }
      s.moments(t, n, 0, ax);
      long at = s.places.of(t, n, 0, 0);
      FloatVector mean = s.mean(at);
      FloatVector reciprocal = s.reciprocal(at);
      FloatVector lost = s.lost(at);
      MemorySegment gain = s.gainX;
      MemorySegment bias = s.biasX;
      MemorySegment h = s.h;
      long after = u.row(t + 1, n) * size;
      for (int j = 0; j < size; j += L) {
        FloatVector normal = load(ax, a + j).sub(mean).fma(reciprocal, lost);
        store(Lanes.tanh(normal.fma(load(gain, j), load(bias, j))), h, after + j);
      }
    }

    @Override
    public void backward(int t, int n, MemorySegment carry, MemorySegment dc) {
      Unrolled u = s.u;
      int size = s.size;
      FloatVector one = FloatVector.broadcast(S, 1);
      FloatVector zero = FloatVector.zero(S);
      long after = u.row(t + 1, n) * size;
      long here = (long) n * size;
      MemorySegment states = s.h;
      float[] dstate = s.dstate;
      float[] dx = s.dx;
      for (int j = 0; j < size; j += L) {
        FloatVector h = load(states, after + j);
        FloatVector.fromArray(S, dstate, j).mul(one.sub(h.mul(h))).intoArray(dx, j);
        store(zero, carry, here + j);
      }
      s.normalizedBack(t, n, 0, s.ax, s.dx, s.gainX, s.dgainX, s.dbiasX);
      long row = u.row(t, n) * size;
      MemorySegment.copy(s.ax, JAVA_FLOAT, row << 2, s.ah, JAVA_FLOAT, row << 2, size);
    }
  }

  private record Operations(TorchSteps s) implements TorchSteps.Row {
    @Override
    public TorchSteps.Step forward(Tensor ax, Tensor ah, Tensor before, Tensor c) {
      CellWeights w = s.weights;
      var normed = s.normalized(ax.plus(ah), w.gainX(), w.biasX());
      Tensor h = normed.value().tanh();
      return new TorchSteps.Step(
          h,
          null,
          (dh, _) -> {
            Tensor d = s.inputBack(Torch.tanhBackward(dh, h), normed);
            return new TorchSteps.Cotangents(d, d, dh.zerosLike(), null);
          },
          TorchSteps.all(List.of(h), normed.kept()));
    }
  }
}
