// A classifier behind a web handler, which any number of threads may call at the same time. The
// program trains it for two epochs and then posts an image to itself.
package fathom.examples;

import com.sun.net.httpserver.*;
import fathom.data.*;
import fathom.infer.ImageClassifier;
import fathom.io.BadFileException;
import fathom.net.CifarNet;
import fathom.run.*;
import java.io.IOException;
import java.net.*;
import java.net.http.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

final class ClassifierServer {
  static void answer(HttpExchange exchange, ImageClassifier classifier) throws IOException {
    try {
      var best = classifier.classify(exchange.getRequestBody().readAllBytes()).best();
      exchange.sendResponseHeaders(200, 0);
      exchange.getResponseBody().write(best.toString().getBytes(StandardCharsets.UTF_8));
    } catch (BadFileException _) { // the request has no image
      exchange.sendResponseHeaders(415, -1);
    } finally {
      exchange.close();
    }
  }

  static void main() throws Exception {
    DataSet digits = DataSet.open("digits");
    var recipe = Recipe.usual(CifarNet.named("resnet8"), digits, 1, 2).withEpochs(2);
    Run run = Run.create(Files.createTempDirectory("server").resolve("run"), recipe, digits);
    RunTraining.train(run, digits);
    var server = HttpServer.create(new InetSocketAddress("localhost", 0), 0); // any free port
    var address = URI.create("http://localhost:" + server.getAddress().getPort());
    try (var classifier = run.classifier();
        var client = HttpClient.newHttpClient()) {
      server.createContext("/", exchange -> answer(exchange, classifier));
      server.setExecutor(Thread::startVirtualThread);
      server.start();
      var file = HttpRequest.BodyPublishers.ofByteArray(Png.of(digits.test().images(), 0));
      var post = HttpRequest.newBuilder(address).POST(file).build();
      IO.println("it shows " + client.send(post, HttpResponse.BodyHandlers.ofString()).body());
    } finally {
      server.stop(0);
    }
  }
}
