package fathom.recurrent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Autograd;
import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Recurrent layers against the paper's equations: fixtures worked by hand, the equations in whole
/// tensors with libtorch's autograd, central differences, and float32 on vector registers against
/// float64.
class RecurrentLayerTest {
  private static final RandomKey DRAW = RandomKey.of(30, "recurrent");

  record Case(Kind kind, GateNorm norm, int in, int hidden, int steps, int... lengths) {
    RecurrentLayer layer(DType type) {
      var layer = RecurrentLayer.of(Init.he(7), "r", kind, norm, in, hidden);
      layer
          .state()
          .forEach((path, param) -> {
            Tensor noise =
                Tensor.normal(
                    RandomKey.of(8, path), DType.FLOAT64, param.value().shape().toArray());
            param.convert(DType.FLOAT64);
            param.value().add_(noise.times(0.3));
            param.convert(DType.FLOAT32); // the same numbers in either type
            param.convert(type);
          });
      return layer;
    }

    Sequences input(DType type) {
      Tensor x = Tensor.normal(DRAW.at(1), DType.FLOAT32, steps, lengths.length, in);
      return new Sequences(x.to(type), lengths);
    }

    State start(DType type) {
      var states = new Tensor[kind.states()];
      Arrays.setAll(
          states,
          i ->
              Tensor.normal(DRAW.at(2 + i), DType.FLOAT32, lengths.length, hidden)
                  .times(0.5)
                  .to(type));
      return State.of(states);
    }

    @Override
    public String toString() {
      return "%s %s %s→%s, %s steps of %s"
          .formatted(norm, kind, in, hidden, steps, Arrays.toString(lengths));
    }
  }

  private static Stream<Case> cases() {
    var cases = new ArrayList<Case>();
    for (Kind kind : Kind.values()) {
      for (GateNorm norm : GateNorm.values()) {
        cases.add(new Case(kind, norm, 3, 4, 5, 5, 2, 0, 3));
        cases.add(new Case(kind, norm, 2, 5, 3, 3, 3));
        cases.add(new Case(kind, norm, 1, 2, 1, 1));
      }
    }
    return cases.stream();
  }

  // ---- The paper's equations

  /// y and the last states, one after the other along time, of T×N×I.
  private static Tensor equations(
      Case c, Map<String, Param> params, List<Param> start, Tensor x, DType type) {
    var all = new ArrayList<Tensor>();
    Tensor h = start.getFirst().value();
    Tensor cell = start.getLast().value();
    for (int t = 0; t < c.steps; t++) {
      Tensor xt = x.narrow(0, t, t + 1).reshape(c.lengths.length, c.in);
      Tensor ax = xt.matmul(params.get("weight_x").value().transpose());
      Tensor ah = h.matmul(params.get("weight_h").value().transpose());
      Tensor newCell = cell;
      Tensor newH =
          switch (c.kind) {
            case RNN -> norm(c, params, "x", ax.plus(ah), 0, 1).plus(bias(c, params, type)).tanh();
            case LSTM -> {
              Tensor z =
                  norm(c, params, "x", ax, 0, 4)
                      .plus(norm(c, params, "h", ah, 0, 4))
                      .plus(bias(c, params, type));
              newCell =
                  gate(c, z, 1)
                      .sigmoid()
                      .times(cell)
                      .plus(gate(c, z, 0).sigmoid().times(gate(c, z, 3).tanh()));
              Tensor read = newCell;
              if (c.norm != GateNorm.NONE) {
                read =
                    layerNorm(newCell)
                        .times(params.get("gain_c").value())
                        .plus(params.get("bias_c").value());
              }
              yield gate(c, z, 2).sigmoid().times(read.tanh());
            }
            case GRU -> {
              Tensor zx = norm(c, params, "x", ax, 0, 2);
              Tensor zh = norm(c, params, "h", ah, 0, 2);
              Tensor z = gate(c, zx, 0).plus(gate(c, zh, 0)).sigmoid();
              Tensor r = gate(c, zx, 1).plus(gate(c, zh, 1)).sigmoid();
              Tensor candidate =
                  norm(c, params, "x", ax, 2, 3)
                      .plus(r.times(norm(c, params, "h", ah, 2, 3)))
                      .tanh();
              yield h.minus(z.times(h)).plus(z.times(candidate));
            }
          };
      double[] mask = new double[c.lengths.length];
      for (int n = 0; n < mask.length; n++) {
        mask[n] = t < c.lengths[n] ? 1 : 0;
      }
      Tensor active = Tensor.of(mask, mask.length, 1).to(type);
      h = h.plus(active.times(newH.minus(h)));
      cell = cell.plus(active.times(newCell.minus(cell)));
      all.add(h);
    }
    all.add(h);
    if (c.kind == Kind.LSTM) {
      all.add(cell);
    }
    return Tensor.concatenated(0, all).reshape(all.size(), c.lengths.length, c.hidden);
  }

  private static Tensor gate(Case c, Tensor z, int gate) {
    return z.narrow(1, (long) gate * c.hidden, (gate + 1L) * c.hidden);
  }

  private static Tensor bias(Case c, Map<String, Param> params, DType type) {
    Param bias = params.get("bias");
    return bias == null ? Tensor.zeros(type, (long) c.kind.gates() * c.hidden) : bias.value();
  }

  /// The gates `from .. to-1` of a part, normalised together or each for itself, with gain and
  /// bias.
  private static Tensor norm(
      Case c, Map<String, Param> params, String part, Tensor a, int from, int to) {
    Tensor own = a.narrow(1, (long) from * c.hidden, (long) to * c.hidden);
    Tensor normed = own;
    if (c.norm == GateNorm.LAYER) {
      normed = layerNorm(own);
    } else if (c.norm == GateNorm.PER_GATE) {
      normed =
          layerNorm(own.reshape((long) c.lengths.length * (to - from), c.hidden))
              .reshape(c.lengths.length, (long) (to - from) * c.hidden);
    }
    Param gain = params.get("gain_" + part);
    Param bias = params.get("bias_" + part);
    normed = gain == null ? normed : normed.times(slice(c, gain, from, to));
    return bias == null ? normed : normed.plus(slice(c, bias, from, to));
  }

  private static Tensor slice(Case c, Param param, int from, int to) {
    return param.value().narrow(0, (long) from * c.hidden, (long) to * c.hidden);
  }

  private static Tensor layerNorm(Tensor a) {
    Tensor centred = a.minus(a.mean(1));
    return centred.dividedBy(centred.square().mean(1).plus(1e-5).sqrt());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void valuesAndGradientsAreThoseOfTheEquations(Case c) {
    try (var _ = Scope.open()) {
      var layer = c.layer(DType.FLOAT64);
      Sequences x = c.input(DType.FLOAT64);
      State start = c.start(DType.FLOAT64);
      TracedSequence traced = layer.forward(x, start);
      var parts = new ArrayList<Tensor>(List.of(traced.value()));
      traced.end().tensors().forEach(t -> parts.add(t.reshape(1, c.lengths.length, c.hidden)));

      var starts = start.tensors().stream().map(t -> Param.of(t.plus(0))).toList();
      var params = new ArrayList<>(layer.params());
      params.addAll(starts);
      Layer oracle =
          Autograd.layer(
              a -> equations(c, layer.own(), starts, a, DType.FLOAT64),
              params.toArray(Param[]::new));
      Traced expected = oracle.forward(x.values());
      assertClose(expected.value(), Tensor.concatenated(0, parts), 1e-12, "value");

      Tensor dy = Tensor.normal(DRAW.at(9), DType.FLOAT64, expected.value().shape().toArray());
      var dend = new ArrayList<Tensor>();
      for (int i = 0; i < start.tensors().size(); i++) {
        dend.add(dy.narrow(0, c.steps + i, c.steps + i + 1L).reshape(c.lengths.length, c.hidden));
      }
      var cotangents = traced.back(dy.narrow(0, 0, c.steps).contiguous(), new State(dend));
      var actual = gradients(layer);
      Tensor dx = expected.back(dy);
      assertClose(dx, cotangents.dx(), 1e-10, "dx");
      for (int i = 0; i < starts.size(); i++) {
        assertClose(
            starts.get(i).grad(), cotangents.dstart().tensors().get(i), 1e-10, "dstart " + i);
      }
      var expectedGradients = gradients(layer);
      expectedGradients.forEach(
          (path, g) -> assertArrayEquals(g, actual.get(path), 1e-9, "gradient of " + path));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientsAgreeWithCentralDifferences(Case c) {
    try (var _ = Scope.open()) {
      var layer = c.layer(DType.FLOAT64);
      assertDirections(layer, c.input(DType.FLOAT64), c.start(DType.FLOAT64));
    }
  }

  @Test
  void residualConnectionsAndStacksComeBackToo() {
    try (var _ = Scope.open()) {
      Init init = Init.he(3);
      var stack =
          new Stack(
              List.of(
                  RecurrentLayer.of(init, "0", Kind.LSTM, GateNorm.LAYER, 3, 4),
                  new RecurrentResidual(
                      RecurrentLayer.of(init, "1", Kind.GRU, GateNorm.LAYER, 4, 4)),
                  new RecurrentResidual(
                      RecurrentLayer.of(init, "2", Kind.RNN, GateNorm.LAYER, 4, 4))));
      stack.state().values().forEach(p -> p.convert(DType.FLOAT64));
      assertEquals(4, stack.states());
      Sequences x =
          new Sequences(Tensor.normal(DRAW.at(1), DType.FLOAT64, 4, 3, 3), new int[] {4, 1, 2});
      // Not zeros: a norm of nothing but ε turns too sharply for differences.
      var start =
          stack.start(DType.FLOAT64, 3).tensors().stream()
              .map(zeros -> zeros.plus(Tensor.normal(DRAW.at(19), DType.FLOAT64, 3, 4)))
              .toList();
      assertDirections(stack, x, new State(start));
    }
  }

  /// The derivative along a random direction of everything at once.
  private static void assertDirections(Recurrent net, Sequences x, State start) {
    TracedSequence traced = net.forward(x, start);
    Tensor dy = Tensor.normal(DRAW.at(20), DType.FLOAT64, traced.value().shape().toArray());
    var dend = new ArrayList<Tensor>();
    for (Tensor t : traced.end().tensors()) {
      dend.add(Tensor.normal(DRAW.at(21 + dend.size()), DType.FLOAT64, t.shape().toArray()));
    }
    var cotangents = traced.back(dy, new State(dend));
    var moved = new ArrayList<Tensor>(List.of(x.values()));
    moved.addAll(start.tensors());
    var gradients = new ArrayList<Tensor>(List.of(cotangents.dx()));
    gradients.addAll(cotangents.dstart().tensors());
    for (Param param : net.params()) {
      moved.add(param.value());
      gradients.add(param.grad());
    }
    for (int i = 0; i < moved.size(); i++) {
      Tensor direction =
          Tensor.normal(DRAW.at(40 + i), DType.FLOAT64, moved.get(i).shape().toArray());
      double expected = direction.times(gradients.get(i)).sum().item();
      double step = 1e-5;
      moved.get(i).add_(direction.times(step));
      double up = loss(net, x, start, dy, dend);
      moved.get(i).add_(direction.times(-2 * step));
      double down = loss(net, x, start, dy, dend);
      moved.get(i).add_(direction.times(step));
      assertEquals(
          (up - down) / (2 * step), expected, 1e-6 * Math.max(1, Math.abs(expected)), "part " + i);
    }
  }

  private static double loss(
      Recurrent net, Sequences x, State start, Tensor dy, List<Tensor> dend) {
    try (var _ = Scope.open()) {
      var predicted = net.predict(x, start);
      double sum = predicted.value().times(dy).sum().item();
      for (int i = 0; i < dend.size(); i++) {
        sum += predicted.end().tensors().get(i).times(dend.get(i)).sum().item();
      }
      return sum;
    }
  }

  // ---- By hand

  /// Two units: what is normalised over them is +1 and -1, whatever it was.
  @Test
  void twoStepsOfAnLnRnnByHand() {
    try (var _ = Scope.open()) {
      var rnn = byHand(Kind.RNN, 1, 2);
      rnn.own().get("weight_x").value().copy_(new double[] {3, 1});
      rnn.own().get("weight_h").value().copy_(new double[] {0, 1, 1, 0});
      rnn.own().get("gain_x").value().copy_(new double[] {2, 0.5});
      rnn.own().get("bias_x").value().copy_(new double[] {0.1, 0.2});
      Tensor x = Tensor.of(new double[] {1, -0.25}, 2, 1, 1);
      double[] y = rnn.forward(Sequences.of(x), rnn.start(DType.FLOAT64, 1)).value().toDoubles();
      // t = 1: a = (3, 1), normal (1, -1), z = (2·1 + 0.1, -0.5 + 0.2)
      double h0 = Math.tanh(2.1);
      double h1 = Math.tanh(-0.3);
      // t = 2: a = (h1 - 0.75, h0 - 0.25) = (-1.04.., 0.72..), normal (-1, 1), z = (-1.9, 0.7)
      assertArrayEquals(new double[] {h0, h1, Math.tanh(-1.9), Math.tanh(0.7)}, y, 1e-10);
    }
  }

  /// W_x is a column of +1 and -1 whose mean is 0 and standard deviation 1: normalised, W_x·x is
  /// ±W_x.
  @Test
  void twoStepsOfAnLnLstmByHand() {
    try (var _ = Scope.open()) {
      var lstm = byHand(Kind.LSTM, 1, 2);
      double[] p = {1, 1, 1, -1, -1, 1, -1, -1}; // i0 i1 f0 f1 o0 o1 g0 g1
      lstm.own().get("weight_x").value().copy_(p);
      double[] w = new double[16];
      for (int k = 0; k < 8; k++) {
        w[2 * k] = p[k]; // W_h·h = h0·p
      }
      lstm.own().get("weight_h").value().copy_(w);
      lstm.own().get("bias").value().copy_(new double[] {0, 0, 0, 0, 0, 0, 2, 1});
      lstm.own().get("gain_c").value().copy_(new double[] {0.5, 3});
      lstm.own().get("bias_c").value().copy_(new double[] {0, 0.25});
      Tensor x = Tensor.of(new double[] {5, -7}, 2, 1, 1);
      var traced = lstm.forward(Sequences.of(x), lstm.start(DType.FLOAT64, 1));
      // t = 1: LN(W_h·0) = 0, z = p + b, so i = σ(1, 1), g = tanh(-1 + 2, -1 + 1) = (tanh 1, 0)
      double c0 = sigmoid(1) * Math.tanh(1);
      double c1 = 0;
      // LN(c) = (1, -1), read out (0.5, -3 + 0.25)
      double h0 = sigmoid(-1) * Math.tanh(0.5);
      double h1 = sigmoid(1) * Math.tanh(-2.75);
      // t = 2: x is negative, h0 positive: z = -p + p + b = b
      double d0 = 0.5 * c0 + 0.5 * Math.tanh(2);
      double d1 = 0.5 * c1 + 0.5 * Math.tanh(1);
      assertTrue(d0 > d1);
      assertArrayEquals(
          new double[] {h0, h1, 0.5 * Math.tanh(0.5), 0.5 * Math.tanh(-2.75)},
          traced.value().toDoubles(),
          1e-10);
      assertArrayEquals(new double[] {d0, d1}, traced.end().tensors().getLast().toDoubles(), 1e-10);
    }
  }

  @Test
  void twoStepsOfAnLnGruByHand() {
    try (var _ = Scope.open()) {
      var gru = byHand(Kind.GRU, 1, 2);
      double[] p = {1, -1, -1, 1, 1, -1}; // z0 z1 r0 r1 n0 n1
      gru.own().get("weight_x").value().copy_(p);
      double[] u = new double[12];
      for (int k = 0; k < 6; k++) {
        u[2 * k] = p[k];
      }
      gru.own().get("weight_h").value().copy_(u);
      gru.own().get("bias_h").value().copy_(new double[] {0, 0, 0, 0, 0.5, 0});
      Tensor x = Tensor.of(new double[] {2, 3}, 2, 1, 1);
      double[] y = gru.forward(Sequences.of(x), gru.start(DType.FLOAT64, 1)).value().toDoubles();
      // t = 1: LN(U·0) = 0, so z = σ(1, -1), r = σ(-1, 1), ĥ = tanh(1 + r·0.5, -1 + r·0)
      double h0 = sigmoid(1) * Math.tanh(1 + sigmoid(-1) * 0.5);
      double h1 = sigmoid(-1) * Math.tanh(-1);
      // t = 2: h0 > 0, so LN(U·h) = p: z = σ(2, -2), r = σ(-2, 2), ĥ = tanh(1 + r·1.5, -1 - r)
      double k0 = (1 - sigmoid(2)) * h0 + sigmoid(2) * Math.tanh(1 + sigmoid(-2) * 1.5);
      double k1 = (1 - sigmoid(-2)) * h1 + sigmoid(-2) * Math.tanh(-1 - sigmoid(2));
      assertArrayEquals(new double[] {h0, h1, k0, k1}, y, 1e-10);
    }
  }

  private static RecurrentLayer byHand(Kind kind, int in, int hidden) {
    var layer =
        RecurrentLayer.of(Init.zeros(), "", kind, GateNorm.LAYER, in, hidden)
            .withEpsilon(Double.MIN_NORMAL); // a vector of zeros stays one
    layer.state().values().forEach(p -> p.convert(DType.FLOAT64));
    return layer;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  // ---- Properties

  /// The paper's section 5.2: the norm of the sum takes the scale of both matrices out.
  @Test
  void anLnRnnDoesNotSeeTheScaleOfItsWeights() {
    try (var _ = Scope.open()) {
      var c = new Case(Kind.RNN, GateNorm.LAYER, 3, 6, 20, 20, 20);
      assertTrue(scaled(c) < 1e-10);
      assertTrue(scaled(new Case(Kind.RNN, GateNorm.NONE, 3, 6, 20, 20, 20)) > 1e-3);
    }
  }

  private static double scaled(Case c) {
    var layer = c.layer(DType.FLOAT64).withEpsilon(0);
    Tensor before = layer.predict(c.input(DType.FLOAT64), c.start(DType.FLOAT64)).value();
    for (String name : List.of("weight_x", "weight_h")) {
      Tensor w = layer.own().get(name).value();
      w.copy_(w.times(10));
    }
    Tensor after = layer.predict(c.input(DType.FLOAT64), c.start(DType.FLOAT64)).value();
    return Arrays.stream(after.minus(before).toDoubles()).map(Math::abs).max().orElse(0);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void twoHalvesWithTheStateBetweenThemAreTheWhole(Case c) {
    try (var _ = Scope.open()) {
      var layer = c.layer(DType.FLOAT64);
      Sequences x = c.input(DType.FLOAT64);
      var whole = layer.predict(x, c.start(DType.FLOAT64));
      int half = c.steps / 2;
      var first = layer.predict(part(x, 0, half), c.start(DType.FLOAT64));
      var second = layer.predict(part(x, half, c.steps), first.end());
      Tensor joined = Tensor.concatenated(0, List.of(first.value(), second.value()));
      assertArrayEquals(whole.value().toDoubles(), joined.toDoubles(), 0);
      for (int i = 0; i < layer.states(); i++) {
        assertArrayEquals(
            whole.end().tensors().get(i).toDoubles(), second.end().tensors().get(i).toDoubles(), 0);
      }
    }
  }

  private static Sequences part(Sequences x, int from, int to) {
    int[] lengths =
        Arrays.stream(x.lengths()).map(l -> Math.clamp(l - from, 0, to - from)).toArray();
    return new Sequences(x.values().narrow(0, from, to).contiguous(), lengths);
  }

  /// Units that fill registers, and such that do not; rows that fill a tile, and such that do not.
  private static Stream<Case> sizes() {
    var cases = new ArrayList<Case>();
    int[] counts = {1, 2, 3, 4, 5, 8, 9};
    int i = 0;
    for (int hidden : new int[] {1, 3, 7, 16, 17, 31, 48, 64, 100}) {
      for (Kind kind : Kind.values()) {
        for (GateNorm norm : GateNorm.values()) {
          int[] lengths = new int[counts[i++ % counts.length]];
          for (int n = 0; n < lengths.length; n++) {
            lengths[n] = (6 - n % 7) % 7;
          }
          lengths[0] = 6;
          cases.add(new Case(kind, norm, 1 + hidden % 5, hidden, 6, lengths));
        }
      }
    }
    return cases.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("sizes")
  void float32OnVectorRegistersAgreesWithFloat64(Case c) {
    try (var _ = Scope.open()) {
      var expected = run(c, DType.FLOAT64);
      var actual = run(c, DType.FLOAT32);
      expected.forEach((name, e) -> {
        double[] a = actual.get(name);
        double scale = Math.max(1, Arrays.stream(e).map(Math::abs).max().orElse(0));
        assertArrayEquals(e, a, 2e-4 * scale, name);
      });
    }
  }

  private static Map<String, double[]> run(Case c, DType type) {
    var layer = c.layer(type);
    Sequences x = c.input(type);
    TracedSequence traced = layer.forward(x, c.start(type));
    Tensor dy = Tensor.normal(DRAW.at(5), DType.FLOAT32, traced.value().shape().toArray()).to(type);
    State dend = c.start(type); // any numbers
    var cotangents = traced.back(dy, dend);
    var all = new LinkedHashMap<String, double[]>();
    all.put("value", traced.value().toDoubles());
    all.put("dx", cotangents.dx().toDoubles());
    for (int i = 0; i < layer.states(); i++) {
      all.put("end " + i, traced.end().tensors().get(i).toDoubles());
      all.put("dstart " + i, cotangents.dstart().tensors().get(i).toDoubles());
    }
    all.putAll(gradients(layer));
    return all;
  }

  @Test
  void aWorkerWithoutRowsDoesNothing() {
    try (var _ = Scope.open()) {
      var c = new Case(Kind.LSTM, GateNorm.LAYER, 3, 5, 4);
      run(c, DType.FLOAT32)
          .forEach((name, v) -> assertEquals(0, Arrays.stream(v).map(Math::abs).sum(), name));
    }
  }

  @Test
  void leavesNothingBehind() {
    try (var _ = Scope.open()) {
      var c = new Case(Kind.LSTM, GateNorm.LAYER, 3, 5, 4, 4, 2);
      var layer = c.layer(DType.FLOAT32);
      Sequences x = c.input(DType.FLOAT32);
      State start = c.start(DType.FLOAT32);
      long live = Tensor.live();
      try (var _ = Scope.open()) {
        var traced = layer.forward(x, start);
        traced.back(traced.value());
      }
      assertEquals(live, Tensor.live());
      Tensor kept;
      try (var scope = Scope.open()) {
        kept = scope.keep(layer.predict(x, start).value());
      }
      assertEquals(live + 1, Tensor.live());
      assertEquals(4, kept.shape().size(0));
    }
  }

  @Test
  void saysWhatDoesNotFit() {
    try (var _ = Scope.open()) {
      var layer = new Case(Kind.LSTM, GateNorm.LAYER, 3, 5, 2, 2).layer(DType.FLOAT32);
      Sequences x = Sequences.of(Tensor.zeros(DType.FLOAT32, 2, 1, 3));
      Sequences wide = Sequences.of(Tensor.zeros(DType.FLOAT32, 2, 1, 4));
      State start = layer.start(DType.FLOAT32, 1);
      assertMessage("needs T×N×3, but was given 2×1×4", () -> layer.forward(wide, start));
      State two = layer.start(DType.FLOAT32, 2);
      assertMessage("2 states of 1×5, but was given", () -> layer.forward(x, two));
      assertMessage("2 states of 1×5", () -> layer.forward(x, start.part(0, 1)));
      assertMessage(
          "has 0 to 2 steps, but one has 3", () -> new Sequences(x.values(), new int[] {3}));
      assertMessage("there are 2 lengths", () -> new Sequences(x.values(), new int[] {1, 1}));
      var traced = layer.forward(x, start);
      assertMessage("but was given as", () -> traced.back(traced.value(), two));
    }
  }

  private static void assertMessage(String part, Executable executable) {
    String message = assertThrows(IllegalArgumentException.class, executable).getMessage();
    assertTrue(message.contains(part), message);
  }

  private static Map<String, double[]> gradients(Node node) {
    var all = new LinkedHashMap<String, double[]>();
    node.state()
        .forEach((path, param) -> {
          all.put(path, param.grad().toDoubles());
          param.grad().zero_();
        });
    return all;
  }

  private static void assertClose(Tensor expected, Tensor actual, double tolerance, String what) {
    assertEquals(expected.shape(), actual.shape(), what);
    assertArrayEquals(expected.toDoubles(), actual.toDoubles(), tolerance, what);
  }
}
