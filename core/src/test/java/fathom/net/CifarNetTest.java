package fathom.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Draw;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.io.SafeTensors;
import fathom.nn.Fused;
import fathom.nn.Init;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CifarNetTest {
  private static Summary summary(CifarNet net) {
    try (var _ = Scope.open()) {
      CifarNet.Input in = net.input();
      return Summary.of(net.build(Init.zeros()), Shape.of(in.channels(), in.height(), in.width()));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "20, 269722, 272474, 40.55",
    "32, 464154, 466906, 68.86",
    "44, 658586, 661338, 97.17",
    "56, 853018, 855770, 125.49",
    "110, 1727962, 1730714, 252.89",
    "1202, 19421274, 19424026, 2829.24"
  })
  void hasTheCountsOfThePaper(int depth, long params, long withProjections, double millions) {
    CifarNet residual = CifarNet.named("resnet" + depth);
    Summary a = summary(residual);
    assertEquals(params, a.params());
    assertEquals(millions, a.multiplyAdds() / 1e6, 0.005);
    assertEquals(withProjections, summary(residual.withShortcut(Shortcut.B)).params());
    Summary plain = summary(CifarNet.named("plain" + depth));
    assertEquals(params, plain.params(), "the plain twin has the same parameters");
    assertEquals(a.multiplyAdds(), plain.multiplyAdds(), "and the same multiply-adds");
  }

  /// By hand for resnet8 (n = 1) on 8×8 pictures in grey: the first convolution has 9·16 weights;
  /// the six others 9·16·16·2, 9·(16·32 + 32·32) and 9·(32·64 + 64·64); a norm two per channel; 650
  /// at the end.
  @Test
  void hasTheCountsOfOtherPictures() {
    long convolutions = 9 * 16 + 9 * (16 * 16 * 2 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64);
    long norms = 2 * (16 + 2 * 16 + 2 * 32 + 2 * 64);
    CifarNet net = CifarNet.named("resnet8").on(new CifarNet.Input(1, 8, 8), 10);
    assertEquals(convolutions + norms + 650, summary(net).params());
  }

  @ParameterizedTest
  @CsvSource({"1, 8, 8, 1", "1, 28, 28, 4", "3, 32, 32, 5", "2, 7, 9, 16", "3, 1, 1, 3"})
  void takesPicturesOfAnySizeAndAnyWidth(int channels, int height, int wide, int width) {
    for (Shortcut shortcut : Shortcut.values()) {
      for (Norm norm : Norm.values()) {
        CifarNet net =
            CifarNet.named("resnet8")
                .withShortcut(shortcut)
                .withNorm(norm)
                .withWidth(width)
                .on(new CifarNet.Input(channels, height, wide), 7);
        try (var _ = Scope.open()) {
          Tensor x = Tensor.normal(new Draw(1), DType.FLOAT32, 3, channels, height, wide);
          assertEquals(Shape.of(3, 7), net.build(Init.he(1)).predict(x).shape());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"resnet20", "plain20", "resnet14"})
  void fusedIsTheSameNet(String name) {
    for (Shortcut shortcut : Shortcut.values()) {
      CifarNet spec = CifarNet.named(name).withWidth(4).on(new CifarNet.Input(2, 9, 8), 5);
      if (spec.shortcut() != Shortcut.NONE) {
        spec = spec.withShortcut(shortcut);
      }
      try (var _ = Scope.open()) {
        Layer plain = spec.build(Init.he(3));
        plain.state().values().forEach(p -> p.convert(DType.FLOAT64));
        Layer fused = Fused.of(plain);
        assertEquals(plain.state().keySet(), fused.state().keySet());
        Tensor x = Tensor.normal(new Draw(1), DType.FLOAT64, 6, 2, 9, 8);
        Tensor dy = Tensor.normal(new Draw(2), DType.FLOAT64, 6, 5);
        var expected = step(plain, x, dy);
        var found = step(fused, x, dy);
        for (int i = 0; i < expected.size(); i++) {
          assertArrayEquals(expected.get(i), found.get(i), 1e-9);
        }
      }
    }
  }

  /// Value, dE/dx and all gradients of a step, and what `predict` says after it.
  private static List<double[]> step(Layer net, Tensor x, Tensor dy) {
    var state = net.state();
    var buffers = new ArrayList<double[]>();
    state.values().forEach(p -> buffers.add(p.value().toDoubles()));
    net.params().forEach(p -> p.grad().zero_());
    var all = new ArrayList<double[]>();
    var traced = net.forward(x);
    all.add(traced.value().toDoubles());
    all.add(traced.back(dy).toDoubles());
    state
        .values()
        .forEach(p -> all.add(p.trained() ? p.grad().toDoubles() : p.value().toDoubles()));
    all.add(net.predict(x).toDoubles());
    int i = 0;
    for (var param : state.values()) {
      param.value().copy_(Tensor.of(buffers.get(i++), param.value().shape().toArray()));
    }
    return all;
  }

  @Test
  void twinsStartAlike() {
    try (var _ = Scope.open()) {
      var plain = CifarNet.named("plain20").build(Init.he(5)).state();
      var residual = CifarNet.named("resnet20").build(Init.he(5)).state();
      assertEquals(plain.keySet(), residual.keySet());
      plain.forEach((path, param) ->
          assertArrayEquals(
              param.value().toDoubles(),
              Objects.requireNonNull(residual.get(path)).value().toDoubles(),
              path));
    }
  }

  @Test
  void statesHaveTheNamesOfThePublishedWeights() {
    Path file =
        Path.of(System.getProperty("fathom.root"), "..", "shared", "data", "resnet20.safetensors");
    Assumptions.assumeTrue(Files.exists(file), "the published weights are not beside the checkout");
    try (var _ = Scope.open();
        var published = SafeTensors.open(file)) {
      var state = CifarNet.named("resnet20").build(Init.zeros()).state();
      assertEquals(new HashSet<>(published.names()), state.keySet());
      state.forEach(
          (path, param) -> assertEquals(published.shape(path), param.value().shape(), path));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "resnet21, 20 and 26",
    "plain7, 8 and 14",
    "resnet0, 8 and 14",
    "resnet9, 8 and 14",
    "vgg16, resnetN",
    "resnet, resnetN",
    "resnet99999999999, resnetN"
  })
  void namesThatMeanNothingAreRefused(String name, String says) {
    var e = assertThrows(IllegalArgumentException.class, () -> CifarNet.named(name));
    assertTrue(String.valueOf(e.getMessage()).contains(says), e.getMessage());
  }
}
