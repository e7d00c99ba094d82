package fathom.bench;

import fathom.Scope;
import fathom.data.Images;
import fathom.data.Normalization;
import fathom.infer.ImageClassifier;
import fathom.infer.ModelCard;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.train.Weights;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Measures the service: as many images as it can answer beside the library alone, the times of
/// answers at half of that, twice as much as it can answer for a minute, and stops under load. The
/// service, the library and the clients are processes of their own, on the same cores.
public final class ServeSuite {
  private static final String SUITE = "serve";
  private static final String NAME = "net";
  private static final int IMAGES = 200;
  private static final int SMALL = 32;
  private static final int CLIENTS = 48;
  private static final int CROWD = 256;
  private static final int WARM_UP = 20;
  private static final int SECONDS = 4;
  private static final int LONGER = 8;
  private static final int MINUTE = 60;
  private static final int BATCH = 64;
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  private ServeSuite() {}

  /// Measures with a net of random weights and JPEG files of noise in its size.
  ///
  /// @param program the command line, which has a command `serve`
  public static List<Result> run(Architecture.OfClasses net, int rounds, Class<?> program) {
    Path folder = null;
    try {
      folder = Files.createTempDirectory("fathom-serve");
      Path weights = folder.resolve(NAME + ".safetensors");
      write(net, weights);
      int side = net.input().height();
      List<byte[]> images = SyntheticPhotos.jpegs(IMAGES, Math.max(side, SMALL));
      Path files = folder.resolve("images");
      Files.createDirectories(files);
      for (int i = 0; i < images.size(); i++) {
        Files.write(files.resolve(i + ".jpg"), images.get(i));
      }
      return measured(net.name(), weights, files, images, rounds, program);
    } catch (IOException e) {
      throw new UncheckedIOException("the service could not be measured", e);
    } finally {
      remove(folder);
    }
  }

  private static void write(Architecture.OfClasses net, Path weights) {
    ImageShape in = net.input();
    int classes = net.classes();
    float[] half = new float[in.channels()];
    Arrays.fill(half, 0.5f);
    var card =
        ModelCard.ofImages(
            net.name(),
            net.options(),
            in,
            net.photos() > 0,
            IntStream.range(0, classes).mapToObj(Integer::toString).toList(),
            Normalization.of(half, half));
    try (var _ = Scope.open()) {
      Weights.write(weights, InferSuite.asTrained(net), card.metadata());
    }
  }

  private static List<Result> measured(
      String net, Path weights, Path files, List<byte[]> images, int rounds, Class<?> program)
      throws IOException {
    List<byte[]> requests = images.stream().map(ServeSuite::request).toList();
    var results = new ArrayList<Result>();
    double[] alone = new double[rounds];
    double[] served = new double[rounds];
    double[] clients = new double[rounds];
    try (var library = new Standalone(weights, files);
        var service = new Service(program, weights)) {
      HttpLoad.closed(service.at, requests, CLIENTS, WARM_UP);
      for (int i = 0; i < rounds; i++) {
        alone[i] = 1e3 / library.rate();
        double before = processorSeconds();
        HttpLoad.Outcome outcome = HttpLoad.closed(service.at, requests, CLIENTS, SECONDS);
        clients[i] = 100 * (processorSeconds() - before) / outcome.seconds() / CORES;
        served[i] = 1e3 / outcome.rate();
      }
      results.add(
          Result.ofRate(
              SUITE,
              net + ", " + CLIENTS + " clients",
              "images/s",
              1,
              served,
              "the library alone",
              alone));
      results.add(
          Result.of(
              SUITE, CLIENTS + " clients: what they take of all cores themselves", "%", clients));
      double most = 1e3 / Result.median(served);
      HttpLoad.constant(service.at, requests, CLIENTS, WARM_UP, most / 2); // of smaller batches
      constant("at half", service, requests, most / 2, rounds, results);
      results.addAll(flooded(service, requests, 2 * most));
      constant("at half, after that", service, requests, most / 2, rounds, results);
    }
    results.addAll(stopped(program, weights, requests, rounds));
    return results;
  }

  /// Returns the time for which a core has worked for this process.
  private static double processorSeconds() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
  }

  private static void constant(
      String when,
      Service service,
      List<byte[]> requests,
      double rate,
      int rounds,
      List<Result> results) {
    double[] half = new double[rounds];
    double[] most = new double[rounds];
    double[] ratio = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      HttpLoad.Outcome outcome = HttpLoad.constant(service.at, requests, CLIENTS, LONGER, rate);
      half[i] = outcome.milliseconds(0.5);
      most[i] = outcome.milliseconds(0.99);
      ratio[i] = most[i] / half[i];
      check(outcome, when);
    }
    String at = String.format(Locale.ROOT, "%s, %.0f images/s", when, rate);
    results.add(Result.of(SUITE, at + ": p50", "ms", half));
    results.add(Result.of(SUITE, at + ": p99", "ms", most));
    results.add(Result.of(SUITE, when + ": p99 by p50", "times", ratio));
  }

  /// Throws `IllegalStateException` if a request was lost, or answered by anything but 200 and 503.
  private static void check(HttpLoad.Outcome outcome, String when) {
    if (outcome.lost() + outcome.others() > 0) {
      throw new IllegalStateException(
          "every request has an answer of 200 or 503, but %s %s were lost and %s had another"
              .formatted(when, outcome.lost(), outcome.others()));
    }
  }

  private static List<Result> flooded(Service service, List<byte[]> requests, double rate)
      throws IOException {
    String when = "twice that for %s s".formatted(MINUTE);
    double[] memory = new double[2];
    var watch =
        Thread.ofPlatform()
            .start(() -> {
              for (int i = 0; i < memory.length; i++) {
                sleep(MINUTE / 2 - 1);
                memory[i] = service.megabytes();
              }
            });
    HttpLoad.Outcome outcome = HttpLoad.constant(service.at, requests, CROWD, MINUTE, rate);
    check(outcome, when);
    try {
      watch.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    int all = outcome.nanos().length + outcome.unavailable();
    return List.of(
        single(when + ": 200", "images/s", outcome.rate()),
        single(when + ": 503", "%", 100.0 * outcome.unavailable() / all),
        single(when + ": p50 of the 200", "ms", outcome.milliseconds(0.5)),
        single(when + ": p99 of the 200", "ms", outcome.milliseconds(0.99)),
        Result.of(SUITE, when + ": resident, twice", "MB", memory));
  }

  private static Result single(String name, String unit, double value) {
    return new Result(SUITE, name, unit, value, value, value, null, null, null);
  }

  private static List<Result> stopped(
      Class<?> program, Path weights, List<byte[]> requests, int rounds) throws IOException {
    double[] lost = new double[rounds];
    double[] late = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      try (var service = new Service(program, weights)) {
        double[] took = new double[1];
        var stop =
            Thread.ofPlatform()
                .start(() -> {
                  sleep(2);
                  took[0] = Alternation.milliseconds(service::stop);
                });
        HttpLoad.Outcome outcome = HttpLoad.closed(service.at, requests, CLIENTS, 10);
        try {
          stop.join();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        lost[i] = outcome.lost() + outcome.others();
        late[i] = took[0];
      }
    }
    return List.of(
        Result.of(SUITE, "SIGTERM under load: lost", "requests", lost),
        Result.of(SUITE, "SIGTERM under load: to the end", "ms", late));
  }

  private static byte[] request(byte[] image) {
    byte[] head =
        "POST /v2/models/%s/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n"
            .formatted(NAME, image.length)
            .getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = Arrays.copyOf(head, head.length + image.length);
    System.arraycopy(image, 0, all, head.length, image.length);
    return all;
  }

  private static void sleep(int seconds) {
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void remove(@Nullable Path folder) {
    if (folder == null) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("what was measured with cannot be removed", e);
    }
  }

  /// A process of the command line that serves.
  private static final class Service implements AutoCloseable {
    private final Process process;
    final InetSocketAddress at;

    Service(Class<?> program, Path weights) throws IOException {
      process = Child.start(program, "serve", NAME + "=" + weights, "--port", "0");
      String line = process.inputReader().readLine();
      if (line == null) {
        throw new IllegalStateException("the service that is measured does not start");
      }
      URI uri = URI.create(line.substring(line.lastIndexOf(' ') + 1));
      at = new InetSocketAddress(uri.getHost(), uri.getPort());
    }

    /// Returns the resident memory in millions of bytes, or NaN where the system does not tell.
    double megabytes() {
      try {
        return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
            .filter(line -> line.startsWith("VmRSS:"))
            .mapToDouble(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6)
            .findFirst()
            .orElse(Double.NaN);
      } catch (IOException e) {
        return Double.NaN;
      }
    }

    /// Sends SIGTERM and waits for the end.
    void stop() {
      process.destroy();
      try {
        if (!process.waitFor(MINUTE, TimeUnit.SECONDS) || process.exitValue() != 0) {
          throw new IllegalStateException("the service that is measured does not stop in order");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void close() {
      stop();
    }
  }

  /// A process that decodes and predicts the same files with the library, without HTTP.
  private static final class Standalone implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;

    Standalone(Path weights, Path files) throws IOException {
      process = Child.start(ServeSuite.class, weights.toString(), files.toString());
      answers = process.inputReader();
      rate();
    }

    /// Returns the images per second of some seconds.
    double rate() throws IOException {
      process.outputWriter().write("go\n");
      process.outputWriter().flush();
      String line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException("the library that is measured failed");
      }
      return Double.parseDouble(line);
    }

    @Override
    public void close() {
      process.destroy();
    }
  }

  /// The program that is measured beside the service: for each line that it reads, prints how many
  /// images it predicts in a second; the first time, after a warm-up.
  public static void main(String[] arguments) throws IOException {
    var files = new ArrayList<byte[]>();
    try (Stream<Path> all = Files.list(Path.of(arguments[1]))) {
      for (Path file : all.sorted().toList()) {
        files.add(Files.readAllBytes(file));
      }
    }
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (var classifier = ImageClassifier.open(Path.of(arguments[0]))) {
      double seconds = WARM_UP;
      while (lines.readLine() != null) {
        System.out.printf(Locale.ROOT, "%.2f%n", rate(classifier, files, seconds));
        seconds = SECONDS;
      }
    }
  }

  private static double rate(ImageClassifier classifier, List<byte[]> files, double seconds) {
    long begun = System.nanoTime();
    int done = 0;
    while (System.nanoTime() - begun < 1e9 * seconds) {
      int from = done % files.size();
      List<Images> batch =
          files.subList(from, Math.min(files.size(), from + BATCH)).parallelStream()
              .map(classifier.resizing()::of)
              .toList();
      done += classifier.classify(Images.joined(batch)).size();
    }
    return done / ((System.nanoTime() - begun) / 1e9);
  }
}
