package fathom.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Init;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What is counted by arithmetic, against what running the net gives.
class SummaryTest {
  private static final Architecture.Options USUAL = Architecture.Options.NONE;

  /// A layer, the shape of its value in a real prediction, and what it multiplied for it.
  private record Seen(String layer, Shape value, long multiplyAdds) {}

  /// Notes the shapes on their way through.
  private record Noting(Layer layer, List<Seen> seen) implements Layer {
    @Override
    public Tensor predict(Tensor x) {
      Tensor y = layer.predict(x);
      seen.add(new Seen(layer.toString(), y.shape(), layer.multiplyAdds(x.shape(), y.shape())));
      return y;
    }

    @Override
    public Traced forward(Tensor x) {
      throw new IllegalStateException("only predictions are counted");
    }
  }

  /// Every model of the list, and each norm and shortcut on a small one.
  private static Stream<Architecture.OfClasses> nets() {
    var nets = new ArrayList<Architecture.OfClasses>();
    for (String name : Architecture.imagesNames()) {
      nets.add(Architecture.images(name, USUAL));
    }
    for (Norm norm : Norm.values()) {
      for (String name : List.of("resnet8", "resnet18", "resnet50")) {
        nets.add(
            Architecture.images(
                name, new Architecture.Options(Shortcut.C, norm, 8, null, null, 0.5)));
      }
      if (norm != Norm.INSTANCE && norm != Norm.STANDARDIZED) {
        nets.add(
            Architecture.images("mlp", new Architecture.Options(null, norm, null, 16, 3, 0.5)));
      }
    }
    return nets.stream();
  }

  /// An odd size, at which every rounding of a side shows; and small, for the deep ones run too.
  private static ImageShape size(Architecture.OfClasses net) {
    return new ImageShape(
        net.input().channels(), net instanceof PhotoNet ? 37 : 9, net instanceof PhotoNet ? 35 : 7);
  }

  @ParameterizedTest
  @MethodSource("nets")
  void arithmeticAgreesWithRunning(Architecture.OfClasses net) {
    ImageShape size = size(net);
    var sized = net.on(size, 5);
    Summary counted;
    try (var _ = Scope.ofShapes()) {
      counted =
          Summary.of(
              sized.build(Init.zeros()), Shape.of(size.channels(), size.height(), size.width()));
    }
    try (var _ = Scope.open()) {
      Layer built = sized.build(Init.zeros());
      assertEquals(
          built.params().stream().mapToLong(p -> p.value().shape().elements()).sum(),
          counted.params());
      var seen = new ArrayList<Seen>();
      Layer.map(built, (_, layer) -> new Noting(layer, seen))
          .predict(
              Tensor.zeros(DType.FLOAT32, 1, size.channels(), size.height(), size.width())
                  .channelsLast());
      assertEquals(
          seen.stream().map(Seen::toString).sorted().toList(),
          counted.layers().stream()
              .map(e -> new Seen(e.layer(), e.value(), e.multiplyAdds()).toString())
              .sorted()
              .toList());
    }
  }

  /// Nets for text are counted by their parameters.
  @Test
  void netsForTextHaveTheSameParametersWithoutElements() {
    for (String name : Architecture.textNames()) {
      var net = Architecture.text(name, USUAL).withVocabulary(7).withWindow(11);
      List<String> counted;
      try (var _ = Scope.ofShapes()) {
        counted = parameters(net);
      }
      try (var _ = Scope.open()) {
        assertEquals(parameters(net), counted, name);
      }
    }
  }

  private static List<String> parameters(Architecture.OfText net) {
    return net.build(Init.zeros()).state().entrySet().stream()
        .map(e -> e.getKey() + " " + e.getValue().value().shape() + e.getValue().trained())
        .toList();
  }

  @Test
  void whatHasOnlyAShapeSaysSo() {
    try (var _ = Scope.ofShapes()) {
      long before = Tensor.liveBytes();
      Tensor x = Tensor.zeros(DType.FLOAT32, 1 << 20, 1 << 20);
      assertEquals(before, Tensor.liveBytes());
      var refused = assertThrows(IllegalStateException.class, x::relu);
      assertTrue(String.valueOf(refused.getMessage()).contains("has no elements"));
    }
  }
}
