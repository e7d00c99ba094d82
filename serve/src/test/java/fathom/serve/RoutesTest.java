package fathom.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// What is answered to which request, with a token and without.
class RoutesTest {
  private static final String SECRET = "a secret";
  private static final ByteArrayOutputStream LOG = new ByteArrayOutputStream();
  private static ModelServer server;
  private static ModelServer locked;

  @BeforeAll
  static void start() {
    server = Digits.server(Digits.settings().withAccessLog(LOG));
    locked = Digits.server(Digits.settings().withToken(SECRET));
  }

  @AfterAll
  static void stop() {
    server.close();
    locked.close();
  }

  private static HttpResponse<String> send(URI at, String method, String path, String... headers)
      throws Exception {
    var request =
        HttpRequest.newBuilder(at.resolve(path))
            .method(method, BodyPublishers.noBody())
            .timeout(Duration.ofSeconds(60));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return Digits.CLIENT.send(request.build(), BodyHandlers.ofString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          GET    | /v2                                  | 200 | "name":"fathom"
          GET    | /v2/                                 | 200 | "binary_tensor_data"
          GET    | /v2/health/live                      | 200 | {"live":true}
          GET    | /v2/health/ready                     | 200 | {"ready":true}
          GET    | /v2/models/digits                    | 200 | "inputs":[{"name":"pictures","datatype":"FP32","shape":[-1,1,8,8]}]
          GET    | /v2/models/digits                    | 200 | "outputs":[{"name":"logits","datatype":"FP32","shape":[-1,10]},{"name":"probabilities"
          GET    | /v2/models/digits/versions/1         | 200 | "versions":["1"]
          GET    | /v2/models/digits/ready              | 200 | {"name":"digits","ready":true}
          GET    | /v2/models/digits/versions/1/ready   | 200 | "ready":true
          GET    | /v2/models/digits/versions/2         | 404 | is served in version 1, but '2' is asked for
          GET    | /v2/models/none                      | 404 | there is no model 'none'; there are digits
          POST   | /v2/models/none/infer                | 404 | there is no model
          GET    | /v2/models                           | 404 | GET /v2 says what this is
          GET    | /v2/models/digits/nothing            | 404 | nothing at
          GET    | /nothing                             | 404 | nothing at
          GET    | /v2/models/digits/infer              | 405 | is for POST, but the method is 'GET'
          DELETE | /v2                                  | 405 | is for GET
          POST   | /v2/models/digits/infer              | 400 | an object of JSON is needed here
          POST   | /v2/models/digits/classify           | 400 | body: an image must be a JPEG, PNG
          POST   | /v2/models/digits/classify?top=0     | 400 | `top` names at least 1 class, but is '0'
          POST   | /v2/repository/index                 | 200 | [{"name":"digits","version":"1","state":"READY"
          POST   | /v2/repository/models/none/load      | 404 | there is no model
          GET    | /                                    | 200 | What does it show?
          GET    | /page.js                             | 200 | 'use strict'
          """)
  void isAnsweredBy(String method, String path, int status, String says) throws Exception {
    HttpResponse<String> answer = send(server.address(), method, path);
    assertTrue(answer.body().contains(says.strip()), answer.body());
    assertEquals(status, answer.statusCode(), answer.body());
    if (status >= 400) {
      JsonNode error = Digits.json(answer.body().getBytes(StandardCharsets.UTF_8));
      assertTrue(error.path("error").isString() && error.size() == 1, answer.body());
    }
  }

  /// Of what a probe and a browser ask, nothing is secret.
  @ParameterizedTest
  @CsvSource({
    "GET, /v2/health/live, 200",
    "GET, /v2/health/ready, 200",
    "GET, /, 200",
    "GET, /page.css, 200",
    "GET, /v2, 401",
    "GET, /v2/models/digits, 401",
    "GET, /metrics, 401",
    "POST, /v2/models/digits/classify, 401",
    "POST, /v2/models/digits/infer, 401",
    "POST, /v2/repository/index, 401",
    "POST, /v2/repository/models/digits/load, 401",
  })
  void isLocked(String method, String path, int without) throws Exception {
    assertEquals(without, send(locked.address(), method, path).statusCode());
    for (String wrong : List.of("Bearer another", "Bearer a secre", "Bearer", "Basic a secret")) {
      var answer = send(locked.address(), method, path, "Authorization", wrong);
      assertEquals(without, answer.statusCode(), wrong);
      assertEquals(
          without == 401, answer.headers().firstValue("WWW-Authenticate").isPresent(), wrong);
    }
    var right = send(locked.address(), method, path, "Authorization", "Bearer " + SECRET);
    assertTrue(right.statusCode() == 200 || right.statusCode() == 400, right.body());
  }

  @Test
  void anImageIsClassifiedAsByTheLibrary() throws Exception {
    JsonNode answer = Digits.json(Digits.classify(server, 3).body());
    assertEquals("resnet8", answer.path("model").asString());
    assertEquals(3, answer.path("predictions").path(0).path("top").size());
    assertEquals("body", answer.path("predictions").path(0).path("file").asString());
    assertEquals(0, answer.path("skipped").size());
    try (var classifier = fathom.infer.ImageClassifier.open(Digits.RUN)) {
      var best = classifier.classify(Digits.png(3)).best();
      JsonNode first = answer.path("predictions").path(0).path("top").path(0);
      assertEquals(best.name(), first.path("class").asString());
      assertEquals(best.probability(), first.path("probability").asDouble(), 1e-6);
    }
  }

  /// Among several files one that is no image is skipped; if none is one, that is an error.
  @Test
  void aFormBringsSeveralFiles() throws Exception {
    byte[] form =
        form("a.png", Digits.png(0), "notes.txt", new byte[] {1, 2, 3}, "b.png", Digits.png(1));
    JsonNode answer = Digits.json(send(form, "?top=10").body());
    assertEquals("a.png", answer.path("predictions").path(0).path("file").asString());
    assertEquals("b.png", answer.path("predictions").path(1).path("file").asString());
    assertEquals(10, answer.path("predictions").path(1).path("top").size());
    assertEquals("notes.txt", answer.path("skipped").path(0).path("file").asString());
    assertTrue(
        answer
            .path("skipped")
            .path(0)
            .path("why")
            .asString()
            .startsWith("notes.txt: an image must be a JPEG"));
    HttpResponse<byte[]> none = send(form("notes.txt", new byte[] {1, 2, 3}), "");
    assertEquals(400, none.statusCode());
    assertTrue(
        new String(none.body(), StandardCharsets.UTF_8).contains("notes.txt: an image must"));
    HttpResponse<byte[]> empty = send(form(), "");
    assertEquals(400, empty.statusCode(), new String(empty.body(), StandardCharsets.UTF_8));
    var many = new Object[2 * 65];
    for (int i = 0; i < many.length; i += 2) {
      many[i] = i + ".png";
      many[i + 1] = Digits.png(i);
    }
    int tooMany = send(form(many), "").statusCode();
    assertTrue(tooMany == 413 || tooMany == 400, "" + tooMany);
  }

  private static HttpResponse<byte[]> send(byte[] form, String query) throws Exception {
    return Digits.CLIENT.send(
        Digits.request(server.address(), "/v2/models/digits/classify" + query, form)
            .header("Content-Type", "multipart/form-data; boundary=line")
            .build(),
        BodyHandlers.ofByteArray());
  }

  private static byte[] form(Object... files) {
    var form = new ByteArrayOutputStream();
    for (int i = 0; i < files.length; i += 2) {
      form.writeBytes(
          "--line\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%s\"\r\n\r\n"
              .formatted(files[i])
              .getBytes(StandardCharsets.UTF_8));
      form.writeBytes((byte[]) files[i + 1]);
      form.writeBytes("\r\n".getBytes(StandardCharsets.UTF_8));
    }
    form.writeBytes("--line--\r\n".getBytes(StandardCharsets.UTF_8));
    return form.toByteArray();
  }

  /// A page of another site may not post here.
  @Test
  void otherOriginsAreRefused() throws Exception {
    for (String method : List.of("/v2/repository/index", "/v2/models/digits/classify")) {
      assertEquals(
          403,
          send(server.address(), "POST", method, "Origin", "http://evil.example").statusCode());
    }
    String own = server.address().toString();
    assertEquals(
        200, send(server.address(), "POST", "/v2/repository/index", "Origin", own).statusCode());
  }

  @Test
  void whatIsCountedIsWhatWasAsked() throws Exception {
    try (ModelServer counted = Digits.server(Digits.settings())) {
      for (int i = 0; i < 5; i++) {
        assertEquals(200, Digits.classify(counted, i).statusCode());
      }
      assertEquals(404, send(counted.address(), "GET", "/v2/models/none").statusCode());
      String metrics = "";
      for (int i = 0; i < 100 && !metrics.contains("operation=\"other\""); i++) {
        metrics = send(counted.address(), "GET", "/metrics").body(); // counted when it was sent
      }
      for (String line :
          List.of(
              "fathom_requests_seconds_count{model=\"digits\",operation=\"classify\",status=\"200\"} 5",
              "fathom_batch_images_sum{model=\"digits\"} 5.0",
              "fathom_rejections_total{reason=\"unknown\"} 1.0",
              "fathom_queue_depth{model=\"digits\"} 0.0",
              "fathom_model_version{model=\"digits\"} 1.0")) {
        assertTrue(metrics.contains(line), line + " in " + metrics);
      }
      assertFalse(metrics.contains("none"), "a name that a client chose is no tag");
    }
  }

  @Test
  void eachRequestIsALineOfTheLog() throws Exception {
    String path = "/v2/models/digits/classify?top=2&said=a%22b";
    assertEquals(200, Digits.post(server, path, Digits.png(5)).statusCode());
    for (int i = 0; i < 1000 && !LOG.toString(StandardCharsets.UTF_8).contains("said"); i++) {
      Thread.sleep(10);
    }
    List<String> lines = LOG.toString(StandardCharsets.UTF_8).lines().toList();
    for (String line : lines) {
      JsonNode of = Digits.json(line.getBytes(StandardCharsets.UTF_8));
      assertTrue(of.path("time").isString() && of.path("milliseconds").asDouble() >= 0, line);
      if (of.path("path").asString().contains("said")) {
        assertEquals(path, of.path("path").asString());
        assertEquals(
            "POST 200 127.0.0.1",
            of.path("method").asString()
                + " "
                + of.path("status").asInt()
                + " "
                + of.path("remote").asString());
        assertEquals(Digits.png(5).length, of.path("received").asInt());
      }
    }
    assertFalse(Arrays.toString(lines.toArray()).contains("Authorization"));
  }
}
