package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.nn.Chain;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Residual;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PhotoNetTest {
  private static final Shape PHOTO = Shape.of(3, 224, 224);

  private static PhotoNet small(int depth, Shortcut shortcut, Norm norm) {
    return new PhotoNet(depth, shortcut, norm, 8, new ImageShape(3, 17, 40), 5);
  }

  // ---- Sizes

  /// The parameters are torchvision's. The multiply-adds are those of the convolutions and the
  /// dense layer; the paper has 1.8, 3.6, 3.8, 7.6 and 11.3 thousand million, with the stride in
  /// the first 1×1 of a bottleneck and without the dense layer's.
  @ParameterizedTest
  @CsvSource({
    "resnet18, 11689512, 1814073344",
    "resnet34, 21797672, 3663761408",
    "resnet50, 25557032, 4089184256",
    "resnet101, 44549160, 7801405440",
    "resnet152, 60192808, 11513626624",
    "plain18, 11515688, 1794805760",
    "plain34, 21623848, 3644493824",
  })
  void parametersAndMultiplyAdds(String name, long params, long multiplyAdds) {
    try (var _ = Scope.open()) {
      Summary summary = Summary.of(PhotoNet.named(name).build(Init.zeros()), PHOTO);
      assertEquals(params, summary.params());
      assertEquals(multiplyAdds, summary.multiplyAdds());
      assertEquals(byHand(PhotoNet.named(name)), summary.multiplyAdds());
    }
  }

  /// With the stride in the first 1×1, as the paper has it, it sees a quarter of the pixels. The
  /// paper says 3.8, 7.6 and 11.3 thousand million; the dense layer's 2 million are counted here.
  @ParameterizedTest
  @CsvSource({"resnet50, 3858", "resnet101, 7570", "resnet152, 11282"})
  void theStrideOfThePaperTakesFewerMultiplyAdds(String name, long millions) {
    try (var _ = Scope.ofShapes()) {
      PhotoNet usual = PhotoNet.named(name);
      Summary summary = Summary.of(usual.withStrideIn(1).build(Init.zeros()), PHOTO);
      long fewer = 0; // the first 1×1 of stages 2 to 4 from 56², 28² and 14² pixels to a quarter
      for (int stage = 1; stage < 4; stage++) {
        long before = (112L >> stage) * (112 >> stage);
        fewer += (before - before / 4) * (128L << stage) * (64L << stage);
      }
      assertEquals(byHand(usual) - fewer, summary.multiplyAdds());
      assertEquals((double) millions, summary.multiplyAdds() / 1e6, 0.5);
      assertEquals(Summary.of(usual.build(Init.zeros()), PHOTO).params(), summary.params());
    }
  }

  /// timm's counts. By hand for the first: instead of 49·3·64 weights there are 9·(3·32 + 32·32 +
  /// 32·64) and two norms of 32 channels, which is 19232 more.
  @ParameterizedTest
  @CsvSource({
    "resnet18d, 11708744",
    "resnet34d, 21816904",
    "resnet50d, 25576264",
    "resnet101d, 44568392",
    "resnet152d, 60212040",
  })
  void parametersOfTheFormD(String name, long params) {
    try (var _ = Scope.ofShapes()) {
      long more = 9 * (3 * 32 + 32 * 32 + 32 * 64) + 2 * 2 * 32 - 49 * 3 * 64;
      assertEquals(19_232, more);
      assertEquals(params, Summary.of(PhotoNet.named(name).build(Init.zeros()), PHOTO).params());
      Layer usual = PhotoNet.named(name.replace("d", "")).build(Init.zeros());
      assertEquals(params - more, Summary.of(usual, PHOTO).params());
    }
  }

  @Test
  void parametersOfTheFormDHaveTimmsNames() {
    List<String> names;
    try (var _ = Scope.open()) {
      names = paths("resnet50d");
    }
    assertEquals(
        List.of(
            "conv1.0.weight",
            "conv1.1.weight",
            "conv1.1.bias",
            "conv1.1.running_mean",
            "conv1.1.running_var",
            "conv1.3.weight"),
        names.subList(0, 6));
    assertTrue(names.containsAll(List.of("conv1.6.weight", "bn1.weight")));
    for (String stage : List.of("layer1", "layer2")) {
      assertTrue(names.contains(stage + ".0.downsample.1.weight"), names.toString());
      assertTrue(names.contains(stage + ".0.downsample.2.running_var"), names.toString());
    }
  }

  // ---- Branches that begin as zero

  /// Each block is then the ReLU of its shortcut, bit by bit, and its last norm's gains learn.
  @ParameterizedTest
  @CsvSource({"resnet18, BATCH", "resnet50, BATCH", "resnet50d, ANCHORED", "resnet20, LAYER"})
  void branchesBeginAsZero(String name, Norm norm) {
    try (var _ = Scope.open()) {
      var net =
          Architecture.Convolutional.named(name)
              .withNorm(norm)
              .withWidth(4)
              .on(new ImageShape(3, 33, 40), 5)
              .withZeroInit(true);
      Layer whole = net.build(Init.he(4));
      Layer without =
          Layer.map(
              whole,
              (path, layer) ->
                  layer instanceof Residual r
                      ? new Chain(List.of(new Layer.Child(r.shortcutName(), r.shortcut())))
                      : layer);
      Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 2, 3, 33, 40);
      var traced = whole.forward(x);
      assertArrayEquals(
          without.forward(x).value().toDoubles(), traced.value().toDoubles(), 0, name);
      traced.back(Tensor.zeros(DType.FLOAT32, 2, 5).plus(1));
      String last = name.equals("resnet50") || name.equals("resnet50d") ? "bn3" : "bn2";
      int zero = 0;
      for (var each : whole.state().entrySet()) {
        if (each.getKey().endsWith(last + ".weight")) {
          assertEquals(0, norm(each.getValue().value()), each.getKey());
          assertTrue(norm(each.getValue().grad()) > 0, each.getKey());
          zero++;
        }
      }
      assertEquals(net.blocks(), zero);
    }
  }

  private static double norm(Tensor t) {
    return t.square().sum().item();
  }

  @Test
  void zeroBranchesNeedGains() {
    var net = PhotoNet.named("resnet18").withZeroInit(true);
    for (Runnable wrong :
        List.<Runnable>of(
            () -> net.withNorm(Norm.NONE),
            () -> net.withNorm(Norm.WEIGHT),
            () -> net.withShortcut(Shortcut.NONE),
            () -> CifarNet.named("plain20").withZeroInit(true))) {
      var e = assertThrows(IllegalArgumentException.class, wrong::run);
      assertTrue(e.getMessage().contains("`zeroInit`"), e.getMessage());
    }
  }

  /// What is usual is not written, so that older files and newer ones say the same.
  @Test
  void optionsSayWhatIsNotUsual() {
    var usual = new Architecture.Options(null, null, null, null, null, null, 3, false);
    assertEquals(Architecture.Options.NONE, usual);
    var said = new Architecture.Options(null, null, 8, null, null, null, 1, true);
    assertEquals("width 8, strideIn 1, zeroInit true", said.toString());
    var net = Architecture.images("resnet50", said);
    assertEquals("width 8", List.of(net.options().toString().split(", ")).get(2));
    assertEquals(
        said, Architecture.Options.of(Map.of("width", "8", "strideIn", "1", "zeroInit", "true")));
    assertEquals(net, Architecture.images("resnet50", net.options()));
    for (String none : List.of("resnet18", "resnet20", "preresnet50", "mlp")) {
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  Architecture.images(
                      none, new Architecture.Options(null, null, null, null, null, null, 1, null)));
      assertTrue(e.getMessage().contains("`strideIn` means nothing"), e.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> new Architecture.Options(null, null, null, null, null, null, 2, null));
  }

  /// Table 1 in arithmetic, without a net.
  private static long byHand(PhotoNet net) {
    boolean bottleneck = net.depth() >= 50;
    var blocks =
        switch (net.depth()) {
          case 18 -> List.of(2, 2, 2, 2);
          case 34, 50 -> List.of(3, 4, 6, 3);
          case 101 -> List.of(3, 4, 23, 3);
          default -> List.of(3, 8, 36, 3);
        };
    long sum = 112L * 112 * 3 * 49 * 64;
    long in = 64;
    for (int stage = 0; stage < 4; stage++) {
      long pixels = (56L >> stage) * (56 >> stage);
      long w = 64L << stage;
      long out = bottleneck ? 4 * w : w;
      for (int i = 0; i < blocks.get(stage); i++) {
        long before = stage > 0 && i == 0 ? 4 * pixels : pixels; // the 1x1 before the stride
        sum +=
            bottleneck
                ? before * in * w + pixels * 9 * w * w + pixels * w * out
                : pixels * 9 * (in * w + w * w);
        if (in != out && net.shortcut() == Shortcut.B) {
          sum += pixels * in * out;
        }
        in = out;
      }
    }
    return sum + in * 1000;
  }

  @Test
  void valuesShrinkAsInTheTable() {
    try (var _ = Scope.open()) {
      Layer net = PhotoNet.named("resnet50").build(Init.zeros());
      var shapes =
          Summary.of(net, PHOTO).layers().stream()
              .filter(e -> e.depth() == 1)
              .collect(Collectors.toMap(Summary.Entry::name, e -> e.value().toString()));
      assertEquals("1×64×112×112", shapes.get("conv1"));
      assertEquals("1×64×56×56", shapes.get("maxpool"));
      assertEquals("1×256×56×56", shapes.get("layer1"));
      assertEquals("1×512×28×28", shapes.get("layer2"));
      assertEquals("1×1024×14×14", shapes.get("layer3"));
      assertEquals("1×2048×7×7", shapes.get("layer4"));
      assertEquals("1×2048", shapes.get("avgpool"));
      assertEquals("1×1000", shapes.get("fc"));
    }
  }

  /// As in torchvision, and not in the 1×1 before it.
  @Test
  void theStrideOfABottleneckIsInItsMiddle() {
    try (var _ = Scope.open()) {
      var layers = Summary.of(PhotoNet.named("resnet50").build(Init.zeros()), PHOTO).layers();
      var strided =
          layers.stream()
              .filter(e -> e.layer().startsWith("Conv2d") && e.layer().contains("stride"))
              .map(Summary.Entry::layer)
              .toList();
      assertEquals(
          List.of(
              "Conv2d 3→64, 7×7, stride 2",
              "Conv2d 128→128, 3×3, stride 2",
              "Conv2d 256→512, 1×1, stride 2",
              "Conv2d 256→256, 3×3, stride 2",
              "Conv2d 512→1024, 1×1, stride 2",
              "Conv2d 512→512, 3×3, stride 2",
              "Conv2d 1024→2048, 1×1, stride 2"),
          strided);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 8, 31, 33})
  void imagesOfAnySizePass(int side) {
    try (var _ = Scope.open()) {
      for (int depth : List.of(18, 50)) {
        Layer net =
            new PhotoNet(depth, Shortcut.B, Norm.BATCH, 2, new ImageShape(1, side, side), 4)
                .build(Init.he(1));
        Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 2, 1, side, side);
        assertEquals(Shape.of(2, 4), net.predict(x).shape());
        assertEquals(x.shape(), net.forward(x).back(Tensor.zeros(DType.FLOAT32, 2, 4)).shape());
      }
    }
  }

  // ---- Names

  /// As in torchvision's state dict, without its counts of batches.
  private static List<String> names(List<Integer> blocks, int convolutions, boolean shortcuts) {
    var names = new ArrayList<String>();
    names.add("conv1.weight");
    norm(names, "bn1");
    for (int stage = 1; stage <= 4; stage++) {
      for (int block = 0; block < blocks.get(stage - 1); block++) {
        String path = "layer" + stage + "." + block;
        for (int i = 1; i <= convolutions; i++) {
          names.add(path + ".conv" + i + ".weight");
          norm(names, path + ".bn" + i);
        }
        if (shortcuts && block == 0 && (stage > 1 || convolutions == 3)) {
          names.add(path + ".downsample.0.weight");
          norm(names, path + ".downsample.1");
        }
      }
    }
    names.add("fc.weight");
    names.add("fc.bias");
    return names;
  }

  private static void norm(List<String> names, String path) {
    for (String own : List.of("weight", "bias", "running_mean", "running_var")) {
      names.add(path + "." + own);
    }
  }

  @Test
  void parametersHaveThePublishedNamesInTheirOrder() {
    try (var _ = Scope.open()) {
      assertEquals(names(List.of(2, 2, 2, 2), 2, true), paths("resnet18"));
      assertEquals(names(List.of(3, 4, 6, 3), 2, false), paths("plain34"));
      assertEquals(names(List.of(3, 4, 6, 3), 3, true), paths("resnet50"));
      assertEquals(names(List.of(3, 4, 23, 3), 3, true), paths("resnet101"));
    }
  }

  private static List<String> paths(String name) {
    Layer net = PhotoNet.named(name).withWidth(2).build(Init.zeros());
    var paths = List.copyOf(net.state().keySet());
    assertEquals(paths.stream().sorted().toList(), fusedPaths(net), "fused");
    return paths;
  }

  private static List<String> fusedPaths(Layer net) {
    return Fused.of(net).state().keySet().stream().sorted().toList();
  }

  @ParameterizedTest
  @CsvSource({"1, 64, 3, 7", "2, 128, 64, 1"})
  void weightsHaveThePublishedShapes(int at, int out, int in, int kernel) {
    try (var _ = Scope.open()) {
      var state = PhotoNet.named("resnet18").build(Init.zeros()).state();
      Param weight = state.get(at == 1 ? "conv1.weight" : "layer2.0.downsample.0.weight");
      assertEquals(Shape.of(out, in, kernel, kernel), weight.value().shape());
    }
  }

  // ---- What can be asked for

  @Test
  void aNameMeansOneNet() {
    for (String name : Architecture.imagesNames()) {
      assertEquals(name, Architecture.images(name, Architecture.Options.NONE).name());
    }
    assertInstanceOf(PhotoNet.class, Architecture.images("ResNet50", Architecture.Options.NONE));
    assertInstanceOf(CifarNet.class, Architecture.images("plain50", Architecture.Options.NONE));
    for (int depth : List.of(50, 152)) {
      var e = assertThrows(IllegalArgumentException.class, () -> CifarNet.named("resnet" + depth));
      assertTrue(e.getMessage().contains("resnet" + (depth + 6)), e.getMessage());
    }
    assertEquals("plain18", PhotoNet.named("resnet18").withShortcut(Shortcut.NONE).name());
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet20", "plain50", "resnet", "resnet018", "resnet18x"})
  void otherNamesAreRefusedWithThoseThatThereAre(String name) {
    var e = assertThrows(IllegalArgumentException.class, () -> PhotoNet.named(name));
    assertTrue(e.getMessage().contains("resnet152"), e.getMessage());
  }

  @Test
  void aBottleneckWithoutShortcutIsRefused() {
    var net = PhotoNet.named("resnet50");
    var e = assertThrows(IllegalArgumentException.class, () -> net.withShortcut(Shortcut.NONE));
    assertTrue(e.getMessage().contains("plain34"), e.getMessage());
    for (Runnable wrong :
        List.<Runnable>of(
            () -> net.withWidth(0),
            () -> net.on(net.input(), 0),
            () -> net.on(new ImageShape(1, 0, 8), 10),
            () -> new PhotoNet(20, Shortcut.B, Norm.BATCH, 64, net.input(), 10))) {
      assertThrows(IllegalArgumentException.class, wrong::run);
    }
  }

  // ---- Every norm and shortcut, plain and fused

  @ParameterizedTest
  @EnumSource(Norm.class)
  void everyNormRunsAndFuses(Norm norm) {
    for (Shortcut shortcut : Shortcut.values()) {
      for (int depth : shortcut == Shortcut.NONE ? List.of(18) : List.of(18, 50)) {
        try (var _ = Scope.open()) {
          Layer net = small(depth, shortcut, norm).build(Init.he(2));
          Layer fused = Fused.of(net);
          Tensor x = Tensor.normal(RandomKey.of(3, "x"), DType.FLOAT32, 2, 3, 17, 40);
          var values = net.forward(x);
          var dy = Tensor.normal(RandomKey.of(4, "dy"), DType.FLOAT32, 2, 5);
          assertEquals(Shape.of(2, 5), values.value().shape());
          assertEquals(x.shape(), values.back(dy).shape());
          double[] plain = net.predict(x).toDoubles();
          double size = 1e-12;
          for (double v : plain) {
            size = Math.max(size, Math.abs(v));
          }
          assertArrayEquals(plain, fused.predict(x).toDoubles(), 1e-4 * size);
        }
      }
    }
  }

  /// Every rectifier is part of a kernel: 16 behind an addition, and two in each of 16 bottlenecks
  /// and one in the stem behind a norm alone.
  @Test
  void everyRectifierIsFused() {
    try (var _ = Scope.open()) {
      Layer net = Fused.of(PhotoNet.named("resnet50").withWidth(2).build(Init.zeros()));
      var layers = new ArrayList<String>();
      collect(net, layers);
      assertEquals(16, layers.stream().filter("Residual + BatchNorm + Relu"::equals).count());
      assertEquals(33, layers.stream().filter(l -> l.matches("BatchNorm \\d+ . Relu")).count());
      assertEquals(0, layers.stream().filter("Relu"::equals).count());
    }
  }

  private static void collect(Layer layer, List<String> all) {
    all.add(layer.toString());
    layer.children().forEach(child -> collect(child.layer(), all));
  }
}
