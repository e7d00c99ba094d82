package fathom.recurrent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.nn.Dense;
import fathom.nn.Init;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What holds for every function of sequences, whatever is inside: sequences of different lengths
/// side by side are as each alone, a stretch is as its parts, and the backward pass is the
/// derivative.
class RecurrentLawsTest {
  private static final RandomKey DRAW = RandomKey.of(7, "sequences");
  private static final int STEPS = 5;
  private static final int FEATURES = 4;
  private static final int[] LENGTHS = {5, 2, 0, 3};

  interface Maker {
    Recurrent make(Init init);
  }

  record Case(String name, Maker maker, boolean carriesState) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Stream<Case> cases() {
    var encoder = new Case("encoder", i -> Encoder.of(i, "", STEPS, FEATURES, 2, 2), false);
    var each =
        new Case("time-distributed", i -> new TimeDistributed(Dense.of(i, "", FEATURES, 3)), true);
    var lstm = layer("lstm", Kind.LSTM, GateNorm.NONE);
    var lnGru = layer("ln-gru", Kind.GRU, GateNorm.LAYER);
    return Stream.of(
        encoder,
        each,
        lstm,
        lnGru,
        layer("ln-lstm", Kind.LSTM, GateNorm.LAYER),
        layer("rnn", Kind.RNN, GateNorm.NONE),
        layer("ln-rnn", Kind.RNN, GateNorm.LAYER),
        new Case("residual", i -> new RecurrentResidual(lnGru.maker.make(i)), true),
        new Case(
            "stack",
            i ->
                new Stack(
                    List.of(
                        lstm.maker.make(i.in("0")),
                        new RecurrentResidual(lnGru.maker.make(i.in("1"))),
                        each.maker.make(i.in("2")))),
            true),
        both(encoder, each),
        both(encoder, encoder),
        both(lstm, lnGru));
  }

  private static Case layer(String name, Kind kind, GateNorm norm) {
    return new Case(name, i -> RecurrentLayer.of(i, "", kind, norm, FEATURES, FEATURES), true);
  }

  private static Case both(Case a, Case b) {
    return new Case(
        "%s and backwards %s".formatted(a, b),
        i -> new Bidirectional(a.maker.make(i.in("a")), b.maker.make(i.in("b"))),
        false);
  }

  private static Recurrent make(Case c) {
    Recurrent layer = c.maker.make(Init.he(3));
    layer
        .state()
        .forEach((path, param) -> {
          param.convert(DType.FLOAT64);
          Tensor noise =
              Tensor.normal(
                  RandomKey.of(4, path + "."), DType.FLOAT64, param.value().shape().toArray());
          param.value().add_(noise.times(0.3));
        });
    return layer;
  }

  private static Tensor normal(int which, long... shape) {
    return Tensor.normal(DRAW.at(which), DType.FLOAT64, shape);
  }

  private static Sequences x() {
    return new Sequences(normal(1, STEPS, LENGTHS.length, FEATURES), LENGTHS);
  }

  /// A state that is not zero.
  private static State state(Recurrent layer, int count, int which) {
    return new State(
        layer.start(DType.FLOAT64, count).tensors().stream()
            .map(t -> normal(which, t.shape().toArray()))
            .toList());
  }

  /// Values, end state, gradients of parameters, dE/dx and dE/dstart of the sequence n by itself.
  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void sequencesOfDifferentLengthsAreAsEachAlone(Case c) {
    try (var _ = Scope.open()) {
      Recurrent layer = make(c);
      Sequences x = x();
      State start = state(layer, LENGTHS.length, 2);
      var together = layer.forward(x, start);
      Tensor dy = withoutPadding(normal(3, together.value().shape().toArray()));
      State dend = state(layer, LENGTHS.length, 4);
      var d = together.back(dy, dend);
      var gradients = gradients(layer);
      for (int n = 0; n < LENGTHS.length; n++) {
        var one = Sequences.of(of(x.values(), n));
        var alone = layer.forward(one, of(start, n));
        assertClose("the value", alone.value(), of(together.value(), n));
        assertClose("the end", alone.end(), of(together.end(), n));
        var e = alone.back(of(dy, n), of(dend, n));
        assertClose("dE/dx", e.dx(), of(d.dx(), n));
        assertClose("dE/dstart", e.dstart(), of(d.dstart(), n));
      }
      var sum = gradients(layer);
      sum.forEach((path, g) -> assertArrayEquals(g, gradients.get(path), 1e-11, path));
    }
  }

  /// Sequence n without its padding.
  private static Tensor of(Tensor values, int n) {
    return values.narrow(1, n, n + 1).narrow(0, 0, LENGTHS[n]).contiguous();
  }

  private static State of(State state, int n) {
    return new State(
        state.tensors().stream().map(t -> t.narrow(0, n, n + 1).contiguous()).toList());
  }

  private static Tensor withoutPadding(Tensor dy) {
    for (int n = 0; n < LENGTHS.length; n++) {
      dy.narrow(1, n, n + 1).narrow(0, LENGTHS[n], STEPS).zero_();
    }
    return dy;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void paddingReachesNothing(Case c) {
    try (var _ = Scope.open()) {
      Recurrent layer = make(c);
      Sequences x = x();
      Tensor other = x.values().plus(1e3);
      for (int n = 0; n < LENGTHS.length; n++) {
        other.narrow(1, n, n + 1).narrow(0, 0, LENGTHS[n]).copy_(of(x.values(), n));
      }
      State start = state(layer, LENGTHS.length, 2);
      var first = layer.forward(x, start);
      var second = layer.forward(x.with(other), start);
      for (int n = 0; n < LENGTHS.length; n++) {
        assertClose("the value", of(first.value(), n), of(second.value(), n));
      }
      assertClose("the end", first.end(), second.end());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void aStretchIsAsItsParts(Case c) {
    if (!c.carriesState) {
      return;
    }
    try (var _ = Scope.open()) {
      Recurrent layer = make(c);
      Tensor x = normal(1, STEPS, 3, FEATURES);
      State start = state(layer, 3, 2);
      var whole = layer.forward(Sequences.of(x), start);
      var first = layer.forward(Sequences.of(x.narrow(0, 0, 2)), start);
      var second = layer.forward(Sequences.of(x.narrow(0, 2, STEPS)), first.end());
      assertClose(
          "the value",
          whole.value(),
          Tensor.concatenated(0, List.of(first.value(), second.value())));
      assertClose("the end", whole.end(), second.end());
      Tensor dy = normal(3, whole.value().shape().toArray());
      State dend = state(layer, 3, 4);
      var d = whole.back(dy, dend);
      var expected = gradients(layer);
      var dSecond = second.back(dy.narrow(0, 2, STEPS).contiguous(), dend);
      var dFirst = first.back(dy.narrow(0, 0, 2).contiguous(), dSecond.dstart());
      assertClose("dE/dx", d.dx(), Tensor.concatenated(0, List.of(dFirst.dx(), dSecond.dx())));
      assertClose("dE/dstart", d.dstart(), dFirst.dstart());
      gradients(layer).forEach((path, g) -> assertArrayEquals(expected.get(path), g, 1e-11, path));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void backAgreesWithCentralDifferences(Case c) {
    try (var _ = Scope.open()) {
      Recurrent layer = make(c);
      Sequences x = x();
      State start = state(layer, LENGTHS.length, 2);
      var traced = layer.forward(x, start);
      Tensor dy = normal(3, traced.value().shape().toArray());
      State dend = state(layer, LENGTHS.length, 4);
      var d = traced.back(dy, dend);
      var gradients = gradients(layer);
      Tensor way = normal(5, x.values().shape().toArray());
      assertSlope(
          "dE/dx",
          slope(h -> layer.forward(x.with(x.values().plus(way.times(h))), start), dy, dend),
          d.dx().times(way));
      for (int i = 0; i < start.tensors().size(); i++) {
        int which = i;
        Tensor along = normal(6, start.tensors().get(i).shape().toArray());
        assertSlope(
            "dE/dstart",
            slope(h -> layer.forward(x, moved(start, which, along.times(h))), dy, dend),
            d.dstart().tensors().get(i).times(along));
      }
      layer
          .state()
          .forEach((path, param) -> {
            Tensor along = normal(7, param.value().shape().toArray());
            Tensor gradient = Tensor.of(gradients.get(path), param.value().shape().toArray());
            assertSlope(
                path,
                slope(h -> moved(layer, x, start, param, along.times(h)), dy, dend),
                gradient.times(along));
          });
    }
  }

  private static State moved(State state, int which, Tensor by) {
    var tensors = state.tensors().toArray(Tensor[]::new);
    tensors[which] = tensors[which].plus(by);
    return State.of(tensors);
  }

  private static TracedSequence moved(
      Recurrent layer, Sequences x, State start, Param param, Tensor by) {
    double[] before = param.value().toDoubles();
    param.value().add_(by);
    try {
      return layer.forward(x, start);
    } finally {
      param.value().copy_(before);
    }
  }

  private interface Line {
    TracedSequence at(double h);
  }

  /// d/dh of Σ dy·value + Σ dend·end at 0.
  private static double slope(Line line, Tensor dy, State dend) {
    double h = 1e-5;
    double difference = 0;
    for (int sign : new int[] {1, -1}) {
      var traced = line.at(sign * h);
      difference += sign * traced.value().times(dy).sum().item();
      for (int i = 0; i < dend.tensors().size(); i++) {
        Tensor end = traced.end().tensors().get(i);
        difference += sign * end.times(dend.tensors().get(i)).sum().item();
      }
    }
    return difference / (2 * h);
  }

  private static void assertSlope(String what, double slope, Tensor products) {
    double size = Arrays.stream(products.toDoubles()).map(Math::abs).sum();
    assertEquals(slope, products.sum().item(), 1e-6 * Math.max(0.01, size), what);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void predictIsForwardAndLeavesNothingElse(Case c) {
    try (var _ = Scope.open()) {
      Recurrent layer = make(c);
      Sequences x = x();
      State start = state(layer, LENGTHS.length, 2);
      var traced = layer.forward(x, start);
      assertEquals(layer.states(), start.tensors().size());
      assertEquals(layer.states(), traced.end().tensors().size());
      long before = Tensor.live();
      var predicted = layer.predict(x, start);
      assertEquals(1 + layer.states(), Tensor.live() - before, "tensors that predict leaves");
      for (int n = 0; n < LENGTHS.length; n++) {
        assertClose("the value", of(traced.value(), n), of(predicted.value(), n));
      }
      assertClose("the end", traced.end(), predicted.end());
      Tensor dy = normal(3, traced.value().shape().toArray());
      State dend = traced.end().zerosLike();
      before = Tensor.live();
      traced.back(dy, dend);
      assertEquals(1 + layer.states(), Tensor.live() - before, "tensors that back leaves");
    }
  }

  /// The second direction ends where a sequence begins: its own first step is the last it reads.
  @Test
  void backwardsBeginsAtTheEndOfEachSequence() {
    try (var _ = Scope.open()) {
      var sums = new Bidirectional(new Sum(), new Sum());
      Tensor x = Tensor.of(new double[] {1, 10, 2, 20, 4, 40}, 3, 2, 1);
      var y = sums.forward(new Sequences(x, new int[] {3, 2}), sums.start(DType.FLOAT64, 2));
      assertArrayEquals(
          new double[] {
            1, 7, 10, 30,
            3, 6, 30, 20,
            7, 4
          },
          Arrays.copyOf(y.value().toDoubles(), 10));
    }
  }

  /// Running sums, of full sequences.
  private record Sum() implements Recurrent {
    @Override
    public TracedSequence forward(Sequences x, State start) {
      double[] sums = x.values().toDoubles();
      int row = x.count() * x.features();
      for (int i = row; i < sums.length; i++) {
        sums[i] += sums[i - row];
      }
      return new TracedSequence(
          Tensor.of(sums, x.values().shape().toArray()),
          State.of(),
          (_, _) -> {
            throw new UnsupportedOperationException("only forwards");
          });
    }

    @Override
    public int states() {
      return 0;
    }

    @Override
    public State start(DType type, int count) {
      return State.of();
    }
  }

  @Test
  void aSequenceLongerThanTheWindowIsRefused() {
    try (var _ = Scope.open()) {
      var encoder = Encoder.of(Init.he(1), "", 3, 4, 1, 2);
      var x = Sequences.of(Tensor.zeros(DType.FLOAT32, 4, 2, 4));
      for (Runnable way :
          List.<Runnable>of(
              () -> encoder.forward(x, State.of()), () -> encoder.predict(x, State.of()))) {
        var e = assertThrows(IllegalArgumentException.class, way::run);
        assertTrue(e.getMessage().contains("3 steps"), e.getMessage());
        assertTrue(e.getMessage().contains("given 4"), e.getMessage());
      }
      var narrow = Sequences.of(Tensor.zeros(DType.FLOAT32, 3, 2, 5));
      var e =
          assertThrows(IllegalArgumentException.class, () -> encoder.forward(narrow, State.of()));
      assertTrue(e.getMessage().contains("3×2×5"), e.getMessage());
    }
  }

  @Test
  void aStateWhereThereIsNoneIsRefused() {
    try (var _ = Scope.open()) {
      var x = Sequences.of(Tensor.zeros(DType.FLOAT32, 3, 2, 4));
      var state = State.of(Tensor.zeros(DType.FLOAT32, 2, 4));
      var encoder = Encoder.of(Init.he(1), "", 3, 4, 1, 2);
      for (Recurrent layer :
          List.of(
              encoder,
              new TimeDistributed(Dense.of(Init.he(1), "", 4, 4)),
              new Bidirectional(encoder, encoder))) {
        assertThrows(IllegalArgumentException.class, () -> layer.forward(x, state));
        assertThrows(IllegalArgumentException.class, () -> layer.predict(x, state));
      }
    }
  }

  /// Else the two would be the same sequence to it.
  @Test
  void anEncoderKnowsWhereSomethingStands() {
    try (var _ = Scope.open()) {
      var encoder = Encoder.of(Init.he(1), "", 4, 4, 1, 2);
      Tensor same = Tensor.zeros(DType.FLOAT32, 4, 1, 4).plus(1);
      double[] y = encoder.predict(Sequences.of(same), State.of()).value().toDoubles();
      assertFalse(Arrays.equals(Arrays.copyOf(y, 4), Arrays.copyOfRange(y, 12, 16)));
    }
  }

  private static Map<String, double[]> gradients(Recurrent layer) {
    var all = new LinkedHashMap<String, double[]>();
    layer
        .state()
        .forEach((path, param) -> {
          all.put(path, param.grad().toDoubles());
          param.grad().zero_();
        });
    return all;
  }

  private static void assertClose(String what, State expected, State actual) {
    assertEquals(expected.tensors().size(), actual.tensors().size(), what);
    for (int i = 0; i < expected.tensors().size(); i++) {
      assertClose(what + " " + i, expected.tensors().get(i), actual.tensors().get(i));
    }
  }

  private static void assertClose(String what, Tensor expected, Tensor actual) {
    assertEquals(expected.shape(), actual.shape(), what);
    assertArrayEquals(expected.toDoubles(), actual.toDoubles(), 1e-11, what);
  }
}
