package fathom.recurrent;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.KernelForm;
import fathom.kernel.Kernels;
import fathom.kernel.VectorRow;
import fathom.kernel.recurrent.Cell;
import fathom.kernel.recurrent.StepProduct;
import fathom.nn.Init;
import fathom.recurrent.TracedSequence.Cotangents;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// A layer of recurrent units, with or without layer norm inside (Ba, Kiros and Hinton 2016).
/// Below, σ is the logistic function, ⊙ the elementwise product, and each LN a layer norm with a
/// gain and bias of its own.
///
/// - RNN (eq. 4): h = tanh(LN(W_h·h + W_x·x)), with one norm of the sum.
/// - LSTM (eq. 20-22): (i, f, o, g) = LN(W_h·h) + LN(W_x·x) + b; c = σ(f)⊙c + σ(i)⊙tanh(g); h =
///   σ(o)⊙tanh(LN(c)). The next step gets the cell state without the norm; only the output is
///   computed from the normalised one.
/// - GRU (eq. 26-28): (z, r) = LN(W_h·h) + LN(W_x·x); ĥ = tanh(LN(W·x) + σ(r)⊙LN(U·h)); h = (1 −
///   σ(z))⊙h + σ(z)⊙ĥ.
///
/// Each norm is over the concatenated gates, as in the equations; [GateNorm#PER_GATE] normalises
/// each gate by itself. Gains start at 1 and biases at 0, as in the main text and the authors'
/// code; the supplement's "zeros and ones" has the letters swapped. The authors' code differs from
/// the equations in three more ways, which this class does not follow: it adds the LSTM's bias
/// twice, it swaps the roles of the GRU's z and 1 − z, and its Torch version adds ε to the standard
/// standard deviation instead of the variance.
///
/// The product with the input is computed for all steps at once, and the product with the state
/// step by step. The backward pass does likewise, and each weight's gradient is a single product.
public final class RecurrentLayer implements Recurrent {
  private final Kind kind;
  private final GateNorm norm;
  private final int in;
  private final int hidden;
  private final double epsilon;
  private final CellParams small;
  private final Param weightX;
  private final Param weightH;

  private RecurrentLayer(
      Kind kind,
      GateNorm norm,
      int in,
      int hidden,
      double epsilon,
      CellParams small,
      Param weightX,
      Param weightH) {
    this.kind = kind;
    this.norm = norm;
    this.in = in;
    this.hidden = hidden;
    this.epsilon = epsilon;
    this.small = small;
    this.weightX = weightX;
    this.weightH = weightH;
  }

  /// Returns a layer for `in` features per step and `hidden` units, with ε = 1e-5; `path` is its
  /// place in the net. The weights have a variance of 1 over the number of products that they sum.
  /// [Init] draws for ReLU, with 2 over that number, so it is passed twice the number. Throws
  /// `IllegalArgumentException` if `in` or `hidden` is below 1.
  public static RecurrentLayer of(
      Init init, String path, Kind kind, GateNorm norm, int in, int hidden) {
    if (in < 1 || hidden < 1) {
      throw new IllegalArgumentException(
          "a recurrent layer has at least one feature and one unit, but was given %s and %s"
              .formatted(in, hidden));
    }
    int gates = kind.gates() * hidden;
    return new RecurrentLayer(
        kind,
        norm,
        in,
        hidden,
        1e-5,
        CellParams.of(kind, norm, hidden),
        Param.of(init.weights(Node.path(path, "weight_x"), 2L * in, gates, in)),
        Param.of(init.weights(Node.path(path, "weight_h"), 2L * hidden, gates, hidden)));
  }

  /// Returns this layer over the same parameters with another ε, which is added to the variance.
  public RecurrentLayer withEpsilon(double epsilon) {
    return new RecurrentLayer(kind, norm, in, hidden, epsilon, small, weightX, weightH);
  }

  /// The kind of its cells.
  public Kind kind() {
    return kind;
  }

  /// The norm inside.
  public GateNorm norm() {
    return norm;
  }

  /// The number of units, H.
  public int hidden() {
    return hidden;
  }

  /// The ε of its norms.
  public double epsilon() {
    return epsilon;
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    check(x, start);
    KernelForm form = Kernels.form(x.values());
    Tensor rows = x.values().reshape((long) x.steps() * x.count(), in);
    Unrolling m = unrolling(x, rows, start, form);
    Cell cell = kind.cell(m.unrolled, form);
    StepProduct product = StepProduct.byTranspose(m.weightH, form);
    for (int t = 0; t < x.steps(); t++) {
      product.times(m.h, t, m.ah, t);
      cell.forward(t);
    }
    return new TracedSequence(
        m.values(), m.state(x.steps()), (dy, dend) -> back(m, cell, rows, form, dy, dend));
  }

  private Unrolling unrolling(Sequences x, Tensor rows, State start, KernelForm form) {
    return new Unrolling(
        kind,
        norm.ends(kind),
        norm != GateNorm.NONE,
        epsilon,
        hidden,
        form == KernelForm.VECTOR ? VectorRow.padded(hidden) : hidden,
        small,
        weightX.value(),
        weightH.value(),
        x,
        rows,
        start);
  }

  private Cotangents back(
      Unrolling m, Cell cell, Tensor rows, KernelForm form, Tensor dy, State dend) {
    try (var scope = Scope.open()) {
      int steps = Math.toIntExact(dy.shape().size(0));
      Tensor dh = m.widened(dy);
      Tensor dproduct = dh.zerosOf(1, dy.shape().size(1), m.padded);
      Tensor product = dproduct.reshape(dy.shape().size(1), m.padded);
      Tensor carry = m.widened(dend.tensors().getFirst()).plus(0);
      Tensor dc = kind.states() > 1 ? m.widened(dend.tensors().get(1)).plus(0) : product;
      var through = new Cell.Back(product, carry, dc);
      StepProduct byWeight = StepProduct.by(m.weightH, form);
      for (int t = steps - 1; t >= 0; t--) {
        cell.backward(t, dh, through);
        byWeight.times(m.ah, t, dproduct, 0);
      }
      m.accumulate(rows, weightX, weightH, cell.gradients());
      Tensor dstart = m.unpadded(product.plus(carry));
      State states = kind.states() > 1 ? State.of(dstart, m.unpadded(dc)) : State.of(dstart);
      return new Cotangents(scope.keep(m.dx(in)), states.keptBy(scope));
    }
  }

  private void check(Sequences x, State start) {
    if (x.features() != in) {
      throw new IllegalArgumentException(
          "%s needs T×N×%s, but was given %s".formatted(this, in, x.values().shape()));
    }
    Shape each = Shape.of(x.count(), hidden);
    boolean fits = start.tensors().size() == states();
    for (Tensor tensor : start.tensors()) {
      fits &= tensor.shape().equals(each) && tensor.type() == x.values().type();
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "%s on %s sequences of %s begins in %s states of %s, but was given %s; start() makes them"
              .formatted(this, x.count(), x.values().type(), states(), each, start));
    }
  }

  @Override
  public Shape shape(Shape x) {
    return Shape.of(x.size(0), x.size(1), hidden);
  }

  @Override
  public int states() {
    return kind.states();
  }

  @Override
  public State start(DType type, int count) {
    var zeros = new Tensor[kind.states()];
    Arrays.setAll(zeros, _ -> Tensor.zeros(type, count, hidden));
    return State.of(zeros);
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight_x", weightX);
    byName.put("weight_h", weightH);
    byName.putAll(small.own());
    return byName;
  }

  @Override
  public String toString() {
    String prefix =
        switch (norm) {
          case NONE -> "";
          case LAYER -> "LN-";
          case PER_GATE -> "per-gate LN-";
        };
    return "%s%s %s→%s".formatted(prefix, kind, in, hidden);
  }
}
