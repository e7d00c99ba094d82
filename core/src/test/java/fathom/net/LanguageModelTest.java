package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.loss.CrossEntropy;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Sequences;
import fathom.recurrent.State;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LanguageModelTest {
  private static final RandomKey DRAW = RandomKey.of(11, "text");
  private static final int TOKENS = 5;
  private static final int STEPS = 6;
  private static final int TEXTS = 3;

  private static List<String> names() {
    return CharacterNet.names();
  }

  private static List<String> recurrentNames() {
    return names().stream().filter(name -> !name.equals("transformer")).toList();
  }

  private static LanguageModel tiny(String name) {
    var net = CharacterNet.named(name).withHidden(4).withLayers(2).withVocabulary(TOKENS);
    return doubles(net.withWindow(STEPS).build(Init.he(2)));
  }

  private static <T extends Node> T doubles(T net) {
    net.state()
        .forEach((path, param) -> {
          param.convert(DType.FLOAT64);
          long[] shape = param.value().shape().toArray();
          Tensor noise = Tensor.normal(RandomKey.of(4, path + "."), DType.FLOAT64, shape);
          param.value().add_(noise.times(0.2));
        });
    return net;
  }

  private static int[][] text(int steps) {
    int[][] tokens = new int[steps][TEXTS];
    for (int t = 0; t < steps; t++) {
      for (int n = 0; n < TEXTS; n++) {
        tokens[t][n] = DRAW.below((long) t * TEXTS + n, TOKENS);
      }
    }
    return tokens;
  }

  @ParameterizedTest
  @MethodSource("names")
  void gradientsAgreeWithCentralDifferences(String name) {
    try (var _ = Scope.open()) {
      var net = tiny(name);
      int[][] tokens = text(STEPS);
      State start = net.start(TEXTS);
      var traced = net.forward(tokens, start);
      assertEquals(Shape.of(STEPS * TEXTS, TOKENS), traced.logits().shape());
      Tensor dlogits = Tensor.normal(DRAW, DType.FLOAT64, STEPS * TEXTS, TOKENS);
      traced.back(dlogits);
      assertSlopes(net, () -> net.forward(tokens, start).logits().times(dlogits).sum().item());
    }
  }

  /// The gradients of `net` are the derivatives of `value` along a direction for each parameter.
  private static void assertSlopes(Node net, Supplier<Double> value) {
    net.state()
        .forEach((path, param) -> {
          long[] shape = param.value().shape().toArray();
          Tensor along = Tensor.normal(RandomKey.of(6, path + "."), DType.FLOAT64, shape);
          double[] before = param.value().toDoubles();
          double h = 1e-5;
          param.value().add_(along.times(h));
          double up = value.get();
          param.value().copy_(before).add_(along.times(-h));
          double down = value.get();
          param.value().copy_(before);
          Tensor products = param.grad().times(along);
          double size = Arrays.stream(products.toDoubles()).map(Math::abs).sum();
          assertEquals(
              (up - down) / (2 * h), products.sum().item(), 1e-6 * Math.max(0.01, size), path);
        });
  }

  @ParameterizedTest
  @MethodSource("names")
  void predictGivesForwardsScoresAndLeavesNothingElse(String name) {
    try (var _ = Scope.open()) {
      var net = tiny(name);
      var start = net.start(TEXTS);
      var traced = net.forward(text(STEPS), start);
      long before = Tensor.live();
      var predicted = net.predict(text(STEPS), start);
      assertEquals(1 + start.tensors().size(), Tensor.live() - before);
      assertArrayEquals(traced.logits().toDoubles(), predicted.value().toDoubles(), 1e-12);
      traced.end().check(predicted.end());
      before = Tensor.live();
      traced.back(traced.logits());
      assertEquals(0, Tensor.live() - before, "tensors that back leaves");
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void noScoreDependsOnALaterToken(String name) {
    try (var _ = Scope.open()) {
      var net = tiny(name);
      int[][] tokens = text(STEPS);
      double[] before = net.predict(tokens, net.start(TEXTS)).value().toDoubles();
      tokens[3][1] = (tokens[3][1] + 1) % TOKENS;
      double[] after = net.predict(tokens, net.start(TEXTS)).value().toDoubles();
      for (int t = 0; t < STEPS; t++) {
        for (int n = 0; n < TEXTS; n++) {
          int at = (t * TEXTS + n) * TOKENS;
          double[] a = Arrays.copyOfRange(before, at, at + TOKENS);
          double[] b = Arrays.copyOfRange(after, at, at + TOKENS);
          if (n != 1 || t < 3) {
            assertArrayEquals(a, b, 1e-13, "time %s of text %s".formatted(t, n));
          } else {
            assertFalse(Arrays.equals(a, b), "time %s of text %s".formatted(t, n));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("recurrentNames")
  void twoWindowsWithACarriedStateAreOne(String name) {
    try (var _ = Scope.open()) {
      var net = tiny(name);
      int[][] tokens = text(STEPS);
      var whole = net.forward(tokens, net.start(TEXTS));
      var first = net.forward(Arrays.copyOfRange(tokens, 0, 2), net.start(TEXTS));
      var second = net.forward(Arrays.copyOfRange(tokens, 2, STEPS), first.end());
      assertArrayEquals(
          whole.logits().toDoubles(),
          Tensor.concatenated(0, List.of(first.logits(), second.logits())).toDoubles(),
          1e-12);
      var fresh = net.forward(Arrays.copyOfRange(tokens, 2, STEPS), net.start(TEXTS));
      assertFalse(Arrays.equals(fresh.logits().toDoubles(), second.logits().toDoubles()));
    }
  }

  /// After a window's first half, which comes from the state, only its own loss has a gradient.
  @ParameterizedTest
  @MethodSource("recurrentNames")
  void theWayBackEndsAtTheStartOfTheWindow(String name) {
    try (var _ = Scope.open()) {
      var net = tiny(name);
      int[][] tokens = text(STEPS);
      var first = net.forward(Arrays.copyOfRange(tokens, 0, 2), net.start(TEXTS));
      var second = net.forward(Arrays.copyOfRange(tokens, 2, STEPS), first.end());
      second.back(second.logits());
      var used = new boolean[TOKENS];
      for (int t = 2; t < STEPS; t++) {
        Arrays.stream(tokens[t]).forEach(token -> used[token] = true);
      }
      double[] gradient = net.embedding().weight().grad().toDoubles();
      for (int token = 0; token < TOKENS; token++) {
        boolean zero = Arrays.stream(gradient, token * 4, token * 4 + 4).allMatch(g -> g == 0);
        assertEquals(used[token], !zero, "token " + token);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void aTextIsLearntByHeart(String name) {
    try (var _ = Scope.open()) {
      var net =
          CharacterNet.named(name)
              .withHidden(16)
              .withVocabulary(4)
              .withWindow(12)
              .build(Init.he(1));
      int[][] tokens = new int[12][1];
      int[] next = new int[12];
      for (int t = 0; t < 13; t++) {
        int token = "abcabdabcabda".charAt(t) - 'a'; // what follows "ab" needs a memory
        if (t < 12) {
          tokens[t][0] = token;
        }
        if (t > 0) {
          next[t - 1] = token;
        }
      }
      double loss = Double.NaN;
      for (int step = 0; step < 250; step++) {
        try (var _ = Scope.open()) {
          var text = net.forward(tokens, net.start(1));
          Traced entropy = CrossEntropy.of(text.logits(), next);
          loss = entropy.value().item();
          text.back(entropy.back(Tensor.scalar(DType.FLOAT32, 1)));
          for (Param param : net.params()) {
            param.value().add_(param.grad().times(-0.2));
            param.grad().zero_();
          }
        }
      }
      assertTrue(loss < 0.15, "the loss is " + loss); // without a memory it is 0.23 or more
    }
  }

  @Test
  void whatIsNoTextIsRefused() {
    try (var _ = Scope.open()) {
      var net = tiny("transformer");
      State start = net.start(TEXTS);
      Map<String, int[][]> wrong = new LinkedHashMap<>();
      wrong.put("0 steps", new int[0][]);
      wrong.put("2 steps of 0 texts", new int[2][0]);
      wrong.put("3 at time 0 and 2 at time 1", new int[][] {{1, 2, 3}, {1, 2}});
      wrong.put("0..4, but row 5", new int[][] {{1, 2, TOKENS}});
      wrong.put("row -1", new int[][] {{1, -1, 0}});
      wrong.put("6 steps, but was given 7", text(STEPS + 1));
      wrong.forEach((message, tokens) -> {
        for (Runnable way :
            List.<Runnable>of(() -> net.forward(tokens, start), () -> net.predict(tokens, start))) {
          var e = assertThrows(IllegalArgumentException.class, way::run);
          assertTrue(e.getMessage().contains(message), e.getMessage());
        }
      });
      var traced = net.forward(text(2), start);
      assertThrows(
          IllegalArgumentException.class,
          () -> traced.back(Tensor.zeros(DType.FLOAT64, 2, TEXTS, TOKENS)));
    }
  }

  @Test
  void aStateOfOtherTextsIsRefused() {
    try (var _ = Scope.open()) {
      var lstm = tiny("lstm");
      for (State wrong : List.of(lstm.start(TEXTS + 1), State.of(), tiny("gru").start(TEXTS))) {
        assertThrows(IllegalArgumentException.class, () -> lstm.forward(text(2), wrong));
        assertThrows(IllegalArgumentException.class, () -> lstm.predict(text(2), wrong));
      }
    }
  }

  @Test
  void aTransformerHasAContextAndARecurrentNetAState() {
    try (var _ = Scope.open()) {
      var transformer = tiny("transformer");
      assertEquals(STEPS, transformer.context());
      assertEquals(0, transformer.start(2).tensors().size());
      assertEquals(TOKENS, transformer.vocabulary());
      assertEquals(0, tiny("ln-lstm").context());
      assertEquals(4, tiny("ln-lstm").start(2).tensors().size());
      assertEquals(2, tiny("gru").start(2).tensors().size());
    }
  }

  @Test
  void namesAreKnownOrRefused() {
    assertEquals(
        List.of("rnn", "ln-rnn", "lstm", "ln-lstm", "gru", "ln-gru", "transformer"), names());
    assertEquals(names(), RowNet.names());
    assertEquals("ln-lstm", CharacterNet.named("LN-LSTM").name());
    for (Runnable way :
        List.<Runnable>of(() -> CharacterNet.named("lstn"), () -> RowNet.named("lstn"))) {
      var e = assertThrows(IllegalArgumentException.class, way::run);
      assertTrue(e.getMessage().contains("\"lstn\""), e.getMessage());
      names().forEach(name -> assertTrue(e.getMessage().contains(name), e.getMessage()));
    }
    var net = CharacterNet.named("ln-gru");
    assertEquals(GateNorm.LAYER, net.norm());
    assertEquals(GateNorm.PER_GATE, net.withGateNorm(GateNorm.PER_GATE).norm());
    assertThrows(IllegalArgumentException.class, () -> net.withGateNorm(GateNorm.NONE));
    for (String plain : List.of("gru", "transformer")) {
      assertEquals(GateNorm.NONE, CharacterNet.named(plain).norm());
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> CharacterNet.named(plain).withGateNorm(GateNorm.LAYER));
      assertTrue(e.getMessage().contains("LAYER"), e.getMessage());
    }
    for (Runnable way :
        List.<Runnable>of(
            () -> net.withHidden(0),
            () -> net.withLayers(0),
            () -> net.withVocabulary(-1),
            () -> net.withWindow(0),
            () -> RowNet.named("gru").withLayers(0),
            () -> RowNet.named("gru").on(new ImageShape(1, 0, 3), 4))) {
      assertThrows(IllegalArgumentException.class, way::run);
    }
  }

  /// Of E = 128 features: 12E² + 13E for a block, K and W rows, the last norm, and the head.
  @Test
  void aTransformerHasTheParametersOfItsParts() {
    try (var _ = Scope.open()) {
      var net = CharacterNet.named("transformer").withVocabulary(65).build(Init.zeros());
      int e = 128;
      assertEquals(
          4 * (12 * e * e + 13 * e) + 65 * e + 100 * e + 2 * e + (65 * e + 65),
          net.params().stream().mapToLong(p -> p.value().shape().elements()).sum());
      assertEquals(net.params().size(), net.state().size());
      assertTrue(net.state().containsKey("body.blocks.3.attention.in_proj_weight"));
      assertTrue(net.state().containsKey("embedding.weight"));
    }
  }

  @Test
  void headsHave64FeaturesOrMoreAndDivideTheWidth() {
    assertEquals(1, Backbone.heads(1));
    assertEquals(1, Backbone.heads(127));
    assertEquals(2, Backbone.heads(128));
    assertEquals(3, Backbone.heads(192));
    assertEquals(2, Backbone.heads(200)); // 3 would not divide it
    assertEquals(4, Backbone.heads(256));
  }

  /// The first layer has no residual connection past it, the others have.
  @Test
  void gapConnectionsLeadPastEveryLevelButTheFirst() {
    try (var _ = Scope.open()) {
      var net = CharacterNet.named("lstm").withHidden(3).withLayers(3).withVocabulary(TOKENS);
      var zero = net.build(Init.zeros()); // whose layers make nothing
      var first =
          zero.backbone()
              .predict(Sequences.of(Tensor.zeros(DType.FLOAT32, 2, 1, 3).plus(1)), zero.start(1));
      assertArrayEquals(new double[6], first.value().toDoubles());
      String layers = zero.backbone().parts().toString();
      assertEquals(2, layers.split("RecurrentResidual", -1).length - 1, layers);
      assertFalse(
          zero.backbone().parts().getFirst().node().toString().contains("RecurrentResidual"));
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void aRowNetReadsImages(String name) {
    try (var _ = Scope.open()) {
      Layer net =
          RowNet.named(name)
              .withHidden(4)
              .withLayers(2)
              .on(new ImageShape(2, 5, 3), 3)
              .build(Init.he(1));
      doubles(net);
      Tensor x = Tensor.normal(DRAW, DType.FLOAT64, 4, 2, 5, 3);
      Traced traced = net.forward(x);
      assertEquals(Shape.of(4, 3), traced.value().shape());
      assertArrayEquals(
          traced.value().toDoubles(), net.predict(x.channelsLast()).toDoubles(), 1e-12);
      Tensor dy = Tensor.normal(DRAW.at(1), DType.FLOAT64, 4, 3);
      Tensor dx = traced.back(dy);
      assertSlopes(net, () -> net.forward(x).value().times(dy).sum().item());
      Tensor along = Tensor.normal(DRAW.at(2), DType.FLOAT64, 4, 2, 5, 3);
      double h = 1e-5;
      Tensor up = net.predict(x.plus(along.times(h)));
      Tensor down = net.predict(x.plus(along.times(-h)));
      assertEquals(
          up.minus(down).times(dy).sum().item() / (2 * h), dx.times(along).sum().item(), 1e-6);
      Tensor turned = Tensor.concatenated(2, List.of(x.narrow(2, 2, 5), x.narrow(2, 0, 2)));
      assertFalse(
          Arrays.equals(net.predict(x).toDoubles(), net.predict(turned).toDoubles()),
          "the order of rows does not matter");
    }
  }
}
