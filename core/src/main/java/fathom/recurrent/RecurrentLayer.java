package fathom.recurrent;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Recurrent;
import fathom.Scope;
import fathom.Sequences;
import fathom.Shape;
import fathom.State;
import fathom.Tensor;
import fathom.TracedSequence;
import fathom.TracedSequence.Cotangents;
import fathom.kernel.Kernels;
import fathom.nn.Init;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A layer of recurrent units, plain or with layer norm inside (Ba, Kiros and Hinton 2016). σ is
/// the logistic function, ⊙ the product by elements, LN layer norm with gain and bias of its own.
///
/// - RNN (eq. 4): h = tanh(LN(W_h·h + W_x·x)), one norm of the sum.
/// - LSTM (eq. 20-22): (i, f, o, g) = LN(W_h·h) + LN(W_x·x) + b; c = σ(f)⊙c + σ(i)⊙tanh(g); h =
///   σ(o)⊙tanh(LN(c)). The cell state is carried on as it is: only what is read out of it is
///   normalised.
/// - GRU (eq. 26-28): (z, r) = LN(W_h·h) + LN(W_x·x); ĥ = tanh(LN(W·x) + σ(r)⊙LN(U·h)); h = (1 −
///   σ(z))⊙h + σ(z)⊙ĥ.
///
/// Each norm goes over the concatenated gates, as the equations say; [GateNorm#PER_GATE] takes each
/// gate alone. Gains begin at 1 and biases at 0, as the main text and the authors' code have it;
/// the supplement's "zeros and ones" has the letters swapped. Their code differs in three more ways
/// that are not followed: it adds the LSTM's bias twice, has the GRU's z the other way round, and
/// the Torch version adds ε to the deviation instead of the variance.
///
/// The product with the input is taken for all times at once, the one with the state step by step;
/// the way back likewise, where the weights' gradients are one product each.
public final class RecurrentLayer implements Recurrent {
  private final Kind kind;
  private final GateNorm norm;
  private final int in;
  private final int hidden;
  private final double epsilon;
  private final SmallParams small;
  private final Param weightX;
  private final Param weightH;

  /// Gains and biases: absent where the cell has none.
  private record SmallParams(
      @Nullable Param gainX,
      @Nullable Param biasX,
      @Nullable Param gainH,
      @Nullable Param biasH,
      @Nullable Param bias,
      @Nullable Param gainC,
      @Nullable Param biasC) {
    static SmallParams of(Kind kind, GateNorm norm, int hidden) {
      int gates = kind.gates() * hidden;
      boolean normed = norm != GateNorm.NONE;
      boolean twoParts = kind != Kind.RNN; // an RNN has one norm, of the sum
      boolean gru = kind == Kind.GRU; // where the recurrent bias stands inside the product with r
      return new SmallParams(
          normed ? ones(gates) : null,
          normed || gru ? zeros(gates) : null,
          normed && twoParts ? ones(gates) : null,
          (normed && twoParts) || gru ? zeros(gates) : null,
          kind == Kind.LSTM || (!normed && !gru) ? zeros(gates) : null,
          normed && kind == Kind.LSTM ? ones(hidden) : null,
          normed && kind == Kind.LSTM ? zeros(hidden) : null);
    }

    private static Param zeros(int size) {
      return Param.of(Tensor.zeros(DType.FLOAT32, size));
    }

    private static Param ones(int size) {
      return Param.of(Tensor.zeros(DType.FLOAT32, size).plus(1));
    }
  }

  private RecurrentLayer(
      Kind kind,
      GateNorm norm,
      int in,
      int hidden,
      double epsilon,
      SmallParams small,
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

  /// With `in` features at a time and `hidden` units, ε = 1e-5; `path` is its place in the net.
  /// Weights are drawn with a variance of one over what they sum: `init` is made for rectifiers,
  /// which halve it, and is told twice as much.
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
        SmallParams.of(kind, norm, hidden),
        Param.of(init.weights(Node.path(path, "weight_x"), 2L * in, gates, in)),
        Param.of(init.weights(Node.path(path, "weight_h"), 2L * hidden, gates, hidden)));
  }

  /// The same parameters with another ε, which is added to the variance.
  public RecurrentLayer withEpsilon(double epsilon) {
    return new RecurrentLayer(kind, norm, in, hidden, epsilon, small, weightX, weightH);
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    check(x, start);
    DType type = x.values().type();
    boolean vectors = Kernels.onVectors(type);
    Tensor rows = x.values().reshape((long) x.steps() * x.count(), in);
    var memory = new Memory(x, rows, start, vectors);
    Unrolled u = memory.unrolled;
    Cell cell = vectors ? new VectorCell(kind, hidden, memory.padded) : new ScalarCell();
    try (var _ = Scope.open()) {
      Product product = Product.byTranspose(memory.weightH, vectors);
      long state = (long) x.count() * memory.padded;
      long gates = (long) x.count() * u.width();
      for (int t = 0; t < x.steps(); t++) {
        product.times(u.h(), t * state, x.count(), u.ah(), t * gates);
        cell.forward(u, t);
      }
    }
    Tensor value = memory.h.narrow(0, 1, x.steps() + 1L);
    return new TracedSequence(
        memory.unpadded(value),
        memory.state(x.steps()),
        (dy, dend) -> back(memory, cell, rows, vectors, dy, dend));
  }

  private Cotangents back(
      Memory m, Cell cell, Tensor rows, boolean vectors, Tensor dy, State dend) {
    try (var scope = Scope.open()) {
      Unrolled u = m.unrolled;
      var gradients = CellGradients.zeros(u);
      Tensor dh = m.widened(dy);
      Tensor product = Tensor.zeros(u.type(), u.count(), u.padded());
      Tensor carry = m.widened(dend.tensors().getFirst()).plus(0);
      Tensor dc = kind.states() > 1 ? m.widened(dend.tensors().get(1)).plus(0) : product;
      Product byWeight = Product.by(m.weightH, vectors);
      long gates = (long) u.count() * u.width();
      for (int t = u.steps() - 1; t >= 0; t--) {
        cell.backward(
            u, t, dh.segment(), product.segment(), carry.segment(), dc.segment(), gradients);
        byWeight.times(u.ah(), t * gates, u.count(), product.segment(), 0);
      }
      accumulate(m, rows, gradients);
      Tensor dstart = m.unpadded(product.plus(carry));
      State states = kind.states() > 1 ? State.of(dstart, m.unpadded(dc)) : State.of(dstart);
      Tensor dx = m.ax.matmul(m.weightX).reshape(u.steps(), u.count(), in);
      return new Cotangents(scope.keep(dx), states.keptBy(scope));
    }
  }

  private void accumulate(Memory m, Tensor rows, CellGradients gradients) {
    Unrolled u = m.unrolled;
    long count = (long) u.steps() * u.count();
    Tensor before = m.h.narrow(0, 0, u.steps()).reshape(count, u.padded());
    if (u.padded() == hidden) {
      weightX.grad().addProduct_(m.ax.transpose(), rows);
      weightH.grad().addProduct_(m.ah.transpose(), before);
    } else {
      weightX.grad().add_(m.unpaddedRows(m.ax.transpose().matmul(rows)));
      weightH.grad().add_(m.unpaddedRows(m.unpadded(m.ah.transpose().matmul(before))));
    }
    m.add(small.gainX, gradients.gainX());
    m.add(small.biasX, gradients.biasX());
    m.add(small.gainH, gradients.gainH());
    m.add(small.biasH, gradients.biasH());
    m.add(small.bias, gradients.biasX());
    m.add(small.gainC, gradients.gainC());
    m.add(small.biasC, gradients.biasC());
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

  /// The tensors of one forward. Units are padded to what the cell works on at a time.
  private final class Memory {
    final int padded;
    final Tensor weightX;
    final Tensor weightH;
    final Tensor ax;
    final Tensor ah;
    final Tensor h;
    final Tensor c;
    final Unrolled unrolled;

    Memory(Sequences x, Tensor rows, State start, boolean vectors) {
      DType type = x.values().type();
      int steps = x.steps();
      int count = x.count();
      this.padded = vectors ? VectorCell.padded(hidden) : hidden;
      long gates = (long) kind.gates() * padded;
      this.weightX = paddedRows(RecurrentLayer.this.weightX.value());
      this.weightH = widened(paddedRows(RecurrentLayer.this.weightH.value()));
      this.ax = rows.matmul(weightX.transpose());
      this.ah = Tensor.empty(type, (long) steps * count, gates);
      Tensor gateValues = Tensor.empty(type, steps, count, gates);
      this.h = Tensor.empty(type, steps + 1L, count, padded);
      boolean cells = kind.states() > 1;
      this.c = Tensor.empty(type, cells ? steps + 1L : 0, count, padded);
      Tensor readOut = Tensor.empty(type, cells ? steps : 0, count, padded);
      begin(h, start.tensors().getFirst());
      if (cells) {
        begin(c, start.tensors().get(1));
      }
      Tensor statistics = Tensor.empty(DType.FLOAT64, steps, count, Unrolled.perRow(kind));
      this.unrolled =
          new Unrolled(
              kind,
              norm,
              epsilon,
              type,
              steps,
              count,
              hidden,
              padded,
              x.lengths(),
              weights(type),
              ax.segment(),
              ah.segment(),
              gateValues.segment(),
              h.segment(),
              c.segment(),
              readOut.segment(),
              statistics.segment());
    }

    private void begin(Tensor states, Tensor start) {
      try (var _ = Scope.open()) {
        states.narrow(0, 0, 1).reshape(start.shape().size(0), padded).copy_(widened(start));
      }
    }

    private CellWeights weights(DType type) {
      Tensor biasX = small(small.biasX, type, 0, kind.gates());
      if (small.bias != null) {
        biasX = biasX.plus(small(small.bias, type, 0, kind.gates()));
      }
      return new CellWeights(
          small(small.gainX, type, 1, kind.gates()).segment(),
          biasX.segment(),
          small(small.gainH, type, 1, kind.gates()).segment(),
          small(small.biasH, type, 0, kind.gates()).segment(),
          small(small.gainC, type, 1, 1).segment(),
          small(small.biasC, type, 0, 1).segment());
    }

    /// A gain or bias for the padded units, or what does nothing in its place.
    private Tensor small(@Nullable Param param, DType type, double absent, int gates) {
      if (param != null) {
        return paddedRows(param.value());
      }
      return Tensor.zeros(type, (long) gates * padded).plus(absent);
    }

    /// Gates·H rows as gates·padded ones.
    private Tensor paddedRows(Tensor t) {
      if (padded == hidden) {
        return t.contiguous();
      }
      long gates = t.shape().size(0) / hidden;
      long rest = t.shape().elements() / t.shape().size(0);
      try (var scope = Scope.open()) {
        Tensor wide = Tensor.zeros(t.type(), gates, padded, rest);
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

    /// The last dimension, H, made longer.
    private Tensor widened(Tensor t) {
      if (padded == hidden) {
        return t.contiguous();
      }
      int last = t.shape().rank() - 1;
      long[] shape = t.shape().toArray();
      shape[last] = padded;
      try (var scope = Scope.open()) {
        Tensor wide = Tensor.zeros(t.type(), shape);
        wide.narrow(last, 0, hidden).copy_(t);
        return scope.keep(wide);
      }
    }

    private Tensor unpadded(Tensor t) {
      return padded == hidden
          ? t.contiguous()
          : t.narrow(t.shape().rank() - 1, 0, hidden).contiguous();
    }

    State state(long step) {
      Tensor hidden = at(h, step);
      return kind.states() > 1 ? State.of(hidden, at(c, step)) : State.of(hidden);
    }

    private Tensor at(Tensor states, long step) {
      return unpadded(states.narrow(0, step, step + 1).reshape(unrolled.count(), padded));
    }

    /// Adds gradients of padded units to a parameter, where there is one.
    void add(@Nullable Param param, double[] gradient) {
      if (param == null) {
        return;
      }
      int size = Math.toIntExact(param.value().shape().size(0));
      double[] own = new double[size];
      for (int k = 0; k < size; k++) {
        own[k] = gradient[k / hidden * padded + k % hidden];
      }
      param.grad().add_(own);
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
    put(byName, "gain_x", small.gainX);
    put(byName, "bias_x", small.biasX);
    put(byName, "gain_h", small.gainH);
    put(byName, "bias_h", small.biasH);
    put(byName, "bias", small.bias);
    put(byName, "gain_c", small.gainC);
    put(byName, "bias_c", small.biasC);
    return byName;
  }

  private static void put(Map<String, Param> byName, String name, @Nullable Param param) {
    if (param != null) {
      byName.put(name, param);
    }
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
