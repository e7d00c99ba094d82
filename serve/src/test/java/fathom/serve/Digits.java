package fathom.serve;

import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Png;
import fathom.infer.ImageClassifier;
import fathom.net.CifarNet;
import fathom.run.Recipe;
import fathom.run.Run;
import fathom.run.RunTraining;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A small net that has learned the digits for a moment, and how it is asked.
final class Digits {
  static final String NAME = "digits";
  static final Path RUN = trained();
  static final Images TESTED = DataSet.open("digits").test().images();
  static final HttpClient CLIENT = HttpClient.newHttpClient();

  private Digits() {}

  private static Path trained() {
    try {
      DataSet digits = DataSet.open("digits");
      var net = CifarNet.named("resnet8");
      Recipe recipe = Recipe.usual(net, digits, 1, 1).withEpochs(1);
      Run run = Run.create(Files.createTempDirectory("serve").resolve("run"), recipe, digits);
      RunTraining.train(run, digits);
      return run.folder();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static ServerSettings settings() {
    return ServerSettings.usual().at("127.0.0.1", 0);
  }

  static ModelServer server(ServerSettings settings) {
    return ModelServer.start(settings, Map.of(NAME, () -> ImageClassifier.open(RUN)));
  }

  static byte[] png(int i) {
    return Png.of(TESTED, i % TESTED.count());
  }

  static HttpResponse<byte[]> get(ModelServer server, String path) throws Exception {
    return CLIENT.send(
        HttpRequest.newBuilder(server.address().resolve(path)).build(), BodyHandlers.ofByteArray());
  }

  static HttpRequest.Builder request(URI address, String path, byte[] body) {
    return HttpRequest.newBuilder(address.resolve(path)).POST(BodyPublishers.ofByteArray(body));
  }

  static HttpResponse<byte[]> post(ModelServer server, String path, byte[] body) throws Exception {
    return CLIENT.send(request(server.address(), path, body).build(), BodyHandlers.ofByteArray());
  }

  static HttpResponse<byte[]> classify(ModelServer server, int i) throws Exception {
    return post(server, "/v2/models/digits/classify", png(i));
  }

  static JsonNode json(byte[] body) {
    return JsonMapper.shared().readTree(body);
  }
}
