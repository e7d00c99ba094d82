package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.io.SafeTensors;
import fathom.nn.Fused;
import fathom.nn.Init;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CifarNetTest {
  private static final Shape IMAGE = Shape.of(3, 32, 32);

  private static long count(CifarNet net) {
    try (var _ = Scope.open()) {
      return net.build(Init.zeros()).params().stream()
          .mapToLong(param -> param.value().shape().elements())
          .sum();
    }
  }

  /// Counted for the nets of the paper's table 6; the multiply-adds are those of convolutions and
  /// the dense layer.
  @ParameterizedTest
  @CsvSource({
    "20, 269722, 272474, 40.55",
    "32, 464154, 466906, 68.86",
    "44, 658586, 661338, 97.17",
    "56, 853018, 855770, 125.49",
    "110, 1727962, 1730714, 252.89",
    "1202, 19421274, 19424026, 2829.24",
  })
  void parametersAndMultiplyAddsAreThePapers(
      int depth, long params, long paramsOfOptionB, double millions) {
    CifarNet net = CifarNet.named("resnet" + depth);
    assertEquals(params, count(CifarNet.named("plain" + depth)), "of the plain twin");
    assertEquals(paramsOfOptionB, count(net.withShortcut(Shortcut.B)), "with option B");
    try (var _ = Scope.open()) {
      Summary summary = Summary.of(net.build(Init.zeros()), IMAGE);
      assertEquals(params, summary.params());
      assertEquals(millions, summary.multiplyAdds() / 1e6, 0.01);
      assertEquals(params, summary.layers().stream().mapToLong(Summary.Entry::params).sum());
      assertEquals(
          depth - 1,
          summary.layers().stream().filter(e -> e.layer().startsWith("Conv2d")).count(),
          "convolutions, and one dense layer");
    }
  }

  /// By hand for resnet8 (n = 1) on 8×8 images in grey: the first convolution has 9·16 weights, the
  /// six others 9·16·16 twice, 9·(16·32 + 32·32) and 9·(32·64 + 64·64), a norm two per channel, and
  /// the dense layer 640 and 10.
  @Test
  void parametersOfOtherImagesAreAsByHand() {
    long convolutions = 9 * 16 + 9 * (16 * 16 * 2 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64);
    long norms = 2 * (16 + 2 * 16 + 2 * 32 + 2 * 64);
    CifarNet net = CifarNet.named("resnet8").on(new ImageShape(1, 8, 8), 10);
    assertEquals(convolutions + norms + 650, count(net));
  }

  @Test
  void thePlainTwinMultipliesAsMuch() {
    try (var _ = Scope.open()) {
      assertEquals(
          Summary.of(CifarNet.named("resnet20").build(Init.zeros()), IMAGE).multiplyAdds(),
          Summary.of(CifarNet.named("plain20").build(Init.zeros()), IMAGE).multiplyAdds());
    }
  }

  @Test
  void theSummaryIsATreeWithShapes() {
    try (var _ = Scope.open()) {
      Summary summary =
          Summary.of(CifarNet.named("resnet8").withShortcut(Shortcut.B).build(Init.zeros()), IMAGE);
      List<String> lines = new ArrayList<>();
      summary
          .layers()
          .forEach(e ->
              lines.add(
                  "%s %s|%s|%s|%s|%s"
                      .formatted(
                          e.depth(),
                          e.name(),
                          e.layer(),
                          e.value(),
                          e.params(),
                          e.multiplyAdds())));
      assertEquals("0 |Chain|1×10|0|0", lines.getFirst());
      assertEquals("1 conv1|Conv2d 3→16, 3×3|1×16×32×32|432|442368", lines.get(1));
      assertEquals("1 linear|Dense 64→10|1×10|650|640", lines.getLast());
      assertTrue(lines.contains("1 bn1|BatchNorm 16|1×16×32×32|32|0"), lines.toString());
      assertTrue(
          lines.contains("5 0|Conv2d 16→32, 1×1, stride 2|1×32×16×16|512|131072"),
          lines.toString());
    }
  }

  // ---- Names

  private static List<String> names(int depth) {
    var names = new ArrayList<String>();
    names.add("conv1.weight");
    norm(names, "bn1");
    for (int stage = 1; stage <= 3; stage++) {
      for (int block = 0; block < (depth - 2) / 6; block++) {
        String path = "layer" + stage + "." + block;
        names.add(path + ".conv1.weight");
        norm(names, path + ".bn1");
        names.add(path + ".conv2.weight");
        norm(names, path + ".bn2");
      }
    }
    names.add("linear.weight");
    names.add("linear.bias");
    return names;
  }

  private static void norm(List<String> names, String path) {
    for (String own : List.of("weight", "bias", "running_mean", "running_var")) {
      names.add(path + "." + own);
    }
  }

  @ParameterizedTest
  @CsvSource({"resnet20, 20", "plain20, 20", "resnet8, 8", "plain56, 56"})
  void parametersHaveThePublishedNamesInTheOrderOfTheData(String name, int depth) {
    try (var _ = Scope.open()) {
      assertEquals(
          names(depth), List.copyOf(CifarNet.named(name).build(Init.zeros()).state().keySet()));
    }
  }

  @Test
  void aProjectionIsCalledShortcut() {
    try (var _ = Scope.open()) {
      var names =
          new TreeSet<>(
              CifarNet.named("resnet14")
                  .withShortcut(Shortcut.B)
                  .build(Init.zeros())
                  .state()
                  .keySet());
      names.removeAll(names(14));
      var expected = new ArrayList<String>();
      for (int stage = 2; stage <= 3; stage++) {
        expected.add("layer%s.0.shortcut.0.weight".formatted(stage));
        norm(expected, "layer%s.0.shortcut.1".formatted(stage));
      }
      assertEquals(new TreeSet<>(expected), names);
      assertEquals(
          6,
          CifarNet.named("resnet14")
              .withShortcut(Shortcut.C)
              .build(Init.zeros())
              .state()
              .keySet()
              .stream()
              .filter(path -> path.endsWith("shortcut.0.weight"))
              .count());
    }
  }

  /// The weights that were published for these nets lie beside the checkout, or not.
  @ParameterizedTest
  @CsvSource({"resnet20", "resnet32"})
  void publishedWeightsFit(String model) {
    Path file =
        Path.of(System.getProperty("fathom.root", "."), "../shared/data", model + ".safetensors");
    Assumptions.assumeTrue(Files.exists(file), "the published weights are not here");
    try (var _ = Scope.open();
        var stored = SafeTensors.open(file)) {
      var state = CifarNet.named(model).build(Init.zeros()).state();
      assertEquals(new TreeSet<>(stored.names()), new TreeSet<>(state.keySet()));
      state.forEach((path, param) -> assertEquals(stored.shape(path), param.value().shape(), path));
    }
  }

  // ---- What can be asked for

  @ParameterizedTest
  @CsvSource({
    "21, 20 and 26",
    "19, 14 and 20",
    "0, 8 and 14",
    "2, 8 and 14",
    "-7, 8 and 14",
    "57, 56 and 62",
  })
  void aWrongDepthIsRefusedWithTheNearest(int depth, String nearest) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new CifarNet(depth, Shortcut.A, Norm.BATCH, 16, new ImageShape(3, 32, 32), 10));
    assertTrue(e.getMessage().contains("6n+2, but " + depth), e.getMessage());
    assertTrue(e.getMessage().endsWith(nearest), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"resnet", "resnet-20", "plain20x", "vgg16", "''", "resnet99999999999"})
  void anUnknownNameIsRefused(String name) {
    var e = assertThrows(IllegalArgumentException.class, () -> CifarNet.named(name));
    assertTrue(e.getMessage().contains("\"" + name + "\""), e.getMessage());
  }

  @Test
  void namesAreRead() {
    for (int depth : CifarNet.paperDepths()) {
      for (String name : List.of("resnet" + depth, "plain" + depth)) {
        assertEquals(name, CifarNet.named(name).name());
      }
    }
    assertEquals("resnet20", CifarNet.named("ResNet20").name());
    assertEquals(Shortcut.A, CifarNet.named("resnet20").shortcut());
    assertEquals(Shortcut.NONE, CifarNet.named("plain20").shortcut());
  }

  @Test
  void sizesOfNothingAreRefused() {
    CifarNet net = CifarNet.named("resnet8");
    var input = new ImageShape(1, 8, 8);
    for (Runnable bad :
        new Runnable[] {
          () -> net.withWidth(0),
          () -> net.on(input, 0),
          () -> net.on(new ImageShape(0, 8, 8), 10),
          () -> net.on(new ImageShape(1, 0, 8), 10),
          () -> net.on(new ImageShape(1, 8, -1), 10)
        }) {
      assertThrows(IllegalArgumentException.class, bad::run);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 8, 8, 1",
    "1, 8, 8, 4",
    "1, 28, 28, 5",
    "3, 32, 32, 16",
    "3, 7, 5, 4",
    "2, 1, 1, 3"
  })
  void imagesOfAnySizeGoThroughNetsOfAnyWidth(int channels, int height, int width, int filters) {
    for (Shortcut shortcut : Shortcut.values()) {
      for (Norm norm : Norm.values()) {
        try (var _ = Scope.open()) {
          Layer net =
              new CifarNet(8, shortcut, norm, filters, new ImageShape(channels, height, width), 7)
                  .build(Init.he(1));
          Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 3, channels, height, width);
          Traced y = net.forward(x);
          assertEquals(Shape.of(3, 7), y.value().shape());
          assertEquals(x.shape(), y.back(y.value().zerosLike()).shape());
          for (double v : net.predict(x).toDoubles()) {
            assertTrue(Double.isFinite(v));
          }
        }
      }
    }
  }

  // ---- Twins

  @Test
  void thePlainTwinStartsWithTheSameWeights() {
    try (var _ = Scope.open()) {
      var residual = CifarNet.named("resnet14").build(Init.he(3)).state();
      var plain = CifarNet.named("plain14").build(Init.he(3)).state();
      var optionB = CifarNet.named("resnet14").withShortcut(Shortcut.B).build(Init.he(3)).state();
      assertEquals(residual.keySet(), plain.keySet());
      residual.forEach((path, param) -> {
        double[] values = param.value().toDoubles();
        assertArrayEquals(values, plain.get(path).value().toDoubles(), path);
        assertArrayEquals(values, optionB.get(path).value().toDoubles(), path);
      });
    }
  }

  @Test
  void aPlainNetIsTheResidualNetWithoutItsShortcuts() {
    try (var _ = Scope.open()) {
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 2, 3, 8, 8);
      double[] residual =
          CifarNet.named("resnet14").build(Init.he(3)).forward(x).value().toDoubles();
      double[] plain = CifarNet.named("plain14").build(Init.he(3)).forward(x).value().toDoubles();
      double difference = 0;
      for (int i = 0; i < plain.length; i++) {
        difference += Math.abs(plain[i] - residual[i]);
      }
      assertTrue(difference > 0.1, "the same values with and without shortcuts");
    }
  }

  // ---- Fused

  @ParameterizedTest
  @EnumSource
  void theFusedNetIsThePlainOne(Shortcut shortcut) {
    for (DType type : new DType[] {DType.FLOAT64, DType.FLOAT32}) {
      double tolerance = type == DType.FLOAT64 ? 1e-10 : 2e-4;
      try (var _ = Scope.open()) {
        Layer plain = small(shortcut, type);
        Layer other = small(shortcut, type);
        Layer fused = Fused.of(other);
        assertEquals(
            List.copyOf(plain.state().keySet()), List.copyOf(fused.state().keySet()), "paths");
        other.state().forEach((path, param) -> assertSame(param, fused.state().get(path), path));
        assertTrue(count(fused) < count(plain), "nothing was fused");
        Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 4, 3, 8, 8).to(type);
        Traced expected = plain.forward(x);
        Traced actual = fused.forward(x);
        assertClose("value", expected.value().toDoubles(), actual.value().toDoubles(), tolerance);
        Tensor dy = Tensor.normal(RandomKey.of(2, "dy"), DType.FLOAT32, 4, 10).to(type);
        assertClose("dE/dx", expected.back(dy).toDoubles(), actual.back(dy).toDoubles(), tolerance);
        plain
            .state()
            .forEach((path, param) -> {
              var twin = fused.state().get(path);
              assertClose(path, param.value().toDoubles(), twin.value().toDoubles(), tolerance);
              if (param.trained()) {
                assertClose(path, param.grad().toDoubles(), twin.grad().toDoubles(), tolerance);
              }
            });
        assertClose(
            "prediction", plain.predict(x).toDoubles(), fused.predict(x).toDoubles(), tolerance);
      }
    }
  }

  private static Layer small(Shortcut shortcut, DType type) {
    Layer net = CifarNet.named("resnet14").withShortcut(shortcut).withWidth(5).build(Init.he(3));
    net.state().values().forEach(param -> param.convert(type));
    return net;
  }

  private static long count(Layer net) {
    return 1 + net.children().stream().mapToLong(child -> count(child.layer())).sum();
  }

  private static void assertClose(
      String what, double[] expected, double[] actual, double tolerance) {
    double largest = 1e-3;
    for (double v : expected) {
      largest = Math.max(largest, Math.abs(v));
    }
    assertArrayEquals(expected, actual, tolerance * largest, what);
  }
}
