package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Rows;
import fathom.infer.ImageClassifier;
import fathom.nn.Init;
import fathom.onnx.Onnx;
import fathom.run.Run;
import fathom.train.Weights;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Inference by the protocol, beside the library and ONNX Runtime.
class InferTest {
  private static final int IMAGES = Boolean.getBoolean("fathom.long") ? 360 : 40;
  private static final int VALUES = 64;
  private static ModelServer server;
  private static ImageClassifier classifier;

  @TempDir private static Path folder;

  @BeforeAll
  static void start() {
    server = Digits.server(Digits.settings());
    classifier = ImageClassifier.open(Digits.RUN);
  }

  @AfterAll
  static void stop() {
    server.close();
    classifier.close();
  }

  private static float[] normalised(Images images) {
    try (var _ = Scope.open()) {
      int[] order = IntStream.range(0, images.count()).toArray();
      double[] all =
          new Loader(images, classifier.normalization())
              .images(order, new Rows(0, order.length))
              .toDoubles();
      float[] floats = new float[all.length];
      for (int i = 0; i < all.length; i++) {
        floats[i] = (float) all[i];
      }
      return floats;
    }
  }

  private static Images image(int i) {
    return Digits.TESTED.select(new int[] {i});
  }

  private static HttpResponse<byte[]> infer(String json) throws Exception {
    return Digits.post(server, "/v2/models/digits/infer", json.getBytes(StandardCharsets.UTF_8));
  }

  private static HttpResponse<byte[]> infer(String json, byte[] behind) throws Exception {
    byte[] head = json.getBytes(StandardCharsets.UTF_8);
    byte[] body = Arrays.copyOf(head, head.length + behind.length);
    System.arraycopy(behind, 0, body, head.length, behind.length);
    return Digits.CLIENT.send(
        Digits.request(server.address(), "/v2/models/digits/infer", body)
            .header("Inference-Header-Content-Length", "" + head.length)
            .build(),
        BodyHandlers.ofByteArray());
  }

  private static byte[] little(float[] values) {
    var bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static float[] floats(byte[] bytes, int from, int count) {
    float[] values = new float[count];
    ByteBuffer.wrap(bytes, from, 4 * count)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  private static String repeated(String text, int times) {
    return String.join(",", Collections.nCopies(times, text));
  }

  private static double[] data(JsonNode answer, int output) {
    JsonNode data = answer.path("outputs").path(output).path("data");
    return IntStream.range(0, data.size()).mapToDouble(i -> data.path(i).asDouble()).toArray();
  }

  /// The same images through the library, as files, as tensors in JSON, as bytes behind it, as
  /// pixels, and through ONNX Runtime.
  @Test
  void everyWayGivesTheSameProbabilities() throws Exception {
    Images some = Digits.TESTED.take(Math.min(IMAGES, Digits.TESTED.count()));
    double[][] expected = classifier.probabilities(some);
    double[][] onnx = onnx(some);
    for (int i = 0; i < some.count(); i++) {
      float[] values = normalised(image(i));
      assertArrayEquals(expected[i], onnx[i], 1e-4, "ONNX Runtime");

      var json = new ArrayList<String>();
      for (float value : values) {
        json.add(Float.toString(value));
      }
      JsonNode byJson =
          Digits.json(
              infer(
                      "{\"id\":\"n%s\",\"inputs\":[{\"name\":\"pictures\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],\"data\":%s}]}"
                          .formatted(i, json))
                  .body());
      assertEquals("n" + i, byJson.path("id").asString());
      assertEquals("digits", byJson.path("model_name").asString());
      assertEquals("1", byJson.path("model_version").asString());
      assertEquals("logits", byJson.path("outputs").path(0).path("name").asString());
      assertEquals("[1,10]", byJson.path("outputs").path(1).path("shape").toString());
      assertArrayEquals(expected[i], data(byJson, 1), 1e-4, "JSON");

      HttpResponse<byte[]> answer =
          infer(
              "{\"inputs\":[{\"name\":\"pictures\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],\"parameters\":{\"binary_data_size\":256}}],\"outputs\":[{\"name\":\"probabilities\",\"parameters\":{\"binary_data\":true}}]}",
              little(values));
      int length =
          Integer.parseInt(
              answer.headers().firstValue("Inference-Header-Content-Length").orElseThrow());
      float[] bytes = floats(answer.body(), length, 10);
      assertEquals(length + 40, answer.body().length);

      byte[] pixels = Arrays.copyOfRange(some.pixels(), i * VALUES, (i + 1) * VALUES);
      JsonNode byPixels =
          Digits.json(
              infer(
                      "{\"inputs\":[{\"name\":\"bytes\",\"datatype\":\"UINT8\",\"shape\":[1,8,8,1],\"parameters\":{\"binary_data_size\":64}}],\"outputs\":[{\"name\":\"probabilities\"}]}",
                      pixels)
                  .body());
      JsonNode top =
          Digits.json(
                  Digits.post(server, "/v2/models/digits/classify?top=10", Digits.png(i)).body())
              .path("predictions")
              .path(0)
              .path("top");
      Map<String, Double> byName =
          top.valueStream()
              .collect(
                  Collectors.toMap(
                      each -> each.path("class").asString(),
                      each -> each.path("probability").asDouble()));
      for (int c = 0; c < 10; c++) {
        assertEquals(expected[i][c], bytes[c], 1e-4, "binary");
        assertEquals(expected[i][c], data(byPixels, 0)[c], 1e-4, "pixels");
        assertEquals(expected[i][c], byName.get(classifier.classes().get(c)), 1e-4, "file");
      }
    }
  }

  private static double[][] onnx(Images images) throws Exception {
    Path file = folder.resolve("net.onnx");
    Run run = Run.open(Digits.RUN);
    try (var _ = Scope.open()) {
      Layer net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Onnx.write(file, net, Shape.of(1, 8, 8), Map.of());
    }
    var environment = OrtEnvironment.getEnvironment();
    try (var session = environment.createSession(file.toString());
        var input =
            OnnxTensor.createTensor(
                environment,
                FloatBuffer.wrap(normalised(images)),
                new long[] {images.count(), 1, 8, 8});
        var result = session.run(Map.of("pictures", input));
        var _ = Scope.open()) {
      float[][] logits = (float[][]) result.get(0).getValue();
      double[][] all = new double[logits.length][];
      for (int i = 0; i < logits.length; i++) {
        all[i] = Tensor.of(logits[i], 1, 10).logSoftmax(1).exp().toDoubles();
      }
      return all;
    }
  }

  /// Nested lists, several images, and both outputs as bytes without saying which.
  @Test
  void listsMayBeNestedAndOutputsBinary() throws Exception {
    String row = "[" + repeated("0.5", 8) + "]";
    String image = "[[" + repeated(row, 8) + "]]";
    HttpResponse<byte[]> answer =
        infer(
            "{\"parameters\":{\"binary_data_output\":true},\"inputs\":[{\"name\":\"pictures\",\"shape\":[3,1,8,8],\"datatype\":\"FP32\",\"data\":[%s,%s,%s]}]}"
                .formatted(image, image, image));
    int length =
        Integer.parseInt(
            answer.headers().firstValue("Inference-Header-Content-Length").orElseThrow());
    JsonNode head = Digits.json(Arrays.copyOf(answer.body(), length));
    assertEquals(
        120, head.path("outputs").path(1).path("parameters").path("binary_data_size").asInt());
    float[] probabilities = floats(answer.body(), length + 120, 30);
    for (int k = 0; k < 3; k++) {
      double sum = 0;
      for (int c = 0; c < 10; c++) {
        sum += probabilities[10 * k + c];
        assertEquals(probabilities[c], probabilities[10 * k + c], 1e-6);
      }
      assertEquals(1, sum, 1e-5);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          nonsense                                                       | 400 | is not the JSON of an inference request
          []                                                             | 400 | an object of JSON is needed
          {"inputs":7}                                                   | 400 | 'inputs' is a list
          {"inputs":[]}                                                  | 400 | 'inputs' has the tensor of the model, but it is missing
          {"inputs":[7]}                                                 | 400 | an object of JSON is needed
          {"inputs":[{},{}]}                                             | 400 | several
          {"id":7}                                                       | 400 | 'id' is a text
          {"inputs":[IN]} more                                           | 400 | not the JSON of
          {"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]} | 400 | the input of the model is pictures of FP32
          {"inputs":[{"name":"pictures","datatype":"FP64","shape":[1],"data":[1]}]} | 400 | is of FP32, but it is said to be of 'FP64'
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[1,8,8],"data":[DATA]}]} | 400 | has the shape [-1, 1, 8, 8], but it is [1, 8, 8]
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[2,1,8,8],"data":[DATA]}]} | 400 | has 128 elements, but there are 64
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[0,1,8,8],"data":[]}]} | 400 | are 1 or more
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[-1,1,8,8],"data":[DATA]}]} | 400 | are 1 or more
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":["a"],"data":[DATA]}]} | 400 | a list of at most 8 whole numbers
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[99999999999999999999],"data":[DATA]}]} | 400 | not the JSON of
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[1,1,8,8],"data":["a"]}]} | 400 | 'data' has numbers
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[1,1,8,8],"data":[1e99]}]} | 400 | has 64 elements, but there are 1
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[1,1,8,8]}]} | 400 | 'binary_data_size' is missing
          {"inputs":[{"name":"bytes","datatype":"UINT8","shape":[1,8,8,1],"data":[HALF]}]} | 400 | a whole number from 0 to 255
          {"inputs":[IN],"outputs":[{"name":"none"}]}                    | 400 | has the outputs logits and probabilities, but 'none'
          {"inputs":[IN],"outputs":[{"name":"logits","parameters":{"classification":2}}]} | 400 | use classify
          {"inputs":[{"name":"pictures","datatype":"FP32","shape":[65,1,8,8],"data":[MANY]}]} | 413 | at most
          """)
  void whatIsWrongIsSaid(String json, int status, String says) throws Exception {
    String data = repeated("0.5", 64);
    String whole =
        json.replace(
                "IN]",
                "{\"name\":\"pictures\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],\"data\":[DATA]}]")
            .replace("DATA", data)
            .replace("HALF", data)
            .replace("MANY", repeated(data, 65));
    HttpResponse<byte[]> answer = infer(whole);
    String error = Digits.json(answer.body()).path("error").asString();
    assertEquals(status, answer.statusCode(), error);
    assertTrue(error.replace('`', '\'').contains(says), error);
  }

  /// A value that is no number would make all classes of its image, and nothing else, no number.
  @Test
  void valuesAreFinite() throws Exception {
    float[] values = new float[VALUES];
    values[7] = Float.NaN;
    HttpResponse<byte[]> answer =
        infer(
            "{\"inputs\":[{\"name\":\"pictures\",\"datatype\":\"FP32\",\"shape\":[1,1,8,8],\"parameters\":{\"binary_data_size\":256}}]}",
            little(values));
    assertEquals(400, answer.statusCode());
    assertTrue(new String(answer.body(), StandardCharsets.UTF_8).contains("finite"));
  }
}
