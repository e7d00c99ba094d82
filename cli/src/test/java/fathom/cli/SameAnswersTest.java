package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Png;
import fathom.data.Rows;
import fathom.infer.ImageClassifier;
import fathom.infer.ModelCard;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import java.awt.Color;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The same images through `predict`, [ImageClassifier], `serve` and ONNX Runtime: the same class
/// of each, and probabilities within 10⁻⁴. Images of the net's size are joined by others of any
/// size and shape, grey and in colour, PNG and JPEG.
///
/// `-Dfathom.same.weights=FILE`, with the net, mean and standard deviation of published weights in
/// `-Dfathom.same.options`, and `-Dfathom.same.images=FOLDER` do this with a net for CIFAR-10 and
/// images from elsewhere, seven of ten of as many as `-Dfathom.same.count` says.
class SameAnswersTest {
  private static final double TOLERANCE = 1e-4;
  private static final int COUNT = Integer.getInteger("fathom.same.count", 60);

  /// `--model NET --mean LIST --std LIST`, or nothing.
  private static final List<String> OPTIONS =
      System.getProperty("fathom.same.options", "").isBlank()
          ? List.of()
          : List.of(System.getProperty("fathom.same.options").strip().split(" +"));

  @TempDir private static Path folder;

  @Test
  void everyWayGivesTheSame() throws Exception {
    Path weights = weights();
    Path onnx = folder.resolve("net.onnx");
    Cli exported =
        OPTIONS.isEmpty()
            ? Cli.run("export", weights.toString(), onnx.toString())
            : Cli.run("export", weights.toString(), "--model", OPTIONS.get(1), onnx.toString());
    assertEquals(Exit.DONE, exported.code(), exported.err());
    List<Path> images = images();
    try (var classifier = classifier(weights)) {
      var byLibrary = new ArrayList<Map<String, Double>>();
      for (Path image : images) {
        byLibrary.add(classifier.classify(image).probabilities());
      }
      var worst = new HashMap<String, Double>();
      compare("predict", byLibrary, predicted(weights, images, classifier.classes().size()), worst);
      compare("serve", byLibrary, served(weights, images, classifier.classes().size()), worst);
      compare("ONNX Runtime", byLibrary, byOnnxRuntime(onnx, images, classifier), worst);
      System.out.printf(
          Locale.ROOT,
          "%s images, largest difference of a probability from the library's: %s%n",
          images.size(),
          worst);
    }
  }

  private static void compare(
      String way,
      List<Map<String, Double>> expected,
      List<Map<String, Double>> found,
      Map<String, Double> worst) {
    assertEquals(expected.size(), found.size(), way);
    for (int i = 0; i < expected.size(); i++) {
      Map<String, Double> ours = expected.get(i);
      Map<String, Double> theirs = found.get(i);
      assertEquals(ours.keySet(), theirs.keySet(), way);
      for (String name : ours.keySet()) {
        double difference = Math.abs(ours.get(name) - theirs.get(name));
        worst.merge(way, difference, Math::max);
        assertTrue(
            difference <= TOLERANCE, "%s: image %s differs by %s".formatted(way, i, difference));
      }
      assertEquals(best(ours), best(theirs), way + ": image " + i);
    }
  }

  private static String best(Map<String, Double> probabilities) {
    return probabilities.entrySet().stream()
        .max(Map.Entry.<String, Double>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
        .orElseThrow()
        .getKey();
  }

  private static ImageClassifier classifier(Path weights) {
    if (OPTIONS.isEmpty()) {
      return ImageClassifier.open(weights);
    }
    var card =
        ModelCard.ofImages(
            OPTIONS.get(1),
            Architecture.Options.NONE,
            new ImageShape(3, 32, 32),
            false,
            IntStream.range(0, 10).mapToObj(Integer::toString).toList(),
            Normalization.of(numbers(OPTIONS.get(3)), numbers(OPTIONS.get(5))));
    return ImageClassifier.of(card, weights);
  }

  private static float[] numbers(String list) {
    String[] parts = list.split(",");
    float[] numbers = new float[parts.length];
    for (int i = 0; i < parts.length; i++) {
      numbers[i] = Float.parseFloat(parts[i]);
    }
    return numbers;
  }

  /// Returns weights that say what they are, or those that were given.
  private static Path weights() {
    String given = System.getProperty("fathom.same.weights");
    if (given != null) {
      return Path.of(given);
    }
    Path run = folder.resolve("run");
    Cli.trainOnDigits(run);
    Path weights = folder.resolve("net.safetensors");
    Cli exported = Cli.run("export", run.toString(), weights.toString());
    assertEquals(Exit.DONE, exported.code(), exported.err());
    return weights;
  }

  private static List<Path> images() throws IOException {
    int others = 3 * COUNT / 10;
    var images = new ArrayList<Path>();
    String given = System.getProperty("fathom.same.images");
    if (given == null) {
      for (int i = 0; i < COUNT - others; i++) {
        images.add(
            Files.write(
                folder.resolve(i + ".png"), Png.of(DataSet.open("digits").test().images(), i)));
      }
    } else {
      try (Stream<Path> all = Files.walk(Path.of(given))) {
        List<Path> found = all.filter(Files::isRegularFile).sorted().toList();
        for (int i = 0; i < COUNT - others; i++) { // of every class
          images.add(found.get((int) ((long) i * found.size() / (COUNT - others))));
        }
      }
    }
    var random = new Random(1);
    List<Path> sources = List.copyOf(images);
    for (int i = 0; i < others; i++) {
      images.add(other(sources.get(i % sources.size()), i, random));
    }
    return images;
  }

  /// Writes an image of another size and shape, from a few pixels to some hundred.
  private static Path other(Path from, int i, Random random) throws IOException {
    int width = 1 + random.nextInt(i % 10 == 0 ? 900 : 120);
    int height = 1 + random.nextInt(i % 10 == 5 ? 900 : 120);
    boolean png = i % 3 == 0;
    int type =
        switch (i % 4) {
          case 0 -> BufferedImage.TYPE_BYTE_GRAY;
          case 1 -> png ? BufferedImage.TYPE_INT_ARGB : BufferedImage.TYPE_3BYTE_BGR;
          default -> BufferedImage.TYPE_3BYTE_BGR;
        };
    var image = new BufferedImage(width, height, type);
    var graphics = image.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.drawImage(ImageIO.read(from.toFile()), 0, 0, width, height, null);
    graphics.setColor(new Color(random.nextInt(1 << 24)));
    graphics.drawLine(0, 0, width, height);
    graphics.dispose();
    Path file = folder.resolve("other-%s.%s".formatted(i, png ? "png" : "jpg"));
    assertTrue(ImageIO.write(image, png ? "png" : "jpeg", file.toFile()), file.toString());
    return file;
  }

  private static List<Map<String, Double>> predicted(Path weights, List<Path> images, int classes) {
    var args =
        new ArrayList<>(List.of("predict", weights.toString(), "--json", "--top", "" + classes));
    args.addAll(OPTIONS);
    images.forEach(image -> args.add(image.toString()));
    Cli cli = Cli.run(args.toArray(String[]::new));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json().path("predictions").valueStream().map(SameAnswersTest::top).toList();
  }

  private static Map<String, Double> top(JsonNode prediction) {
    var all = new HashMap<String, Double>();
    for (JsonNode each : prediction.path("top")) {
      all.put(each.path("class").asString(), each.path("probability").asDouble());
    }
    return all;
  }

  private static List<Map<String, Double>> served(Path weights, List<Path> images, int classes)
      throws Exception {
    var args = new ArrayList<>(List.of("serve", "net=" + weights, "--port", "0", "--json"));
    args.addAll(OPTIONS);
    Process server =
        new ProcessBuilder(Cli.command(System.getProperty("java.class.path"), args))
            .redirectError(folder.resolve("err").toFile())
            .start();
    try (HttpClient client = HttpClient.newHttpClient();
        var out =
            new BufferedReader(
                new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
      URI at = URI.create(JsonMapper.shared().readTree(out.readLine()).path("address").asString());
      var all = new ArrayList<Map<String, Double>>();
      for (Path image : images) {
        var request =
            HttpRequest.newBuilder(at.resolve("/v2/models/net/classify?top=" + classes))
                .POST(BodyPublishers.ofFile(image))
                .build();
        var answer = client.send(request, BodyHandlers.ofString());
        assertEquals(200, answer.statusCode(), answer.body());
        all.add(top(JsonMapper.shared().readTree(answer.body()).path("predictions").path(0)));
      }
      return all;
    } finally {
      server.destroy();
    }
  }

  /// Decodes as the library does, which is no part of the net, and lets ONNX Runtime predict.
  private static List<Map<String, Double>> byOnnxRuntime(
      Path onnx, List<Path> images, ImageClassifier classifier) throws Exception {
    var environment = OrtEnvironment.getEnvironment();
    var all = new ArrayList<Map<String, Double>>();
    try (OrtSession session = environment.createSession(onnx.toString())) {
      for (Path image : images) {
        try (var _ = Scope.open()) {
          Tensor x =
              new Loader(classifier.resizing().of(image), classifier.normalization())
                  .images(new int[] {0}, new Rows(0, 1));
          double[] values = x.toDoubles();
          float[] floats = new float[values.length];
          for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
          }
          try (var input =
                  OnnxTensor.createTensor(
                      environment, FloatBuffer.wrap(floats), x.shape().toArray());
              var result = session.run(Map.of("pictures", input))) {
            float[] logits = ((float[][]) result.get(0).getValue())[0];
            double most = 0;
            for (float logit : logits) {
              most = Math.max(most, logit);
            }
            double[] exponentials = new double[logits.length];
            for (int c = 0; c < logits.length; c++) {
              exponentials[c] = Math.exp(logits[c] - most);
            }
            double sum = Arrays.stream(exponentials).sum();
            var probabilities = new HashMap<String, Double>();
            for (int c = 0; c < logits.length; c++) {
              probabilities.put(classifier.classes().get(c), exponentials[c] / sum);
            }
            all.add(probabilities);
          }
        }
      }
    }
    return all;
  }
}
