package fathom.cli;

import fathom.infer.ImageClassifier;
import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.Json;
import fathom.io.WeightsFolder;
import fathom.net.Architecture;
import fathom.run.Run;
import fathom.serve.Limits;
import fathom.serve.ModelServer;
import fathom.serve.ModelSource;
import fathom.serve.ServerSettings;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

@Command(
    name = "serve",
    description = {
      "Answers over HTTP what images show.",
      "",
      "POST an image to /v2/models/NAME/classify and it answers as \"fathom predict --json\" does;"
          + " the",
      "page at / does so for people. Programs find the Open Inference Protocol at /v2, and"
          + " Prometheus",
      "its metrics at /metrics. A model has the name of its file or folder, or what is before the =;"
          + " of",
      "a folder of runs, each is a model. SIGHUP, or POST /v2/repository/models/NAME/load, opens"
          + " models",
      "again and loses no request; SIGTERM and Ctrl-C answer what was accepted, and the exit code"
          + " is 0.",
      "It listens to this machine alone, and has no encryption: other machines need --host, a"
          + " token, and",
      "a proxy with TLS before it."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom serve runs/resnet20-digits-1",
      "  fathom serve digits=digits.safetensors runs/ --port 0 --json",
      "  curl --data-binary @seven.png localhost:8080/v2/models/resnet20-digits-1/classify"
    })
final class ServeCommand implements Callable<Integer> {
  private static final long SAME_PRESS_NANOS = 500_000_000;

  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(
      arity = "0..*",
      paramLabel = "RUN|WEIGHTS",
      description = "Runs, folders of runs, or weights; NAME=PATH names a model.")
  private List<String> from = List.of();

  @Mixin private final NetOptions net = new NetOptions();

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "The address to listen at. Default: 127.0.0.1.")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "The port; 0 takes a free one. Default: 8080.")
  private int port = 8080;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      description = "Answer only requests with the token in FILE, as Authorization: Bearer.")
  private @Nullable Path tokenFile;

  @Option(
      names = "--access-log",
      paramLabel = "FILE",
      description = "Append a line of JSON for each request; - is standard output.")
  private @Nullable String accessLog;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description = "The most images that are predicted together. Default: 16.")
  private int batch = Limits.usual().batch();

  @Rare
  @Option(
      names = "--queue",
      paramLabel = "N",
      description = "The most images that wait; more are refused with 503. Default: four batches.")
  private @Nullable Integer queue;

  @Rare
  @Option(
      names = "--connections",
      paramLabel = "N",
      description = "The most connections at a time. Default: 512.")
  private int connections = Limits.usual().connections();

  @Rare
  @Option(
      names = "--max-body",
      paramLabel = "MB",
      description = "The most megabytes of a request; more are refused with 413. Default: 32.")
  private int body = 32;

  @Rare
  @Option(
      names = "--send-seconds",
      paramLabel = "S",
      description = "How long a client may take to send a request. Default: 10.")
  private int sending = 10;

  @Rare
  @Option(
      names = "--answer-seconds",
      paramLabel = "S",
      description = "How long a request may wait for its answer. Default: 10.")
  private int answering = 10;

  /// The answer of `--json`, in one line.
  record Answer(String address, List<String> models) {}

  /// A model of the command line. What is wrong with the arguments is a usage error until it was
  /// opened once, and later an error of the file, which must have changed.
  private final class Source implements ModelSource {
    private final Path path;
    private boolean opened;

    Source(Path path) {
      this.path = path;
    }

    @Override
    public ImageClassifier open() {
      try {
        ImageClassifier classifier = classifier(path);
        opened = true;
        return classifier;
      } catch (ParameterException e) {
        throw opened ? new BadFileException(path, String.valueOf(e.getMessage()), e) : e;
      }
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    device.check();
    net.check();
    if (from.isEmpty()) {
      throw output.refused("Missing: RUN or WEIGHTS");
    }
    Map<String, ModelSource> models = models();
    try (OutputStream log = log()) {
      ServerSettings settings = output.usage(() -> settings(log));
      var stop = new CountDownLatch(1);
      try (var server = output.usage(() -> ModelServer.start(settings, models));
          var signals = new Signals()) {
        var pressed = new long[1];
        signals.on("TERM", stop::countDown);
        signals.on("INT", () -> interrupted(stop, pressed));
        signals.on("HUP", () -> reload(server));
        announce(server);
        stop.await();
        output.remark("fathom: answering what was accepted, then stopping");
      }
    }
    return Exit.DONE;
  }

  /// Stops at the first Ctrl-C, and at once at the second.
  private static synchronized void interrupted(CountDownLatch stop, long[] pressed) {
    long now = System.nanoTime();
    if (stop.getCount() == 0 && now - pressed[0] > SAME_PRESS_NANOS) {
      Runtime.getRuntime().halt(Exit.FAILED);
    }
    pressed[0] = now;
    stop.countDown();
  }

  private void announce(ModelServer server) {
    var answer = new Answer(server.address().toString(), server.models());
    output
        .out()
        .println(
            output.json()
                ? Json.text(answer)
                : "serving %s at %s".formatted(String.join(", ", answer.models), answer.address));
    output.out().flush();
    if (tokenFile == null && !isLoopback()) {
      output.remark(
          "fathom: whoever reaches %s is answered: give --token-file, and a proxy with TLS"
              .formatted(answer.address));
    }
  }

  private boolean isLoopback() {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (IOException e) {
      return false;
    }
  }

  private void reload(ModelServer server) {
    for (String name : server.models()) {
      try {
        int version = server.reload(name);
        output.remark("fathom: %s is served in version %s".formatted(name, version));
      } catch (RuntimeException e) {
        output.lastWord("fathom: %s stays as it is: %s".formatted(name, e.getMessage()));
      }
    }
  }

  private ServerSettings settings(@Nullable OutputStream log) {
    Limits limits =
        Limits.usual()
            .withQueue(batch, queue == null ? 4 * batch : queue)
            .withConnections(connections)
            .withBody(Math.multiplyExact(Math.clamp(body, 0, 1 << 10), 1 << 20))
            .withTimes(Duration.ofSeconds(sending), Duration.ofSeconds(answering));
    return ServerSettings.usual()
        .at(host, port)
        .withToken(token())
        .withLimits(limits)
        .withAccessLog(log);
  }

  private @Nullable String token() {
    Path file = tokenFile;
    if (file == null) {
      return null;
    }
    try {
      String token = Files.readString(file).strip();
      if (token.isEmpty()) {
        throw new BadFileException(file, "a token has a character at least, but the file is empty");
      }
      return token;
    } catch (IOException e) {
      throw new BadFileException(file, "the token cannot be read: " + e.getMessage(), e);
    }
  }

  private @Nullable OutputStream log() {
    String name = accessLog;
    if (name == null) {
      return null;
    }
    if (name.equals("-")) {
      return new PrintStream(System.out, true) {
        @Override
        public void close() {
          flush(); // standard output is not ours
        }
      };
    }
    Path file = path(name);
    try {
      return Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new BadFileException(file, "the log cannot be written: " + e.getMessage(), e);
    }
  }

  private Path path(String text) {
    try {
      return HomeFolder.path(text);
    } catch (InvalidPathException e) {
      throw output.refused("'%s' is no path on this system".formatted(text));
    }
  }

  /// Returns the models by their names, each opened later.
  private Map<String, ModelSource> models() {
    var models = new LinkedHashMap<String, ModelSource>();
    for (String each : from) {
      int equals = each.indexOf('=');
      boolean named = equals > 0 && !Files.exists(path(each));
      Path path = path(named ? each.substring(equals + 1) : each);
      if (named) {
        add(models, each.substring(0, equals), path);
      } else if (WeightsFile.isRun(path) && !Run.isIn(path)) {
        runs(path).forEach(run -> add(models, name(run), run));
      } else {
        add(models, name(path), path);
      }
    }
    return models;
  }

  private void add(Map<String, ModelSource> models, String name, Path path) {
    if (models.put(name, new Source(path)) != null) {
      throw output.refused("two models are called %s; give one as NAME=PATH".formatted(name));
    }
  }

  /// Returns the name of a model in this place: that of the folder, or of the file without its
  /// ending.
  private static String name(Path path) {
    String name = String.valueOf(path.toAbsolutePath().normalize().getFileName());
    int end = name.lastIndexOf('.');
    return Files.isDirectory(path) || end < 1 ? name : name.substring(0, end);
  }

  private static List<Path> runs(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> runs =
          files.filter(each -> Run.isIn(each) || WeightsFolder.isOne(each)).sorted().toList();
      if (runs.isEmpty()) {
        throw new BadFileException(folder, "there is no run in this folder, and none below it");
      }
      return runs;
    } catch (IOException e) {
      throw new BadFileException(folder, "the folder cannot be read: " + e.getMessage(), e);
    }
  }

  private ImageClassifier classifier(Path path) {
    if (WeightsFile.isRun(path)) {
      Run run = Run.open(path);
      net.checkRun(run, output);
      if (run.recipe().architecture() instanceof Architecture.OfMasks) {
        throw masks(path);
      }
      return net.classifier(run);
    }
    WeightsFile weights = WeightsFile.open(path, output);
    if (weights.card().isMasks()) {
      throw masks(path);
    }
    return net.classifier(path, weights, output);
  }

  private ParameterException masks(Path path) {
    return output.refused(
        "%s is a net for masks, but a service tells classes; use fathom predict".formatted(path));
  }
}
