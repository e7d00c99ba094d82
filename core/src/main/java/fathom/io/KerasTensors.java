package fathom.io;

import fathom.DType;
import fathom.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// The weights of a ResNet-50, 101 or 152 of Keras under torchvision's names and in its layouts.
/// They come from an ONNX model with the names of TensorFlow's operations
/// (`resnet50/conv2_block1_1_conv/Conv2D/ReadVariableOp:0`), or from any file with those of Keras's
/// variables (`conv2_block1_1_conv/kernel`).
///
/// Keras's nets differ from torchvision's in three points (keras.applications.resnet):
///
/// - A convolution has a bias b, although a norm follows. The norm subtracts its running mean μ, so
///   the bias is in it: μ' = μ − b.
/// - ε of the norms is 1.001·10⁻⁵ instead of 10⁻⁵. The difference is in the running variance: σ²' =
///   σ² + 10⁻⁸.
/// - The stride of a bottleneck is in its first 1×1 convolution, which is said in the metadata as
///   the option `strideIn 1`.
///
/// Kernels become out×in×H×W, and the dense layer's weight out×in.
public final class KerasTensors implements TensorFile {
  /// What Keras's ε is above ours.
  private static final double EPSILON = 1e-8;

  private static final Pattern LAYER =
      Pattern.compile(
          "(?:.*/)?(?:(conv1)|conv([2-5])_block(\\d{1,3})_([0-3])|(predictions|probs|fc1000))"
              + "(?:_(conv|bn))?(?:_\\d+)?/(.+)");

  private static final Pattern SECOND_VERSION =
      Pattern.compile("(?:.*/)?conv\\d_block\\d+_preact_bn.*");
  private static final Pattern LAYERS_OF_BLOCKS = Pattern.compile("layer(\\d)\\.(\\d+)\\..*");

  private static final int STEM_SIDE = 7;

  /// The blocks of the third and the fourth stage of each depth.
  private static final Map<List<Integer>, String> MODELS =
      Map.of(List.of(4, 6), "resnet50", List.of(4, 23), "resnet101", List.of(8, 36), "resnet152");

  /// What a tensor is of its layer.
  private enum Role {
    KERNEL("kernel(:0)?|(Conv2D|convolution|MatMul)(/ReadVariableOp)?(:0)?"),
    BIAS("bias(:0)?|(BiasAdd|Add|add|Reshape)(/ReadVariableOp)?(:0)?"),
    GAMMA("gamma(:0)?|ReadVariableOp(:0)?|batchnorm/mul/ReadVariableOp(:0)?"),
    BETA("beta(:0)?|ReadVariableOp_1(:0)?|batchnorm/ReadVariableOp_2(:0)?"),
    MEAN("moving_mean(:0)?|FusedBatchNormV3/ReadVariableOp(:0)?|batchnorm/ReadVariableOp_1(:0)?"),
    VARIANCE(
        "moving_variance(:0)?|FusedBatchNormV3/ReadVariableOp_1(:0)?|batchnorm/ReadVariableOp(:0)?");

    private final Pattern names;

    Role(String names) {
      this.names = Pattern.compile(names);
    }

    static @Nullable Role of(String name) {
      for (Role role : values()) {
        if (role.names.matcher(name).matches()) {
          return role;
        }
      }
      return null;
    }
  }

  /// A tensor that is made of one or two of the file.
  ///
  /// @param bias what is subtracted from each number; null for nothing
  /// @param added what is added to each number
  /// @param order for each dimension of the result, the dimension in the file; empty for the same
  private record Made(String name, @Nullable String bias, double added, int[] order) {}

  private final Path file;
  private final TensorFile stored;
  private final SequencedMap<String, Made> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private KerasTensors(Path file, TensorFile stored) {
    this.file = file;
    this.stored = stored;
  }

  /// Returns these tensors under our names if they are of Keras, and as they are if not. Throws
  /// [BadFileException], with `stored` closed, if they are of a net of Keras that is not read.
  static TensorFile named(Path file, TensorFile stored) {
    try {
      if (stored.names().stream().anyMatch(name -> SECOND_VERSION.matcher(name).matches())) {
        throw new BadFileException(
            file,
            "it has the names of Keras's ResNet50V2, whose strides are at the end of a stage; no net here is like it, but resnet50 is Keras's ResNet50");
      }
      var found = new LinkedHashMap<String, Map<Role, String>>();
      stored.names().forEach(name -> enter(name, found));
      if (found.values().stream().filter(layer -> layer.containsKey(Role.KERNEL)).count() < 2) {
        return stored;
      }
      var named = new KerasTensors(file, stored);
      named.name(found);
      return named;
    } catch (Throwable problem) {
      stored.close();
      throw problem;
    }
  }

  /// Enters a tensor under its layer's name here and its role, if it has both.
  private static void enter(String name, Map<String, Map<Role, String>> found) {
    Matcher layer = LAYER.matcher(name);
    Role role = layer.matches() ? Role.of(layer.group(7)) : null;
    if (role == null) {
      return;
    }
    boolean norm = "bn".equals(layer.group(6));
    String path = path(layer, norm);
    boolean ofNorm = role != Role.KERNEL && role != Role.BIAS;
    if (ofNorm == norm && !(layer.group(5) != null && layer.group(6) != null)) {
      found.computeIfAbsent(path, _ -> new EnumMap<>(Role.class)).putIfAbsent(role, name);
    }
  }

  private static String path(Matcher layer, boolean norm) {
    if (layer.group(1) != null) {
      return norm ? "bn1" : "conv1";
    }
    if (layer.group(5) != null) {
      return "fc";
    }
    String block =
        "layer%s.%s."
            .formatted(Integer.parseInt(layer.group(2)) - 1, Integer.parseInt(layer.group(3)) - 1);
    String i = layer.group(4);
    return i.equals("0")
        ? block + (norm ? "downsample.1" : "downsample.0")
        : block + (norm ? "bn" : "conv") + i;
  }

  private void name(Map<String, Map<Role, String>> found) {
    String stem = role(found, "conv1", Role.KERNEL);
    Shape shape = stored.shape(stem);
    if (shape.rank() != 4) {
      throw new BadFileException(
          file,
          "tensor %s is %s, but a kernel has 4 dimensions".formatted(Shown.name(stem), shape));
    }
    boolean lastIsOut = shape.size(0) == STEM_SIDE && shape.size(1) == STEM_SIDE;
    int[] kernel = lastIsOut ? new int[] {3, 2, 0, 1} : new int[0];
    found.forEach((path, layer) -> {
      if (layer.containsKey(Role.KERNEL) && !path.equals("fc")) {
        put(path + ".weight", role(found, path, Role.KERNEL), null, 0, kernel);
        String norm =
            path.endsWith("downsample.0")
                ? path.replace("downsample.0", "downsample.1")
                : path.replace("conv", "bn");
        put(norm + ".weight", role(found, norm, Role.GAMMA), null, 0);
        put(norm + ".bias", role(found, norm, Role.BETA), null, 0);
        put(norm + ".running_mean", role(found, norm, Role.MEAN), layer.get(Role.BIAS), 0);
        put(norm + ".running_var", role(found, norm, Role.VARIANCE), null, EPSILON);
      }
    });
    if (found.containsKey("fc")) { // without its top the net has none
      put("fc.weight", role(found, "fc", Role.KERNEL), null, 0, 1, 0);
      put("fc.bias", role(found, "fc", Role.BIAS), null, 0);
    }
    metadata.putAll(stored.metadata());
    String model = model();
    if (model != null) {
      metadata.put("fathom.model", model);
      metadata.put(
          "fathom.options", "width %s, strideIn 1".formatted(shape("conv1.weight").size(0)));
    }
  }

  /// Returns the name of the net with as many blocks; null if there is none.
  private @Nullable String model() {
    int[] blocks = new int[5];
    for (String name : tensors.keySet()) {
      Matcher block = LAYERS_OF_BLOCKS.matcher(name);
      if (block.matches()) {
        int stage = Integer.parseInt(block.group(1));
        blocks[stage] = Math.max(blocks[stage], Integer.parseInt(block.group(2)) + 1);
      }
    }
    return MODELS.get(List.of(blocks[2], blocks[3]));
  }

  private String role(Map<String, Map<Role, String>> found, String path, Role role) {
    String name = found.getOrDefault(path, Map.of()).get(role);
    if (name == null) {
      throw new BadFileException(
          file,
          """
          it has names of Keras's ResNet50, but nothing that is the %s of %s; has the export folded the norms into the convolutions? The variables themselves, in Python (pip install keras safetensors):
            import keras, safetensors.numpy as st
            st.save_file({w.path: w.numpy() for w in model.weights}, "weights.safetensors")\
          """
              .formatted(role.name().toLowerCase(Locale.ROOT), path));
    }
    return name;
  }

  private void put(String path, String name, @Nullable String bias, double added, int... order) {
    Shape shape = stored.shape(name);
    boolean like = bias == null || stored.shape(bias).equals(shape);
    if ((order.length > 0 && shape.rank() != order.length) || !like) {
      throw new BadFileException(
          file,
          "tensor %s is %s, but must have %s"
              .formatted(
                  Shown.name(name),
                  shape,
                  like
                      ? order.length + " dimensions"
                      : "the shape %s of its convolution's bias"
                          .formatted(stored.shape(Objects.requireNonNull(bias)))));
    }
    tensors.put(path, new Made(name, bias, added, order));
  }

  @Override
  public String format() {
    return stored.format() + " of Keras";
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  private Made made(String name) {
    Made made = tensors.get(name);
    if (made == null) {
      throw MissingTensor.in(file, name, names());
    }
    return made;
  }

  @Override
  public String type(String name) {
    return stored.type(made(name).name);
  }

  @Override
  public Shape shape(String name) {
    Made made = made(name);
    Shape own = stored.shape(made.name);
    return made.order.length == 0
        ? own
        : Shape.of(IntStream.of(made.order).mapToLong(own::size).toArray());
  }

  @Override
  public StoredTensor widened(String name, SegmentAllocator memory) {
    Made made = made(name);
    if (made.order.length == 0 && made.bias == null && made.added == 0) {
      return stored.widened(made.name, memory);
    }
    try (Arena arena = Arena.ofConfined()) {
      StoredTensor own = stored.widened(made.name, arena);
      StoredTensor bias = made.bias == null ? null : stored.widened(made.bias, arena);
      Shape shape = shape(name);
      long[] from = Elements.rowMajor(own.shape());
      long[] strides =
          made.order.length == 0
              ? from
              : IntStream.of(made.order).mapToLong(d -> from[d]).toArray();
      MemorySegment result = memory.allocate(Float.BYTES * shape.elements(), Float.BYTES);
      long[] index = new long[strides.length];
      for (long i = 0; i < shape.elements(); i++) {
        long at = IntStream.range(0, index.length).mapToLong(d -> index[d] * strides[d]).sum();
        double value = number(own, at) + made.added - (bias == null ? 0 : number(bias, at));
        result.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
        for (int d = index.length - 1; d >= 0 && ++index[d] == shape.size(d); d--) {
          index[d] = 0;
        }
      }
      return new StoredTensor(DType.FLOAT32, shape, result);
    }
  }

  private double number(StoredTensor tensor, long at) {
    return switch (tensor.type()) {
      case FLOAT32 -> tensor.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, at * Float.BYTES);
      case FLOAT64 -> tensor.bytes().get(ValueLayout.JAVA_DOUBLE_UNALIGNED, at * Double.BYTES);
      default ->
          throw new BadFileException(file, "its weights are whole numbers, and must be real ones");
    };
  }

  @Override
  public void close() {
    stored.close();
  }
}
