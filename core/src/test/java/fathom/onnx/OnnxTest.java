package fathom.onnx;

import static fathom.onnx.ModelSession.asTrained;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import fathom.Autograd;
import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.data.Normalization;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.MaskNet;
import fathom.net.Mlp;
import fathom.net.Norm;
import fathom.net.PhotoNet;
import fathom.net.Shortcut;
import fathom.nn.AnchoredNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.DynamicTanh;
import fathom.nn.EncoderBlock;
import fathom.nn.Flatten;
import fathom.nn.Gelu;
import fathom.nn.GlobalAveragePool;
import fathom.nn.GroupNorm;
import fathom.nn.Identity;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import fathom.nn.MaxPool2d;
import fathom.nn.PaddedSubsample;
import fathom.nn.Recompute;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.RmsNorm;
import fathom.nn.Sigmoid;
import fathom.nn.Tanh;
import fathom.nn.Upsample2d;
import fathom.nn.WeightNorm;
import fathom.nn.WithMoments;
import fathom.recurrent.Bidirectional;
import fathom.recurrent.Encoder;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.LastState;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What is written is read by ONNX Runtime, which must give what our net gives.
class OnnxTest {
  private static final RandomKey DRAW = RandomKey.of(1, "onnx");
  private static final Map<String, String> NOTHING = Map.of();

  /// The elements of a row of the images that a single layer sees.
  private static final int ROW = 3 * 11;

  @TempDir private Path folder;

  private static Tensor images(int count, ImageShape in) {
    return Tensor.normal(DRAW.at(99), DType.FLOAT32, count, in.channels(), in.height(), in.width());
  }

  private static Shape shape(ImageShape in) {
    return Shape.of(in.channels(), in.height(), in.width());
  }

  /// For batches of other sizes with one file.
  private void agrees(Layer net, ImageShape in, int... counts) throws OrtException {
    Path file = folder.resolve("net.onnx");
    Onnx.write(file, net, shape(in), NOTHING);
    try (var session = new ModelSession(file)) {
      for (int count : counts) {
        Tensor x = images(count, in);
        Tensor y = net.predict(x);
        long[] said = y.shape().toArray();
        said[0] = -1; // N, whatever it is
        TensorInfo logits = session.said("logits");
        assertArrayEquals(said, logits.getShape(), "the shape that the file says it gives");
        assertEquals("N", logits.getDimensionNames()[0]);
        ModelSession.same(y, session.with("pictures", x).run().get("logits"), net.toString());
      }
    }
  }

  private void agrees(Architecture.OfClasses net, int... counts) throws OrtException {
    try (var _ = Scope.open()) {
      agrees(asTrained(net.build(Init.he(3))), net.input(), counts);
    }
  }

  @ParameterizedTest
  @EnumSource(Shortcut.class)
  void netsOfEveryShortcut(Shortcut shortcut) throws OrtException {
    String name = shortcut == Shortcut.NONE ? "plain20" : "resnet20";
    agrees(CifarNet.named(name).withShortcut(shortcut), 1, 3);
  }

  @Test
  void imagesOfOddSizes() throws OrtException {
    agrees(CifarNet.named("resnet8").withWidth(5).on(new ImageShape(1, 13, 7), 3), 2);
  }

  @Test
  void bottlenecks() throws OrtException {
    agrees(PhotoNet.named("resnet50").withWidth(16).on(new ImageShape(3, 96, 80), 50), 1, 2);
  }

  @Test
  void bottlenecksWithPaddedShortcuts() throws OrtException {
    var net = PhotoNet.named("resnet50").withWidth(4).withShortcut(Shortcut.A);
    agrees(net.on(new ImageShape(3, 40, 33), 10), 2);
  }

  @Test
  void resnet50AsItIs() throws OrtException {
    agrees(PhotoNet.named("resnet50"), 1);
  }

  @Test
  void basicBlocks() throws OrtException {
    agrees(PhotoNet.named("resnet18").withWidth(8).on(new ImageShape(3, 64, 64), 10), 2);
    agrees(PhotoNet.named("plain34").withWidth(4).on(new ImageShape(3, 33, 70), 10), 2);
  }

  @ParameterizedTest
  @EnumSource(
      value = Norm.class,
      names = {"LAYER", "ANCHORED", "POSITION", "RMS", "GROUP", "INSTANCE", "NONE"})
  void otherNorms(Norm norm) throws OrtException {
    agrees(CifarNet.named("resnet14").withWidth(4).withNorm(norm), 1, 2);
  }

  @Test
  void denseNets() throws OrtException {
    for (Norm norm : new Norm[] {Norm.LAYER, Norm.ANCHORED, Norm.BATCH, Norm.NONE, Norm.RMS}) {
      agrees(Mlp.named("mlp").withHidden(List.of(20, 30)).withNorm(norm).withDropout(0.5), 1, 5);
    }
  }

  static Stream<Arguments> layers() {
    return Stream.of(
        Arguments.of("nothing", (Made) () -> new Chain(List.of())),
        Arguments.of("shortcut alone", (Made) () -> new Residual(new Identity())),
        Arguments.of("recomputed", (Made) () -> new Recompute(new Relu())),
        Arguments.of("sigmoid", (Made) Sigmoid::new),
        Arguments.of("tanh", (Made) Tanh::new),
        Arguments.of("Gaussian error linear unit", (Made) Gelu::new),
        Arguments.of("larger", (Made) () -> new Upsample2d(3)),
        Arguments.of(
            "weight norm",
            (Made) () -> asTrained(WeightNorm.of(Conv2d.of(Init.he(1), "", 3, 4, 3, 2)))),
        Arguments.of(
            "weight norm of a dense layer",
            (Made)
                () ->
                    Chain.of(
                        new GlobalAveragePool(),
                        asTrained(WeightNorm.of(Dense.of(Init.he(1), "", 3, 4))))),
        Arguments.of(
            "rows in both directions",
            (Made)
                () ->
                    asTrained(
                        rows(
                            new Bidirectional(
                                recurrent(Kind.LSTM, GateNorm.NONE, 4),
                                recurrent(Kind.GRU, GateNorm.LAYER, 5).withEpsilon(0.5))))),
        Arguments.of(
            "rows through a transformer of post-norm blocks that see what follows",
            (Made)
                () ->
                    asTrained(
                        rows(
                            new Encoder(
                                Param.of(Tensor.normal(DRAW.at(5), DType.FLOAT32, 12, ROW)),
                                EncoderBlock.postNorm(Init.he(1), "", ROW, 3, false),
                                LayerNorm.ofLast(ROW).plain())))),
        Arguments.of("pool", (Made) () -> new MaxPool2d(3, 2, 1)),
        Arguments.of("pool without padding", (Made) () -> new MaxPool2d(2, 3, 0)),
        Arguments.of("average", (Made) GlobalAveragePool::new),
        Arguments.of("wider by an odd number", (Made) () -> new PaddedSubsample(3, 3, 6)),
        Arguments.of("wider at stride 1", (Made) () -> new PaddedSubsample(1, 3, 8)),
        Arguments.of("as it is", (Made) () -> new PaddedSubsample(1, 3, 3)),
        Arguments.of("5×5", (Made) () -> Conv2d.of(Init.he(1), "", 3, 4, 5, 3)),
        Arguments.of("norm without gains", (Made) () -> LayerNorm.plain(3, 9, 11)),
        Arguments.of("norm of rows", (Made) () -> LayerNorm.ofLast(11)),
        Arguments.of(
            "norm of pixels with another ε", (Made) () -> LayerNorm.ofPosition(3).withEpsilon(0.5)),
        Arguments.of("RMS norm of pixels", (Made) () -> asTrained(RmsNorm.ofPosition(3))),
        Arguments.of("RMS norm of rows", (Made) () -> RmsNorm.ofLast(11).plain().withEpsilon(0.5)),
        Arguments.of("groups", (Made) () -> asTrained(GroupNorm.of(3, 3).withEpsilon(0.1))),
        Arguments.of("anchored", (Made) () -> asTrained(AnchoredNorm.ofImages(3))),
        Arguments.of("dynamic tanh", (Made) () -> asTrained(DynamicTanh.of(0.7, 3))),
        Arguments.of("moments", (Made) () -> asTrained(new WithMoments(LayerNorm.of(3, 9, 11)))),
        Arguments.of(
            "moments, anchors, groups and dynamic tanh of features",
            (Made)
                () ->
                    asTrained(
                        Chain.of(
                            new GlobalAveragePool(),
                            AnchoredNorm.ofFeatures(3),
                            new WithMoments(LayerNorm.plain(3)),
                            GroupNorm.of(1, 5),
                            DynamicTanh.of(0.5, 5)))),
        Arguments.of(
            "dense without bias",
            (Made) () -> Chain.of(new Flatten(), Dense.withoutBias(Init.he(1), "", 3 * 9 * 11, 2))),
        Arguments.of(
            "one bias for pixels and for features",
            (Made)
                () -> {
                  var bias = Bias.of(3);
                  bias.bias().value().copy_(new double[] {1, 2, 3});
                  return Chain.of(bias, new GlobalAveragePool(), bias);
                }));
  }

  private static Layer rows(Recurrent backbone) {
    return new LastState(backbone, ROW);
  }

  private static RecurrentLayer recurrent(Kind kind, GateNorm norm, int hidden) {
    return RecurrentLayer.of(Init.he(hidden), "", kind, norm, ROW, hidden);
  }

  interface Made {
    Layer get();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void eachLayerAlone(String name, Made made) throws OrtException {
    try (var _ = Scope.open()) {
      agrees(made.get(), new ImageShape(3, 9, 11), 1, 2);
    }
  }

  /// With a normalization inside, a model does with bytes what the library does with them before
  /// and behind the net.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 3 * 8 * 6}) // channels of grey and colour, and every value by itself
  void bytesIn(int means) throws OrtException {
    int channels = means == 1 ? 1 : 3;
    float[] mean = new float[means];
    float[] deviation = new float[channels];
    for (int i = 0; i < means; i++) {
      mean[i] = (float) DRAW.uniform(i);
    }
    for (int c = 0; c < channels; c++) {
      deviation[c] = 0.1f + c;
    }
    var by = Normalization.of(mean, deviation);
    try (var _ = Scope.open()) {
      var in = new ImageShape(channels, 8, 6);
      Layer net = asTrained(CifarNet.named("resnet8").withWidth(4).on(in, 5).build(Init.he(1)));
      Path file = folder.resolve("bytes.onnx");
      Onnx.write(file, net, ImageInput.of(shape(in)).asBytes(by), NOTHING);
      byteModelAgrees(file, net, by, in);
    }
  }

  @Test
  void bytesOfAnySizeIn() throws OrtException {
    var by = Normalization.of(new float[] {0.1f, 0.2f, 0.3f}, new float[] {1, 2, 3});
    try (var _ = Scope.open()) {
      Layer net = asTrained(MaskNet.of(3, 2).withWidth(4).withLevels(1).build(Init.he(1)));
      Path file = folder.resolve("bytes.onnx");
      Onnx.write(file, net, ImageInput.ofAnySize(3).asBytes(by), NOTHING);
      byteModelAgrees(file, net, by, new ImageShape(3, 8, 6));
      byteModelAgrees(file, net, by, new ImageShape(3, 4, 10));
    }
  }

  private static void byteModelAgrees(Path file, Layer net, Normalization by, ImageShape in)
      throws OrtException {
    int count = 2;
    int channels = in.channels();
    int plane = in.height() * in.width();
    byte[] bytes = new byte[count * plane * channels];
    double[] normalized = new double[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) DRAW.at(8).below(i, 256);
      int c = i % channels;
      int pixel = i / channels % plane;
      int image = i / channels / plane;
      double mean = by.mean()[by.mean().length == channels ? c : c * plane + pixel];
      normalized[(image * channels + c) * plane + pixel] =
          ((bytes[i] & 0xff) / 255.0 - mean) / by.standardDeviation()[c];
    }
    Tensor x = Tensor.of(normalized, count, channels, in.height(), in.width());
    Tensor exp = net.predict(x.to(DType.FLOAT32)).exp();
    Tensor expected = exp.dividedBy(exp.sum(1));
    try (var session = new ModelSession(file)) {
      assertEquals(Set.of("bytes", "probabilities"), session.names());
      session.with("bytes", bytes, count, in.height(), in.width(), channels);
      ModelSession.same(expected, session.run().get("probabilities"), net.toString());
    }
  }

  @Test
  void aNormalizationHasANumberForEachChannel() {
    var two = Normalization.of(new float[2], new float[2]);
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> ImageInput.of(Shape.of(3, 8, 8)).asBytes(two));
    assertTrue(e.getMessage().contains("each of 3 channels"), e.getMessage());
    var perPixel = Normalization.of(new float[12], new float[12]);
    assertThrows(IllegalArgumentException.class, () -> ImageInput.ofAnySize(3).asBytes(perPixel));
    ImageInput.of(Shape.of(3, 2, 2)).asBytes(perPixel);
  }

  /// What needs one size of images is refused for any.
  @Test
  void aLayerForOneSizeIsNotForAnySize() {
    try (var _ = Scope.open()) {
      Path file = folder.resolve("none.onnx");
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Onnx.write(file, new Flatten(), ImageInput.ofAnySize(3), NOTHING));
      assertTrue(e.getMessage().contains("3×?×?"), e.getMessage());
      assertFalse(Files.exists(file));
    }
  }

  /// Constants are the parameters under their paths, and texts come with them.
  @Test
  void itSaysWhatItIs() throws OrtException, IOException {
    try (var _ = Scope.open()) {
      var net = CifarNet.named("resnet8");
      Layer layers = net.build(Init.he(1));
      Path file = folder.resolve("said.onnx");
      Onnx.write(file, layers, shape(net.input()), Map.of("classes", "cat\ndögs"));
      try (var session = new ModelSession(file)) {
        assertEquals(Map.of("classes", "cat\ndögs"), session.metadata().getCustomMetadata());
        assertEquals("fathom", session.metadata().getProducerName());
        assertArrayEquals(new long[] {-1, 3, 32, 32}, session.said("pictures").getShape());
        assertArrayEquals(
            new long[] {-1, 10}, session.said("logits").getShape(), "one logit for each class");
      }
      var text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
      for (String name : layers.state().keySet()) {
        assertTrue(text.contains(name), name);
      }
      byte[] first = Files.readAllBytes(file);
      Onnx.write(file, layers, shape(net.input()), Map.of("classes", "cat\ndögs"));
      assertArrayEquals(first, Files.readAllBytes(file), "the same net, other bytes");
    }
  }

  @Test
  void whatHasNoFormIsRefused() {
    try (var _ = Scope.open()) {
      Path file = folder.resolve("none.onnx");
      var net = new Chain(List.of(new Layer.Child("act", Autograd.layer(x -> x.times(2)))));
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Onnx.write(file, net, Shape.of(3, 8, 8), NOTHING));
      assertTrue(e.getMessage().startsWith("the layer \"act\" is "), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> Onnx.write(file, new Relu(), Shape.of(8, 8), NOTHING));
      assertFalse(Files.exists(file));
    }
  }

  @Test
  void nothingIsLeftInMemory() {
    try (var _ = Scope.open()) {
      Layer net = CifarNet.named("resnet8").build(Init.he(1));
      long before = Tensor.live();
      Onnx.write(folder.resolve("m.onnx"), net, Shape.of(3, 32, 32), NOTHING);
      assertEquals(before, Tensor.live());
    }
  }
}
