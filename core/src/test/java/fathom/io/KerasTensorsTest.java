package fathom.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Names, layouts, biases and ε of Keras's ResNet-50, worked by hand on its first layers; the whole
/// net is compared with Keras by OtherProgramsTest.
class KerasTensorsTest {
  @TempDir private Path folder;

  private final SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();

  private void put(String name, Shape shape, double first) {
    float[] values = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (first + i);
    }
    tensors.put(name, new StoredTensor(DType.FLOAT32, shape, MemorySegment.ofArray(values)));
  }

  private void layer(String name, Shape kernel, int out, List<String> roles) {
    put(name + "_conv/" + roles.get(0), kernel, 0);
    put(name + "_conv/" + roles.get(1), Shape.of(out), 10);
    put(name + "_bn/" + roles.get(2), Shape.of(out), 20);
    put(name + "_bn/" + roles.get(3), Shape.of(out), 30);
    put(name + "_bn/" + roles.get(4), Shape.of(out), 45.5);
    put(name + "_bn/" + roles.get(5), Shape.of(out), 0.0001);
  }

  private TensorFile open() {
    Path file = folder.resolve("net.safetensors");
    SafeTensors.write(file, tensors, Map.of());
    return TensorFile.open(file);
  }

  private static float[] values(TensorFile file, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return file.widened(name, arena).bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }
  }

  private static final List<String> VARIABLES =
      List.of("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance");

  private static final List<String> OPERATIONS =
      List.of(
          "Conv2D/ReadVariableOp:0",
          "BiasAdd/ReadVariableOp:0",
          "ReadVariableOp:0",
          "ReadVariableOp_1:0",
          "FusedBatchNormV3/ReadVariableOp:0",
          "FusedBatchNormV3/ReadVariableOp_1:0");

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void layersGetOurNamesAndLayouts(boolean operations) {
    List<String> roles = operations ? OPERATIONS : VARIABLES;
    String before = operations ? "resnet50/" : "";
    layer(before + "conv1", Shape.of(7, 7, 1, 2), 2, roles);
    layer(before + "conv2_block1_0", Shape.of(1, 1, 2, 3), 3, roles);
    layer(before + "conv2_block1_1", Shape.of(1, 1, 2, 1), 1, roles);
    put(
        before + "predictions/" + (operations ? "MatMul/ReadVariableOp:0" : "kernel"),
        Shape.of(3, 2),
        0);
    put(
        before + "predictions/" + (operations ? "BiasAdd/ReadVariableOp:0" : "bias"),
        Shape.of(2),
        5);
    try (TensorFile stored = open()) {
      assertEquals("safetensors of Keras", stored.format());
      assertEquals(
          List.of(
              "conv1.weight",
              "bn1.weight",
              "bn1.bias",
              "bn1.running_mean",
              "bn1.running_var",
              "layer1.0.downsample.0.weight",
              "layer1.0.downsample.1.weight",
              "layer1.0.downsample.1.bias",
              "layer1.0.downsample.1.running_mean",
              "layer1.0.downsample.1.running_var",
              "layer1.0.conv1.weight",
              "layer1.0.bn1.weight",
              "layer1.0.bn1.bias",
              "layer1.0.bn1.running_mean",
              "layer1.0.bn1.running_var",
              "fc.weight",
              "fc.bias"),
          List.copyOf(stored.names()));
      assertEquals(Shape.of(2, 1, 7, 7), stored.shape("conv1.weight"));
      float[] even = new float[98];
      IntStream.range(0, 98).forEach(i -> even[i] = 2 * (i % 49) + i / 49);
      assertArrayEquals(even, values(stored, "conv1.weight"));
      assertArrayEquals(new float[] {35.5f, 35.5f}, values(stored, "bn1.running_mean"));
      assertEquals(0.0001f + 1e-8f, values(stored, "bn1.running_var")[0], 1e-11f);
      assertArrayEquals(new float[] {20, 21}, values(stored, "bn1.weight"));
      assertEquals(Shape.of(3, 2, 1, 1), stored.shape("layer1.0.downsample.0.weight"));
      assertArrayEquals(
          new float[] {0, 3, 1, 4, 2, 5}, values(stored, "layer1.0.downsample.0.weight"));
      assertArrayEquals(new float[] {0, 2, 4, 1, 3, 5}, values(stored, "fc.weight"));
      assertArrayEquals(new float[] {5, 6}, values(stored, "fc.bias"));
    }
  }

  /// An exporter brings kernels into the layout of ONNX.
  @Test
  void kernelsMayHaveTheirOutputsFirst() {
    layer("conv1", Shape.of(2, 1, 7, 7), 2, VARIABLES);
    layer("conv2_block1_1", Shape.of(1, 2, 1, 1), 1, VARIABLES);
    try (TensorFile stored = open()) {
      assertEquals(Shape.of(2, 1, 7, 7), stored.shape("conv1.weight"));
      assertEquals(1, values(stored, "conv1.weight")[1]);
      assertEquals(Shape.of(1, 2, 1, 1), stored.shape("layer1.0.conv1.weight"));
    }
  }

  @Test
  void normsThatAreGoneAreRefusedWithTheWayOut() {
    layer("conv1", Shape.of(7, 7, 1, 2), 2, VARIABLES);
    put("conv2_block1_1_conv/kernel", Shape.of(1, 1, 2, 1), 0);
    var e = assertThrows(BadFileException.class, () -> open().close());
    assertTrue(e.getMessage().contains("the gamma of layer1.0.bn1"), e::getMessage);
    assertTrue(e.getMessage().contains("w.path: w.numpy()"), e::getMessage);
  }

  @Test
  void theSecondVersionIsRefused() {
    put("conv2_block1_preact_bn/gamma", Shape.of(2), 0);
    var e = assertThrows(BadFileException.class, () -> open().close());
    assertTrue(e.getMessage().contains("ResNet50V2"), e::getMessage);
  }

  @Test
  void aBiasOfAnotherShapeIsRefused() {
    layer("conv1", Shape.of(7, 7, 1, 2), 2, VARIABLES);
    layer("conv2_block1_1", Shape.of(1, 1, 2, 1), 1, VARIABLES);
    put("conv1_conv/bias", Shape.of(3), 0);
    var e = assertThrows(BadFileException.class, () -> open().close());
    assertTrue(e.getMessage().contains("convolution's bias"), e::getMessage);
  }

  /// Other files have no such layers, and stay as they are.
  @Test
  void otherNamesStay() {
    put("conv1.weight", Shape.of(1, 1, 3, 3), 0);
    put("head/kernel", Shape.of(1), 0);
    try (TensorFile stored = open()) {
      assertEquals("safetensors", stored.format());
      assertEquals(2, stored.names().size());
    }
  }
}
