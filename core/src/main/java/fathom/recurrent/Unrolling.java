package fathom.recurrent;

import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.kernel.recurrent.CellGradients;
import fathom.kernel.recurrent.CellWeights;
import fathom.kernel.recurrent.Unrolled;
import org.jspecify.annotations.Nullable;

/// The tensors of one forward pass of a [RecurrentLayer] over all its steps. The number of units is
/// padded to a multiple of what the cell processes at a time.
final class Unrolling {
  final int padded;
  final Tensor weightH;
  final Tensor ah;
  final Tensor h;
  final Unrolled unrolled;
  private final Kind kind;
  private final int hidden;
  private final CellParams small;
  private final Tensor weightX;
  private final Tensor ax;
  private final Tensor c;
  private final int count;
  private final int steps;

  /// @param rows the values of `x` as (T·N)×I
  Unrolling(
      Kind kind,
      int[] ends,
      boolean normed,
      double epsilon,
      int hidden,
      int padded,
      CellParams small,
      Tensor weightX,
      Tensor weightH,
      Sequences x,
      Tensor rows,
      State start) {
    this.kind = kind;
    this.hidden = hidden;
    this.padded = padded;
    this.small = small;
    this.steps = x.steps();
    this.count = x.count();
    long gates = (long) kind.gates() * padded;
    this.weightX = paddedRows(weightX);
    this.weightH = widened(paddedRows(weightH));
    this.ax = rows.matmul(this.weightX.transpose());
    this.ah = rows.emptyOf(steps, count, gates);
    this.h = rows.emptyOf(steps + 1L, count, padded);
    boolean cells = kind.states() > 1;
    this.c = rows.emptyOf(cells ? steps + 1L : 0, count, padded);
    begin(h, start.tensors().getFirst());
    if (cells) {
      begin(c, start.tensors().get(1));
    }
    this.unrolled =
        new Unrolled(
            kind.gates(),
            ends,
            normed,
            epsilon,
            hidden,
            padded,
            x.lengths(),
            weights(rows),
            ax.reshape(steps, count, gates),
            ah,
            h,
            c);
  }

  private void begin(Tensor states, Tensor start) {
    try (var _ = Scope.open()) {
      states.narrow(0, 0, 1).reshape(start.shape().size(0), padded).copy_(widened(start));
    }
  }

  private CellWeights weights(Tensor like) {
    Tensor biasX = small(small.biasX(), like, 0, kind.gates());
    if (small.bias() != null) {
      biasX = biasX.plus(small(small.bias(), like, 0, kind.gates()));
    }
    return new CellWeights(
        small(small.gainX(), like, 1, kind.gates()),
        biasX,
        small(small.gainH(), like, 1, kind.gates()),
        small(small.biasH(), like, 0, kind.gates()),
        small(small.gainC(), like, 1, 1),
        small(small.biasC(), like, 0, 1));
  }

  /// Returns a gain or bias for the padded units, or, if the cell has none, the constant that has
  /// no effect.
  private Tensor small(@Nullable Param param, Tensor like, double absent, int gates) {
    return param != null
        ? paddedRows(param.value())
        : like.zerosOf((long) gates * padded).plus(absent);
  }

  // ---- Padding of the units

  /// Pads gates·H rows with zeros to gates·padded rows.
  private Tensor paddedRows(Tensor t) {
    if (padded == hidden) {
      return t.contiguous();
    }
    long gates = t.shape().size(0) / hidden;
    long rest = t.shape().elements() / t.shape().size(0);
    try (var scope = Scope.open()) {
      Tensor wide = t.zerosOf(gates, padded, rest);
      wide.narrow(1, 0, hidden).copy_(t.reshape(gates, hidden, rest));
      long[] shape = t.shape().toArray();
      shape[0] = gates * padded;
      return scope.keep(wide.reshape(shape));
    }
  }

  private Tensor unpaddedRows(Tensor t) {
    long rest = t.shape().size(1);
    return t.reshape(kind.gates(), padded, rest)
        .narrow(1, 0, hidden)
        .contiguous()
        .reshape((long) kind.gates() * hidden, rest);
  }

  /// Pads the last dimension, H, with zeros.
  Tensor widened(Tensor t) {
    if (padded == hidden) {
      return t.contiguous();
    }
    int last = t.shape().rank() - 1;
    long[] shape = t.shape().toArray();
    shape[last] = padded;
    try (var scope = Scope.open()) {
      Tensor wide = t.zerosOf(shape);
      wide.narrow(last, 0, hidden).copy_(t);
      return scope.keep(wide);
    }
  }

  Tensor unpadded(Tensor t) {
    return padded == hidden
        ? t.contiguous()
        : t.narrow(t.shape().rank() - 1, 0, hidden).contiguous();
  }

  // ---- Results

  /// The outputs, T×N×H.
  Tensor values() {
    return unpadded(h.narrow(0, 1, steps + 1L));
  }

  State state(long step) {
    Tensor hidden = at(h, step);
    return kind.states() > 1 ? State.of(hidden, at(c, step)) : State.of(hidden);
  }

  private Tensor at(Tensor states, long step) {
    return unpadded(states.narrow(0, step, step + 1).reshape(count, padded));
  }

  /// Returns dE/dx, T×N×I, after the backward pass through all steps.
  Tensor dx(int in) {
    return ax.matmul(weightX).reshape(steps, count, in);
  }

  /// Adds the gradients of all parameters, after the backward pass through all steps.
  void accumulate(Tensor rows, Param weightX, Param weightH, CellGradients gradients) {
    long all = (long) steps * count;
    Tensor before = h.narrow(0, 0, steps).reshape(all, padded);
    Tensor dah = ah.reshape(all, (long) kind.gates() * padded).transpose();
    if (padded == hidden) {
      weightX.grad().addProduct_(ax.transpose(), rows);
      weightH.grad().addProduct_(dah, before);
    } else {
      weightX.grad().add_(unpaddedRows(ax.transpose().matmul(rows)));
      weightH.grad().add_(unpaddedRows(unpadded(dah.matmul(before))));
    }
    add(small.gainX(), gradients.gainX());
    add(small.biasX(), gradients.biasX());
    add(small.gainH(), gradients.gainH());
    add(small.biasH(), gradients.biasH());
    add(small.bias(), gradients.biasX());
    add(small.gainC(), gradients.gainC());
    add(small.biasC(), gradients.biasC());
  }

  /// Adds a gradient for the padded units to a parameter, unless that is null.
  private void add(@Nullable Param param, Tensor gradient) {
    if (param == null) {
      return;
    }
    if (padded == hidden && gradient.type() == param.grad().type()) {
      param.grad().add_(gradient);
      return;
    }
    double[] wide = gradient.toDoubles();
    double[] own = new double[Math.toIntExact(param.value().shape().size(0))];
    for (int k = 0; k < own.length; k++) {
      own[k] = wide[k / hidden * padded + k % hidden];
    }
    param.grad().add_(own);
  }
}
