package fathom.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.infer.FittingNets;
import fathom.io.BadFileException;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.io.TorchFile;
import fathom.net.Architecture;
import fathom.net.CifarNet;
import fathom.net.Shortcut;
import fathom.nn.Init;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Weights under the names that other programs give them.
class WeightNamesTest {
  @TempDir private Path folder;

  private static Layer net(String name, Init init) {
    return Architecture.Convolutional.named(name).withWidth(4).build(init);
  }

  /// Writes a net's tensors under other names as PyTorch's, and returns the file.
  private Path written(Layer net, UnaryOperator<String> renamed) {
    SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
    Weights.stored(net).forEach((name, tensor) -> tensors.put(renamed.apply(name), tensor));
    Path file = folder.resolve("net.pt");
    TorchFile.write(file, tensors);
    return file;
  }

  private static void assertSame(Layer expected, Layer found) {
    var other = Weights.stored(found);
    Weights.stored(expected)
        .forEach((name, tensor) -> {
          StoredTensor same = other.get(name);
          assertTrue(same != null, name);
          assertArrayEquals(
              tensor.bytes().toArray(ValueLayout.JAVA_BYTE),
              same.bytes().toArray(ValueLayout.JAVA_BYTE),
              name);
        });
  }

  /// What is written for PyTorch comes back bit for bit.
  @ParameterizedTest
  @CsvSource({
    "resnet8, linear, linear",
    "resnet8, linear, fc",
    "resnet8, linear, head.fc",
    "resnet8, layer1, module.layer1",
    "resnet18, fc, linear",
    "resnet18, fc, classifier",
    "resnet18, downsample, shortcut",
    "resnet18, layer1, _orig_mod.layer1",
  })
  void everySpellingIsUnderstood(String model, String own, String theirs) {
    try (var _ = Scope.open()) {
      Layer net = net(model, Init.he(1));
      Path file = written(net, name -> name.replace(own + ".", theirs + "."));
      Layer read = net(model, Init.zeros());
      Weights.read(file, read);
      assertSame(net, read);
    }
  }

  /// All that does not fit is in one report, and nothing was read.
  @Test
  void oneReportSaysAllThatDoesNotFit() {
    try (var _ = Scope.open()) {
      Path file =
          written(
              net("resnet8", Init.he(1)),
              name ->
                  switch (name) {
                    case "layer1.0.conv1.weight" -> "layer1.0.convl.weight";
                    case "bn1.bias" -> "linear.bias";
                    case "linear.bias" -> "bn1.bias";
                    case "layer2.0.bn1.weight" -> "norm.weight";
                    default -> name;
                  });
      Layer read = net("resnet8", Init.zeros());
      var e = assertThrows(BadFileException.class, () -> Weights.read(file, read));
      assertEquals(
          """
          %s: its tensors are not those of the net: 33 of 37 fit
            missing (2): 'layer1.0.conv1.weight' 4×4×3×3 (did you mean 'layer1.0.convl.weight'?), 'layer2.0.bn1.weight' 8 (did you mean 'norm.weight'?)
            unexpected (2): 'layer1.0.convl.weight' 4×4×3×3, 'norm.weight' 8
            of another shape (2): 'bn1.bias' is 10, not 4, 'linear.bias' is 4, not 10; is it of another model?\
          """
              .formatted(file),
          e.getMessage());
      assertSame(net("resnet8", Init.zeros()), read);
    }
  }

  /// The counters of batch norm and of averaged models are no weights.
  @Test
  void countersArePassedOver() {
    try (var _ = Scope.open()) {
      Layer net = net("resnet8", Init.he(2));
      var tensors = Weights.stored(net);
      StoredTensor some = tensors.sequencedValues().getFirst();
      tensors.put("bn1.num_batches_tracked", some);
      tensors.put("n_averaged", some);
      Path file = folder.resolve("net.pt");
      TorchFile.write(file, tensors);
      Layer read = net("resnet8", Init.zeros());
      Weights.read(file, read);
      assertSame(net, read);
      tensors.put("extra", some);
      TorchFile.write(file, tensors);
      var e = assertThrows(BadFileException.class, () -> Weights.read(file, read));
      assertTrue(String.valueOf(e.getMessage()).contains("unexpected (1): 'extra'"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "resnet8, A, 'resnet8, plain8'",
    "resnet8, B, resnet8",
    "resnet18, B, resnet18",
    "resnet18, C, resnet18",
    "resnet50, B, resnet50",
    "plain34, NONE, 'resnet34, plain34'",
  })
  void theNetOfAFileIsFound(String model, Shortcut shortcut, String expected) {
    try (var _ = Scope.open()) {
      Layer net =
          Architecture.Convolutional.named(model)
              .withWidth(4)
              .withShortcut(shortcut)
              .build(Init.zeros());
      try (TensorFile file = TensorFile.open(written(net, UnaryOperator.identity()))) {
        List<Architecture> fitting = FittingNets.of(file);
        assertEquals(
            List.of(expected.split(", ")), fitting.stream().map(Architecture::name).toList());
        assertEquals(4, fitting.getFirst().options().width());
      }
    }
  }

  /// The legacy files that were published, the same as safetensors, and saved again by our writer.
  @ParameterizedTest
  @ValueSource(strings = {"resnet20", "resnet32"})
  void thePublishedWeightsAreTheSameInEveryForm(String model) {
    Path data = Path.of(System.getProperty("fathom.root", ".")).resolve("../shared/data");
    assumeTrue(Files.exists(data.resolve(model + ".th")), "the published weights are not here");
    try (var _ = Scope.open();
        TensorFile legacy = TensorFile.open(data.resolve(model + ".th"));
        SafeTensors converted = SafeTensors.open(data.resolve(model + ".safetensors"));
        Arena arena = Arena.ofConfined()) {
      for (String name : legacy.names()) {
        assertArrayEquals(
            converted.tensor(name).bytes().toArray(ValueLayout.JAVA_BYTE),
            legacy.widened(name, arena).bytes().toArray(ValueLayout.JAVA_BYTE),
            name);
      }
      Layer net = CifarNet.named(model).build(Init.zeros());
      Weights.read(data.resolve(model + ".th"), net);
      Path again = folder.resolve("again.pth");
      Weights.writeForTorch(again, net);
      for (Path file : List.of(again, data.resolve(model + ".safetensors"))) {
        Layer other = CifarNet.named(model).build(Init.zeros());
        Weights.read(file, other);
        assertSame(net, other);
      }
    }
  }

  /// timm's classifier of a pre-activation net is a 1×1 convolution.
  @Test
  void aClassifierMayBeAConvolution() {
    try (var _ = Scope.open()) {
      Layer net = Architecture.Convolutional.named("resnetv2_50x1").withWidth(32).build(Init.he(1));
      SequencedMap<String, StoredTensor> tensors = Weights.stored(net);
      StoredTensor head = tensors.get("head.fc.weight");
      tensors.put(
          "head.fc.weight",
          new StoredTensor(
              head.type(),
              Shape.of(head.shape().size(0), head.shape().size(1), 1, 1),
              head.bytes()));
      Path file = folder.resolve("net.pt");
      TorchFile.write(file, tensors);
      Layer back =
          Architecture.Convolutional.named("resnetv2_50x1").withWidth(32).build(Init.zeros());
      Weights.read(file, back);
      assertSame(net, back);
    }
  }
}
