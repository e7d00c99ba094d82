package fathom.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.io.Json;
import fathom.io.StoredTensor;
import fathom.io.TensorFile;
import fathom.loss.CrossEntropy;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.train.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/// The same weights give the same logits and gradients here as in PyTorch, timm and Keras. What
/// those gave is from `bench/peers/weights.py`, for small nets in a resource, whose weights are a
/// formula of their names. Nets of full size, with files as those programs save them, are compared
/// with `-Dfathom.others=FOLDER`, where the same script has written them.
class OtherProgramsTest {
  /// The most that a logit may differ, relative to the largest one.
  private static final double LOGITS = 1e-4;

  /// The most that a tensor's gradient may differ, relative to its norm.
  private static final double GRADIENT = 1e-3;

  /// The same in float64, for nets of full size. In float32 rounding decides there on which side of
  /// 0 a ReLU is and which of two pixels a maximum: gradients of one program differ by 1e-2 between
  /// two layouts of its memory.
  private static final double EXACT = 1e-6;

  /// A gradient that should be 0 is compared with this part of the largest norm of a tensor's.
  private static final double NOTHING = 1e-4;

  @TestFactory
  Stream<DynamicTest> smallNetsOfPyTorchAndTimm() throws IOException {
    byte[] json;
    try (var in = OtherProgramsTest.class.getResourceAsStream("other-programs.json")) {
      json = Objects.requireNonNull(in).readAllBytes();
    }
    JsonNode cases = Json.parse(new String(json, StandardCharsets.UTF_8));
    return cases
        .valueStream()
        .map(each -> DynamicTest.dynamicTest(each.path("model").asString(), () -> small(each)));
  }

  private static void small(JsonNode expected) {
    try (var _ = Scope.open()) {
      int side = expected.path("side").asInt();
      int width = expected.path("width").asInt();
      Layer net =
          Architecture.images(
                  expected.path("model").asString(),
                  new Architecture.Options(null, null, width, null, null))
              .on(new ImageShape(3, side, side), 5)
              .build(Init.zeros());
      net.state().forEach(OtherProgramsTest::fill);
      Tensor x = Tensor.of(formula("x", 4 * 3 * side * side), 4, 3, side, side);
      double[] logits = numbers(expected.path("logits"));
      assertLogits(logits, net.predict(x).toDoubles());
      assertLogits(logits, Fused.of(net).predict(x).toDoubles());
      JsonNode gradients = expected.path("gradients");
      if (gradients.isEmpty()) {
        return;
      }
      train(net, x, 3, 0, 4, 1);
      double most =
          gradients.valueStream().mapToDouble(norm -> norm.path(0).asDouble()).max().orElseThrow();
      net.state()
          .forEach((path, param) -> {
            if (param.trained()) {
              double[] own = param.grad().toDoubles();
              double[] pair = numbers(gradients.path(path));
              float[] other = formula("grad." + path, own.length);
              double product =
                  IntStream.range(0, own.length).mapToDouble(i -> own[i] * other[i]).sum();
              double bound = GRADIENT * pair[0] + NOTHING * most;
              assertEquals(pair[0], norm(own), bound, path);
              assertEquals(pair[1], product, bound, path); // a mean square of 1/3, so at most this
            }
          });
    }
  }

  /// What `fill` of the script does.
  private static void fill(String path, Param param) {
    Tensor value = param.value();
    float[] u = formula(path, Math.toIntExact(value.shape().elements()));
    float[] filled = new float[u.length];
    float scale = (float) Math.sqrt((float) (6.0 / (u.length / (double) value.shape().size(0))));
    for (int i = 0; i < u.length; i++) {
      filled[i] =
          value.shape().rank() > 1
              ? u[i] * scale
              : path.endsWith("running_var")
                  ? 1 + 0.5f * u[i]
                  : path.endsWith("weight") ? 1 + 0.25f * u[i] : 0.125f * u[i];
    }
    value.copy_(Tensor.of(filled, value.shape().toArray()));
  }

  /// Numbers in [-1, 1): the SplitMix64 of the CRC-32 of a name and a position.
  private static float[] formula(String name, int count) {
    var crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      long z = ((crc.getValue() << 32) + i) * 0x9E3779B97F4A7C15L;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      z ^= z >>> 31;
      numbers[i] = (float) ((z >>> 40) / (double) (1 << 23) - 1);
    }
    return numbers;
  }

  @TestFactory
  Stream<DynamicTest> netsOfFullSize() throws IOException {
    String folder = System.getProperty("fathom.others");
    if (folder == null) {
      return Stream.of();
    }
    try (Stream<Path> cases = Files.list(Path.of(folder))) {
      return cases
          .filter(each -> Files.exists(each.resolve("case.json")))
          .sorted()
          .toList()
          .stream()
          .map(each -> DynamicTest.dynamicTest(each.getFileName().toString(), () -> full(each)));
    }
  }

  private static void full(Path folder) throws IOException {
    JsonNode said = Json.parse(Files.readString(folder.resolve("case.json")));
    var options = new HashMap<String, String>();
    said.path("options")
        .properties()
        .forEach(o -> options.put(o.getKey(), o.getValue().asString()));
    try (var expected = TensorFile.open(folder.resolve("expected.safetensors"));
        Arena arena = Arena.ofConfined();
        var _ = Scope.open()) {
      Tensor x = tensor(expected.widened("x", arena));
      double[] logits = tensor(expected.widened("logits", arena)).toDoubles();
      int classes = Math.toIntExact(logits.length / x.shape().size(0));
      int side = Math.toIntExact(x.shape().size(2));
      Layer net =
          Architecture.images(said.path("model").asString(), Architecture.Options.of(options))
              .on(new ImageShape(3, side, side), classes)
              .build(Init.zeros());
      Weights.read(folder.resolve(said.path("file").asString()), net);
      double worst = assertLogits(logits, net.predict(x).toDoubles());
      worst = Math.max(worst, assertLogits(logits, Fused.of(net).predict(x).toDoubles()));
      double rounded = 0;
      double exact = 0;
      if (expected.names().contains("labels")) {
        var gradients = new HashMap<String, double[]>();
        for (String name : expected.names()) {
          if (name.startsWith("grad.")) {
            gradients.put(
                name.substring("grad.".length()),
                tensor(expected.widened(name, arena)).toDoubles());
          }
        }
        rounded = worstGradient(net, x, gradients);
        net.state().values().forEach(param -> param.convert(DType.FLOAT64));
        exact = worstGradient(net, x.to(DType.FLOAT64), gradients);
        assertTrue(exact < EXACT, "gradients in float64 differ by " + exact);
      }
      System.out.printf(
          Locale.ROOT,
          "%s: logits differ by %.1e of the largest, gradients by %.1e of their norm, in float64 by %.1e%n",
          folder.getFileName(),
          worst,
          rounded,
          exact);
    }
  }

  /// Returns the largest difference of a tensor's gradient in a training step, relative to its
  /// norm.
  private static double worstGradient(Layer net, Tensor x, Map<String, double[]> gradients) {
    double most =
        gradients.values().stream().mapToDouble(OtherProgramsTest::norm).max().orElseThrow();
    net.state().values().stream().filter(Param::trained).forEach(param -> param.grad().zero_());
    train(net, x, 3, 0, 4, 1);
    double worst = 0;
    for (Map.Entry<String, Param> each : net.state().entrySet()) {
      if (each.getValue().trained()) {
        double[] own = each.getValue().grad().toDoubles();
        double[] other = Objects.requireNonNull(gradients.get(each.getKey()), each.getKey());
        double[] difference =
            IntStream.range(0, own.length).mapToDouble(i -> own[i] - other[i]).toArray();
        worst = Math.max(worst, norm(difference) / (norm(other) + most * NOTHING));
      }
    }
    return worst;
  }

  private static Tensor tensor(StoredTensor stored) {
    assertEquals(DType.FLOAT32, stored.type());
    return Tensor.of(
        stored.bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED), stored.shape().toArray());
  }

  private static void train(Layer net, Tensor x, int... labels) {
    Traced logits = net.forward(x);
    Traced loss = CrossEntropy.of(logits.value(), labels);
    logits.pullback().accumulate(loss.pullback().apply(Tensor.scalar(x.type(), 1)));
  }

  private static double[] numbers(JsonNode list) {
    return list.valueStream().mapToDouble(JsonNode::asDouble).toArray();
  }

  private static double norm(double[] values) {
    return Math.sqrt(
        IntStream.range(0, values.length).mapToDouble(i -> values[i] * values[i]).sum());
  }

  /// Returns the largest difference, relative to the largest logit.
  private static double assertLogits(double[] expected, double[] logits) {
    assertEquals(expected.length, logits.length);
    double largest = 0;
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(expected[i]));
      difference = Math.max(difference, Math.abs(expected[i] - logits[i]));
    }
    assertTrue(
        difference <= LOGITS * largest,
        "logits differ by %s, and the largest is %s; expected %s"
            .formatted(difference, largest, List.of(expected[0], logits[0])));
    return difference / largest;
  }
}
