package fathom.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import triton.client.InferInput;
import triton.client.InferRequestedOutput;
import triton.client.InferResult;
import triton.client.InferenceException;
import triton.client.InferenceServerClient;
import triton.client.pojo.DataType;

/// Asks a service of ours by Triton's own client for Java, which knows nothing of us: the arguments
/// are HOST:PORT MODEL and files of images that have the size of the net.
///
/// The pixels go as bytes behind the JSON, since within it that client writes a byte above 127 as a
/// number of 32 bits; the probabilities come once as bytes and once within the JSON. They have to
/// be those that `classify` gives for the file, and a tensor that the model does not have has to be
/// refused. Prints how many images agree, and ends with 1 if one does not.
final class TritonClient {
  private static final int TIMEOUT_MILLIS = 5000;
  private static final double TOLERANCE = 1e-4;

  private TritonClient() {}

  public static void main(String[] args) throws Exception {
    String at = args[0];
    String model = args[1];
    double worst = 0;
    int count = args.length - 2;
    try (HttpClient http = HttpClient.newHttpClient();
        var triton = new InferenceServerClient(at, TIMEOUT_MILLIS, TIMEOUT_MILLIS)) {
      List<String> classes = classes(http, at, model);
      for (int i = 2; i < args.length; i++) {
        Map<String, Double> expected =
            classified(http, at, model, Path.of(args[i]), classes.size());
        for (boolean binary : new boolean[] {true, false}) {
          float[] found = inferred(triton, model, Path.of(args[i]), binary);
          for (int c = 0; c < found.length; c++) {
            worst = Math.max(worst, Math.abs(found[c] - expected.get(classes.get(c))));
          }
        }
      }
      System.out.printf(
          Locale.ROOT, "%s images, largest difference of a probability %.1e%n", count, worst);
      System.out.println("refused: " + refused(triton, model));
    }
    System.exit(count > 0 && worst <= TOLERANCE ? 0 : 1); // the client leaves threads behind
  }

  private static List<String> classes(HttpClient http, String at, String model) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create("http://" + at + "/v2/models/" + model)).build();
    JsonNode metadata =
        new ObjectMapper().readTree(http.send(request, BodyHandlers.ofString()).body());
    return new ObjectMapper().convertValue(metadata.get("classes"), List.class);
  }

  private static Map<String, Double> classified(
      HttpClient http, String at, String model, Path file, int top) throws Exception {
    var request =
        HttpRequest.newBuilder(
                URI.create("http://%s/v2/models/%s/classify?top=%s".formatted(at, model, top)))
            .POST(BodyPublishers.ofFile(file))
            .build();
    JsonNode answer =
        new ObjectMapper().readTree(http.send(request, BodyHandlers.ofString()).body());
    var probabilities = new HashMap<String, Double>();
    for (JsonNode each : answer.get("predictions").get(0).get("top")) {
      probabilities.put(each.get("class").asText(), each.get("probability").asDouble());
    }
    return probabilities;
  }

  private static float[] inferred(
      InferenceServerClient triton, String model, Path file, boolean binary)
      throws IOException, InferenceException {
    BufferedImage image;
    try (var bytes = Files.newInputStream(file)) {
      image = ImageIO.read(bytes);
    }
    int height = image.getHeight();
    int width = image.getWidth();
    int channels = image.getRaster().getNumBands() == 1 ? 1 : 3;
    byte[] pixels = new byte[height * width * channels];
    for (int p = 0; p < height * width; p++) {
      int rgb = image.getRGB(p % width, p / width);
      for (int c = 0; c < channels; c++) {
        pixels[p * channels + c] =
            channels == 1
                ? (byte) image.getRaster().getSample(p % width, p / width, 0)
                : (byte) (rgb >> (16 - 8 * c));
      }
    }
    var input = new InferInput("bytes", new long[] {1, height, width, channels}, DataType.UINT8);
    input.setData(pixels, true);
    InferResult result =
        triton.infer(
            model, List.of(input), List.of(new InferRequestedOutput("probabilities", binary)));
    return result.getOutputAsFloat("probabilities");
  }

  private static String refused(InferenceServerClient triton, String model) {
    triton.setRetryCnt(1);
    var input = new InferInput("nothing", new long[] {1}, DataType.FP32);
    input.setData(new float[] {1}, true);
    try {
      triton.infer(model, List.of(input), List.of());
      return "no";
    } catch (InferenceException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
