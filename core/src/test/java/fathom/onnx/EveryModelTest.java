package fathom.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.net.Architecture;
import fathom.net.Architecture.Options;
import fathom.net.CharacterNet;
import fathom.net.ImageShape;
import fathom.net.LanguageModel;
import fathom.net.MaskNet;
import fathom.net.Norm;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.Stack;
import fathom.recurrent.State;
import fathom.recurrent.WatchedSteps;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every net that `fathom models` lists has a form in ONNX, and ONNX Runtime gives what the net
/// gives, for batches of 1 and 3, texts of two lengths and masks of two sizes. A new net without a
/// form fails here.
class EveryModelTest {
  private static final RandomKey DRAW = RandomKey.of(1, "every model");
  private static final int VOCABULARY = 11;
  private static final int WINDOW = 9;
  private static final WatchedSteps.Observer UNSEEN =
      new WatchedSteps.Observer() {
        @Override
        public void value(String path, Node seen, Tensor y) {}

        @Override
        public void cotangent(String path, Node seen, Tensor dy) {}
      };

  @TempDir private Path folder;

  private Path file() {
    return folder.resolve("net.onnx");
  }

  private static Tensor images(int count, int channels, int height, int width) {
    return Tensor.normal(DRAW.at(99), DType.FLOAT32, count, channels, height, width);
  }

  // ---- Images

  static List<String> imagesNames() {
    return Architecture.imagesNames();
  }

  private static Architecture.OfClasses small(String name) {
    boolean rows = Architecture.RECURRENT.contains(name);
    boolean dense = name.equals(Architecture.PERCEPTRON);
    Options options =
        new Options(
            null, null, rows || dense ? null : 4, rows || dense ? 12 : null, rows ? 2 : null);
    return Architecture.images(name, options)
        .on(rows ? new ImageShape(2, 6, 5) : new ImageShape(3, 32, 32), 7);
  }

  @ParameterizedTest
  @MethodSource("imagesNames")
  void ofImages(String name) throws OrtException {
    try (var _ = Scope.open()) {
      var architecture = small(name);
      ImageShape in = architecture.input();
      Layer net = ModelSession.asTrained(architecture.build(Init.he(3)));
      if (architecture instanceof Architecture.Convolutional deep && deep.depth() > 1000) {
        shrink(net);
      }
      var shape = Shape.of(in.channels(), in.height(), in.width());
      Onnx.write(file(), net, shape, Map.of());
      try (var session = new ModelSession(file())) {
        assertEquals(Set.of("pictures", "logits"), session.names());
        for (int count : new int[] {1, 3}) {
          Tensor x = images(count, in.channels(), in.height(), in.width());
          Tensor y = session.with("pictures", x).run().get("logits");
          ModelSession.same(net.predict(x), y, "%s of %s".formatted(name, count));
        }
      }
    }
  }

  /// Shrinks the weights of convolutions, because with running statistics that are not its own a
  /// branch would double the signal, which no number holds after hundreds of them.
  private static void shrink(Layer net) {
    for (Param param : net.params()) {
      if (param.value().shape().rank() == 4) {
        param.value().copy_(param.value().times(0.1));
      }
    }
  }

  // ---- Masks

  static Stream<MaskNet> masks() {
    var nets = new ArrayList<MaskNet>();
    for (String name : Architecture.masksNames()) {
      nets.add((MaskNet) Architecture.masks(name, new Options(null, null, 4, null, 2)));
    }
    MaskNet net = MaskNet.of(3, 2).withWidth(4).withLevels(1);
    for (Norm norm :
        List.of(Norm.ANCHORED, Norm.POSITION, Norm.GROUP, Norm.INSTANCE, Norm.WEIGHT, Norm.NONE)) {
      nets.add(net.withNorm(norm));
    }
    return nets.stream();
  }

  @ParameterizedTest
  @MethodSource("masks")
  void ofMasks(MaskNet architecture) throws OrtException {
    try (var _ = Scope.open()) {
      Layer net = ModelSession.asTrained(architecture.build(Init.he(3)));
      Onnx.write(file(), net, ImageInput.ofAnySize(3), Map.of());
      try (var session = new ModelSession(file())) {
        var logits = session.said("logits");
        assertArrayEquals(new long[] {-1, 2, -1, -1}, logits.getShape());
        assertArrayEquals(new String[] {"N", "", "H", "W"}, logits.getDimensionNames());
        for (int[] size : new int[][] {{1, 16, 24}, {3, 8, 4}}) {
          Tensor x = images(size[0], 3, size[1], size[2]);
          Tensor y = session.with("pictures", x).run().get("logits");
          ModelSession.same(net.predict(x), y, architecture + " of " + Arrays.toString(size));
        }
      }
    }
  }

  // ---- Text

  static List<String> textNames() {
    return Architecture.textNames();
  }

  private static LanguageModel small(Architecture.OfText net) {
    return ModelSession.asTrained(
        net.withVocabulary(VOCABULARY).withWindow(WINDOW).build(Init.he(3)));
  }

  private static int[][] tokens(int steps, int count) {
    int[][] tokens = new int[steps][count];
    for (int t = 0; t < steps; t++) {
      for (int n = 0; n < count; n++) {
        tokens[t][n] = DRAW.at(7).below(t * count + n, VOCABULARY);
      }
    }
    return tokens;
  }

  /// A state as in the middle of a text, S×N×H; that of a net without one is empty.
  private static Tensor middle(LanguageModel net, int count) {
    var states = new ArrayList<Tensor>();
    for (Tensor zeros : net.start(count).tensors()) {
      long units = zeros.shape().size(1);
      states.add(Tensor.normal(DRAW.at(states.size()), DType.FLOAT32, 1, count, units));
    }
    return states.isEmpty() ? Tensor.zeros(DType.FLOAT32, 0) : Tensor.concatenated(0, states);
  }

  private static State state(LanguageModel net, Tensor all) {
    var states = new ArrayList<Tensor>();
    int count = net.backbone().states();
    for (int i = 0; i < count; i++) {
      states.add(
          all.narrow(0, i, i + 1).contiguous().reshape(all.shape().size(1), all.shape().size(2)));
    }
    return new State(states);
  }

  /// Our logits, (T·N)×K, as the model gives them, N×T×K.
  private static Tensor byText(Tensor logits, int steps, int count) {
    return logits.reshape(steps, count, VOCABULARY).permute(1, 0, 2).contiguous();
  }

  private void agrees(LanguageModel net) throws OrtException {
    Onnx.write(file(), net, Map.of());
    boolean carries = net.backbone().states() > 0;
    try (var session = new ModelSession(file())) {
      assertEquals(
          carries ? Set.of("tokens", "state", "logits", "next_state") : Set.of("tokens", "logits"),
          session.names());
      for (int count : new int[] {1, 3}) {
        for (int steps : new int[] {1, WINDOW}) {
          String what = "%s, %s texts of %s".formatted(net, count, steps);
          int[][] tokens = tokens(steps, count);
          Tensor middle = middle(net, count);
          var expected = net.predict(tokens, state(net, middle));
          session.withTokens(tokens);
          var given = (carries ? session.with("state", middle) : session).run();
          ModelSession.same(byText(expected.value(), steps, count), given.get("logits"), what);
          State next = carries ? state(net, given.get("next_state")) : State.of();
          for (int i = 0; i < next.tensors().size(); i++) {
            Tensor end = expected.end().tensors().get(i);
            ModelSession.same(end, next.tensors().get(i), what + ", state " + i);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("textNames")
  void ofText(String name) throws OrtException {
    try (var _ = Scope.open()) {
      int hidden = name.equals(Architecture.TRANSFORMER) ? 128 : 12; // two heads
      agrees(small(Architecture.text(name, new Options(null, null, null, hidden, 2))));
    }
  }

  @Test
  void ofOneLayer() throws OrtException {
    try (var _ = Scope.open()) {
      agrees(small(CharacterNet.named("gru").withHidden(5).withLayers(1)));
      agrees(small(CharacterNet.named("ln-lstm").withHidden(5).withLayers(1)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ln-rnn", "ln-lstm", "ln-gru"})
  void ofGatesWithTheirOwnNorms(String name) throws OrtException {
    try (var _ = Scope.open()) {
      agrees(small(CharacterNet.named(name).withHidden(12).withGateNorm(GateNorm.PER_GATE)));
    }
  }

  /// A text that a program writes step by step is that of one run.
  @ParameterizedTest
  @ValueSource(strings = {"lstm", "ln-gru"})
  void aTextGoesOnFromTheStateOfItsBeginning(String name) throws OrtException {
    try (var _ = Scope.open()) {
      LanguageModel net = small(CharacterNet.named(name).withHidden(12));
      Onnx.write(file(), net, Map.of());
      int[][] tokens = tokens(20, 2);
      try (var session = new ModelSession(file())) {
        Tensor state = Tensor.zeros(DType.FLOAT32, net.backbone().states(), 2, 12);
        Tensor whole = session.withTokens(tokens).with("state", state).run().get("logits");
        for (int t = 0; t < tokens.length; t++) {
          var step = session.withTokens(new int[][] {tokens[t]}).with("state", state).run();
          ModelSession.same(whole.narrow(1, t, t + 1), step.get("logits"), "step " + t);
          state = step.get("next_state");
        }
      }
    }
  }

  /// A transformer has no positions for more than its window.
  @Test
  void aTextBeyondTheWindowIsRefused() throws OrtException {
    try (var _ = Scope.open()) {
      Onnx.write(file(), small(CharacterNet.named("transformer").withHidden(8)), Map.of());
      try (var session = new ModelSession(file())) {
        session.withTokens(tokens(WINDOW + 1, 1));
        assertThrows(OrtException.class, session::run);
      }
    }
  }

  /// Layers of different sizes have no state in common.
  @Test
  void statesOfSeveralSizesAreRefused() {
    try (var _ = Scope.open()) {
      LanguageModel net = small(CharacterNet.named("lstm").withHidden(6));
      var narrow = RecurrentLayer.of(Init.he(1), "", Kind.GRU, GateNorm.NONE, 6, 5);
      var stack = Stack.of(net.backbone(), narrow);
      var mixed =
          new LanguageModel(net.embedding(), stack, Dense.of(Init.he(1), "", 5, VOCABULARY), 0);
      var e =
          assertThrows(IllegalArgumentException.class, () -> Onnx.write(file(), mixed, Map.of()));
      assertTrue(e.getMessage().contains("[6, 5]"), e.getMessage());
      assertFalse(Files.exists(file()));
    }
  }

  @Test
  void aPartWithoutAFormIsNamed() {
    try (var _ = Scope.open()) {
      LanguageModel net = small(CharacterNet.named("rnn").withHidden(6));
      LanguageModel watched = net.watched(UNSEEN);
      var e =
          assertThrows(IllegalArgumentException.class, () -> Onnx.write(file(), watched, Map.of()));
      assertTrue(e.getMessage().startsWith("the part \"body.0\" is "), e.getMessage());
      assertFalse(Files.exists(file()));
    }
  }
}
