package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.Png;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The service as a process of its own, beside `predict`.
class ServeCommandTest {
  private static final int IMAGES = 30;

  @TempDir private static Path folder;

  @BeforeAll
  static void train() throws IOException {
    Cli.trainOnDigits(Path.of(run()));
    for (int i = 0; i < IMAGES; i++) {
      Files.write(image(i), Png.of(DataSet.open("digits").test().images(), i));
    }
    Files.writeString(folder.resolve("token"), "a secret\n");
    Files.writeString(folder.resolve("empty"), "\n");
    Files.createDirectories(folder.resolve("none"));
  }

  private static String run() {
    return folder.resolve("runs").resolve("digits").toString();
  }

  private static Path image(int i) {
    return folder.resolve(i + ".png");
  }

  private static HttpRequest.Builder request(URI at, String path) {
    return HttpRequest.newBuilder(at.resolve(path)).header("Authorization", "Bearer a secret");
  }

  /// One process, from its address to its end: a folder of runs and a name, what `predict` says, a
  /// SIGHUP and a SIGTERM while clients ask.
  @Test
  void answersAsPredictAndLosesNobody() throws Exception {
    Path log = folder.resolve("access.jsonl");
    Process server =
        new ProcessBuilder(
                Cli.command(
                    System.getProperty("java.class.path"),
                    List.of(
                        "serve",
                        folder.resolve("runs").toString(),
                        "other=" + run(),
                        "--port",
                        "0",
                        "--json",
                        "--token-file",
                        folder.resolve("token").toString(),
                        "--access-log",
                        log.toString())))
            .redirectError(folder.resolve("err").toFile())
            .start();
    try (HttpClient client = HttpClient.newHttpClient();
        var out =
            new BufferedReader(
                new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
      JsonNode said = JsonMapper.shared().readTree(out.readLine());
      assertEquals("[\"digits\",\"other\"]", said.path("models").toString());
      URI at = URI.create(said.path("address").asString());

      var args = new ArrayList<>(List.of("predict", run(), "--json"));
      for (int i = 0; i < IMAGES; i++) {
        args.add(image(i).toString());
      }
      JsonNode predicted = Cli.run(args.toArray(String[]::new)).json();
      for (int i = 0; i < IMAGES; i++) {
        HttpResponse<String> answer =
            client.send(
                request(at, "/v2/models/digits/classify")
                    .POST(BodyPublishers.ofFile(image(i)))
                    .build(),
                BodyHandlers.ofString());
        JsonNode served = JsonMapper.shared().readTree(answer.body());
        assertEquals(List.copyOf(predicted.propertyNames()), List.copyOf(served.propertyNames()));
        assertEquals(predicted.path("model"), served.path("model"));
        JsonNode expected = predicted.path("predictions").path(i).path("top");
        JsonNode top = served.path("predictions").path(0).path("top");
        assertEquals(expected.size(), top.size());
        for (int k = 0; k < top.size(); k++) {
          assertEquals(expected.path(k).path("class"), top.path(k).path("class"));
          assertEquals(
              expected.path(k).path("probability").asDouble(),
              top.path(k).path("probability").asDouble(),
              1e-4);
        }
      }

      var stopping = new AtomicBoolean();
      var answered = new AtomicInteger();
      var wrong = new ArrayList<String>();
      var clients = new ArrayList<Thread>();
      for (int c = 0; c < 4; c++) {
        clients.add(
            Thread.ofPlatform()
                .start(() -> {
                  while (true) {
                    boolean before = !stopping.get();
                    try {
                      int status =
                          client
                              .send(
                                  request(at, "/v2/models/other/classify")
                                      .POST(BodyPublishers.ofFile(image(1)))
                                      .build(),
                                  BodyHandlers.ofString())
                              .statusCode();
                      answered.incrementAndGet();
                      if (status != 200 && !(status == 503 && stopping.get())) {
                        wrong.add("status " + status);
                      }
                    } catch (IOException e) {
                      if (before && !stopping.get()) {
                        wrong.add(e.toString());
                      }
                      return;
                    } catch (InterruptedException e) {
                      return;
                    }
                  }
                }));
      }
      if (InterruptionTest.isIgnored(1)) {
        var load = request(at, "/v2/repository/models/other/load").POST(BodyPublishers.noBody());
        assertEquals(200, client.send(load.build(), BodyHandlers.discarding()).statusCode());
      } else {
        signal(server, "-HUP");
      }
      var other = request(at, "/v2/models/other/versions/2").GET().build();
      for (int i = 0;
          i < 3000 && client.send(other, BodyHandlers.discarding()).statusCode() != 200;
          i++) {
        Thread.sleep(20);
      }
      assertEquals(200, client.send(other, BodyHandlers.discarding()).statusCode());
      int soFar = answered.get();
      for (int i = 0; i < 3000 && answered.get() < soFar + 20; i++) {
        Thread.sleep(10);
      }
      stopping.set(true);
      signal(server, "-TERM");
      assertTrue(server.waitFor(60, TimeUnit.SECONDS), "it does not stop");
      for (Thread thread : clients) {
        thread.join();
      }
      assertEquals(List.of(), wrong);
      assertTrue(answered.get() >= soFar + 20, answered + " after " + soFar);
      assertEquals(Exit.DONE, server.exitValue(), Files.readString(folder.resolve("err")));
      assertEquals("", String.join("\n", out.lines().toList()), "one line is all");
      Set<String> paths = Set.of("/v2/models/digits/classify", "/v2/models/other/classify");
      long lines =
          Files.readAllLines(log).stream()
              .filter(line ->
                  paths.contains(JsonMapper.shared().readTree(line).path("path").asString()))
              .count();
      assertTrue(lines >= IMAGES + soFar, lines + " lines");
    } finally {
      server.destroyForcibly();
    }
  }

  private static void signal(Process process, String name) throws Exception {
    new ProcessBuilder("kill", name, Long.toString(process.pid())).start().waitFor();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          serve                                      | 2 | Missing: RUN or WEIGHTS
          serve RUN RUN                              | 2 | two models are called digits; give one as NAME=PATH
          serve a/b=RUN                              | 2 | the name of a model has letters, digits
          serve nothing                              | 3 | there is no such run or file
          serve NONE                                 | 3 | there is no run in this folder, and none below it
          serve RUN --batch 0                        | 2 | --batch is 0; give at least 1
          serve RUN --batch 8 --queue 7              | 2 | the queue is 7 images and the
          serve RUN --max-body 0                     | 2 | --max-body is 0
          serve RUN --port 70000                     | 2 | a port is from 0 to 65535, but 70000
          serve RUN --token-file EMPTY               | 3 | the file is empty
          serve RUN --token-file nothing             | 3 | the token cannot be read
          serve RUN --model resnet8                  | 2 | a run knows its own
          serve RUN --host 203.0.113.1 --port 0      | 1 | cannot be listened at
          """)
  void whatIsWrongIsSaid(String line, int code, String says) {
    String[] words =
        line.strip()
            .replace("RUN", run())
            .replace("NONE", folder.resolve("none").toString())
            .replace("EMPTY", folder.resolve("empty").toString())
            .split(" +");
    Cli cli = Cli.run(words);
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says.strip()), cli.err());
  }
}
