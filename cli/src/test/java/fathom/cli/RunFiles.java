package fathom.cli;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.SafeTensors;
import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Ledger;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.report.run.RunReport;
import fathom.run.Run;
import fathom.task.Confusion;
import fathom.train.Metrics;
import fathom.train.Weights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The formats that Fathom writes itself and users edit, copy and exchange.
final class RunFiles {
  private RunFiles() {}

  /// Trains a little in `place`, for genuine files.
  static List<FileFormat> formats(Path place) throws IOException {
    Path images = place.resolve("pictures");
    call(
        "train",
        "mlp",
        "--data",
        "digits",
        "--hidden",
        "3",
        "--layers",
        "1",
        "--epochs",
        "2",
        "--watch",
        "gradients,updates,responses",
        "--out",
        images.toString());
    Path book = Files.writeString(place.resolve("book.txt"), "to be or not to be, ".repeat(20));
    Path text = place.resolve("text");
    call(
        "train",
        "gru",
        "--data",
        "text:" + book,
        "--hidden",
        "3",
        "--batch",
        "4",
        "--window",
        "9",
        "--epochs",
        "2",
        "--out",
        text.toString());
    call("lab", "deep-product", "--seeds", "2", "--out", place.resolve("lab").toString());
    return List.of(
        safetensors(),
        run(images, text),
        metrics(images, text),
        answers(images),
        checkpoint(images),
        finding(place.resolve("lab").resolve("deep-product.json")),
        configuration());
  }

  private static void call(String... args) {
    Cli cli = Cli.run(args);
    if (cli.code() != Exit.DONE) {
      throw new AssertionError(cli.err());
    }
  }

  // ---- Weights

  private static FileFormat safetensors() throws IOException {
    String name = "weights.safetensors";
    Path written = Files.createTempFile("weights", ".safetensors");
    byte[] own;
    try (var _ = Scope.open()) {
      Weights.write(written, net(), Map.of("fathom.classes", "[\"a\",\"b\"]"));
      own = Files.readAllBytes(written);
    } finally {
      Files.delete(written);
    }
    byte[] foreign = withoutChecksum(own);
    byte[] data = Arrays.copyOfRange(foreign, 8 + header(foreign).length, foreign.length);
    byte[] narrow =
        header(
            "{\"head.bias\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]},\"x\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[4,6]}}");
    return new FileFormat(
        name,
        Map.of(name, own),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, own),
            FileFormat.Way.of(name, Mutation.BYTES, foreign),
            FileFormat.Way.of(name, headers(), header(foreign)).sealed(json -> file(json, data)),
            FileFormat.Way.of(name, headers(), narrow).sealed(json -> file(json, new byte[6]))),
        FileFormat.Reading.of(folder -> {
          Path file = folder.resolve(name);
          checkTensors(file);
          try (var _ = Scope.open()) {
            Layer net = net();
            Weights.read(file, net);
            checkValues(file, net);
          }
        }),
        List.of(
            new FileFormat.Case("of another program", name, foreign, null),
            new FileFormat.Case(
                "2^63 bytes",
                name,
                new byte[] {0, 0, 0, 0, 0, 0, 0, -128, '{', '}'},
                "9223372036854775808"),
            new FileFormat.Case("empty", name, new byte[0], "empty")));
  }

  private static Mutation headers() {
    return Mutation.text(
        "\"dtype\"",
        "\"F32\"",
        "\"F64\"",
        "\"I64\"",
        "\"BOOL\"",
        "\"__metadata__\"",
        "4294967296,4294967296",
        "\"fathom.sha256\"",
        "12",
        "24",
        "-0",
        "1.0");
  }

  private static Layer net() {
    var options = new Architecture.Options(null, null, null, 3, 1);
    return Architecture.images("mlp", options).on(new ImageShape(1, 2, 2), 2).build(Init.zeros());
  }

  /// A header of JSON alone.
  private static byte[] header(String json) {
    return json.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] header(byte[] file) {
    long length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return Arrays.copyOfRange(file, 8, 8 + (int) length);
  }

  static byte[] file(byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(data)
        .array();
  }

  /// As another program would have written it.
  static byte[] withoutChecksum(byte[] file) {
    byte[] before = header(file);
    if (JsonMapper.shared().readTree(before) instanceof ObjectNode header
        && header.path("__metadata__") instanceof ObjectNode metadata) {
      metadata.remove("fathom.sha256");
      metadata.remove("fathom.sha256.of");
      byte[] after = JsonMapper.shared().writeValueAsBytes(header);
      return file(after, Arrays.copyOfRange(file, 8 + before.length, file.length));
    }
    throw new AssertionError("a file of Fathom's has metadata");
  }

  /// Names, shapes and bytes, by the tree of the header's JSON.
  private static void checkTensors(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    try (SafeTensors stored = SafeTensors.open(file)) {
      JsonNode header = JsonMapper.shared().readTree(header(content));
      var names = new HashSet<>(header.propertyNames());
      names.remove("__metadata__");
      DataFiles.same(names, new HashSet<>(stored.names()), "tensors");
      for (String name : names) {
        JsonNode entry = header.path(name);
        long[] shape = entry.path("shape").valueStream().mapToLong(JsonNode::asLong).toArray();
        DataFiles.same(Arrays.toString(shape), Arrays.toString(stored.shape(name).toArray()), name);
        if (List.of("F32", "F64", "I64").contains(entry.path("dtype").asString())) {
          DataFiles.same(bytes(content, entry), stored.tensor(name).bytes().asByteBuffer(), name);
        } else if (List.of("F16", "BF16").contains(entry.path("dtype").asString())) {
          try (Arena arena = Arena.ofConfined()) {
            long bytes = stored.widened(name, arena).bytes().byteSize();
            DataFiles.same(2L * bytes(content, entry).remaining(), bytes, name);
          }
        }
      }
    }
  }

  private static ByteBuffer bytes(byte[] content, JsonNode entry) {
    int data = 8 + header(content).length;
    int begin = entry.path("data_offsets").path(0).asInt();
    return ByteBuffer.wrap(
        content, data + begin, entry.path("data_offsets").path(1).asInt() - begin);
  }

  /// The values of those parameters that the file has in float32.
  private static void checkValues(Path file, Layer net) throws IOException {
    byte[] content = Files.readAllBytes(file);
    JsonNode header = JsonMapper.shared().readTree(header(content));
    for (Map.Entry<String, Param> entry : net.state().entrySet()) {
      Tensor value = entry.getValue().value();
      if (value.type() == DType.FLOAT32
          && header.path(entry.getKey()).path("dtype").asString().equals("F32")) {
        DataFiles.same(
            bytes(content, header.path(entry.getKey())),
            value.contiguous().segment().asByteBuffer(),
            entry.getKey());
      }
    }
  }

  // ---- Runs

  private static FileFormat run(Path images, Path text) throws IOException {
    String name = "run.json";
    byte[] one = Files.readAllBytes(images.resolve(name));
    byte[] other = Files.readAllBytes(text.resolve(name));
    Mutation words =
        Mutation.text(
            "\"mlp\"",
            "\"resnet20\"",
            "\"resnet1000000004\"",
            "\"resnet18\"",
            "\"transformer\"",
            "\"ln-lstm\"",
            "\"BATCH\"",
            "\"NONE\"",
            "\"width\"",
            "\"hidden\"",
            "\"layers\"",
            "\"ADAMW\"",
            "\"COSINE\"",
            "\"BF16\"",
            "\"text:x\"",
            "3",
            "4",
            "5",
            "6",
            "\"\\ud83d\\ude00\"");
    return new FileFormat(
        name,
        Map.of(
            name,
            one,
            "checkpoint.safetensors",
            Files.readAllBytes(images.resolve("checkpoint.safetensors"))),
        List.of(FileFormat.Way.of(name, words, one), FileFormat.Way.of(name, words, one, other)),
        FileFormat.Reading.of(folder -> {
          Run run = Run.open(folder);
          // What was understood means the same once more.
          run.withRecipe(run.recipe());
          DataFiles.same(run.info(), Run.open(folder).info(), "run");
          if (!run.info().input().isEmpty()) {
            try (var _ = Scope.open()) {
              Weights.read(run.checkpoint(), run.imageNet(Init.zeros()));
              run.normalization();
            }
          } else {
            try (var _ = Scope.open()) {
              Weights.read(run.checkpoint(), run.textNet(Init.zeros()));
            }
          }
        }),
        List.of(
            new FileFormat.Case(
                "of a newer version",
                name,
                changed(one, run -> run.put("format", 99)),
                "format 99"),
            new FileFormat.Case(
                "of no model",
                name,
                changed(one, run -> run.withObject("recipe").put("model", "mpl")),
                "did you mean mlp"),
            new FileFormat.Case(
                "a width that no machine has",
                name,
                changed(
                    one,
                    run ->
                        run.withObject("recipe")
                            .withObject("options")
                            .put("hidden", Integer.MAX_VALUE)),
                ""),
            new FileFormat.Case("nothing", name, new byte[0], "run"),
            new FileFormat.Case(
                "null", name, "null".getBytes(StandardCharsets.UTF_8), "format 0")));
  }

  private static byte[] changed(byte[] json, Consumer<ObjectNode> change) {
    if (JsonMapper.shared().readTree(json) instanceof ObjectNode node) {
      change.accept(node);
      return JsonMapper.shared().writeValueAsBytes(node);
    }
    throw new AssertionError("a run is an object");
  }

  /// What is read of the metrics are so many as there are lines, and it can be reported.
  private static FileFormat metrics(Path images, Path text) throws IOException {
    String name = "metrics.jsonl";
    byte[] one = Files.readAllBytes(images.resolve(name));
    byte[] other = Files.readAllBytes(text.resolve(name));
    Mutation words =
        Mutation.text(
            "\"epoch\"",
            "\"layers\"",
            "\"watch\"",
            "\"final\"",
            "\"testError\"",
            "\"value\"",
            "\"step\"");
    return new FileFormat(
        name,
        Map.of(name, one, "run.json", Files.readAllBytes(images.resolve("run.json"))),
        List.of(FileFormat.Way.of(name, words, one), FileFormat.Way.of(name, words, one, other)),
        FileFormat.Reading.of(folder -> {
          Run run = Run.open(folder);
          List<Metrics> read = run.metrics();
          long lines = Files.readString(folder.resolve(name)).lines().count();
          if (read.size() != lines && read.size() != lines - 1) {
            throw new AssertionError("%s lines, but %s metrics".formatted(lines, read.size()));
          }
          RunReport.of(run).write(run.report());
        }),
        List.of(
            new FileFormat.Case(
                "steps that fall",
                name,
                String.join(
                        "\n", new String(one, StandardCharsets.UTF_8).lines().toList().reversed())
                    .getBytes(StandardCharsets.UTF_8),
                "in the order of the steps"),
            new FileFormat.Case(
                "a last line that was cut off", name, Arrays.copyOf(one, one.length - 30), null)));
  }

  /// What became of the test images, as far as it was understood, is in the report.
  private static FileFormat answers(Path images) throws IOException {
    String name = "answers.json";
    byte[] content = Files.readAllBytes(images.resolve(name));
    Mutation words =
        Mutation.text(
            "\"counts\"",
            "\"classes\"",
            "\"confusions\"",
            "\"worst\"",
            "\"truth\"",
            "\"given\"",
            "\"png\"",
            "[[0]]",
            "0.5",
            "9");
    return new FileFormat(
        name,
        Map.of(name, content, "run.json", Files.readAllBytes(images.resolve("run.json"))),
        List.of(FileFormat.Way.of(name, words, content)),
        FileFormat.Reading.of(folder -> {
          Run run = Run.open(folder);
          long counted =
              run.answers().orElseThrow().confusion().counts().stream()
                  .mapToLong(Confusion.Pair::times)
                  .sum();
          DataFiles.same(counted, written(folder.resolve(name)), "test images");
          RunReport.of(run).write(run.report());
        }),
        List.of(
            new FileFormat.Case(
                "null", name, "null".getBytes(StandardCharsets.UTF_8), "a JSON object is needed")));
  }

  /// The sum of the third number of each confusion, or of the table of an older version.
  private static long written(Path answers) throws IOException {
    JsonNode tree = JsonMapper.shared().readTree(Files.readString(answers));
    return tree.has("confusions")
        ? tree.path("confusions").valueStream().mapToLong(c -> c.path(2).asLong()).sum()
        : tree.path("counts")
            .valueStream()
            .flatMap(JsonNode::valueStream)
            .mapToLong(JsonNode::asLong)
            .sum();
  }

  private static FileFormat checkpoint(Path images) throws IOException {
    String name = "checkpoint.safetensors";
    byte[] own = Files.readAllBytes(images.resolve(name));
    byte[] foreign = withoutChecksum(own);
    byte[] data = Arrays.copyOfRange(foreign, 8 + header(foreign).length, foreign.length);
    Mutation words =
        Mutation.text(
            "\"input.mean\"",
            "\"input.standard deviation\"",
            "\"F64\"",
            "\"I64\"",
            "\"fathom.step\"");
    return new FileFormat(
        name,
        Map.of(name, own, "run.json", Files.readAllBytes(images.resolve("run.json"))),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, own),
            FileFormat.Way.of(name, words, header(foreign)).sealed(json -> file(json, data)),
            FileFormat.Way.of(name, Mutation.BYTES, data)
                .sealed(values -> file(header(foreign), values))),
        FileFormat.Reading.of(folder -> {
          Run run = Run.open(folder);
          try (var _ = Scope.open()) {
            Layer net = run.imageNet(Init.zeros());
            Weights.read(run.checkpoint(), net);
            checkValues(run.checkpoint(), net);
            DataFiles.same(run.normalization(), run.normalization(), "normalization");
          }
        }),
        List.of(new FileFormat.Case("without a checksum", name, foreign, null)));
  }

  private static FileFormat finding(Path file) throws IOException {
    String name = "deep-product.json";
    byte[] content = Files.readAllBytes(file);
    Experiment experiment =
        Experiments.all().stream()
            .filter(e -> e.name().equals("deep-product"))
            .findFirst()
            .orElseThrow();
    Mutation words =
        Mutation.text(
            "\"QUICK\"", "\"REPRODUCED\"", "\"verdict\"", "\"perSeed\"", "\"bound\"", "\"charts\"");
    return new FileFormat(
        name,
        Map.of(name, content),
        List.of(FileFormat.Way.of(name, words, content)),
        FileFormat.Reading.of(folder -> {
          Ledger ledger = new Ledger(folder);
          var finding = ledger.read(experiment).orElseThrow();
          ledger.write(experiment, finding);
          DataFiles.same(finding, ledger.read(experiment).orElseThrow(), "finding");
        }),
        List.of(
            new FileFormat.Case(
                "null", name, "null".getBytes(StandardCharsets.UTF_8), "no finding")));
  }

  // ---- Configuration

  private static FileFormat configuration() {
    String name = "config.properties";
    byte[] content =
        "# usual\ntrain.epochs = 3\ntrain.lr=0.01\ntrain.hidden : 4\ntrain.seed 5\ntrain.out = runs/\\u00fc \\\n  x\n"
            .getBytes(StandardCharsets.UTF_8);
    Mutation words =
        Mutation.text(
            "train.epochs",
            "train.batch",
            "train.workers",
            "train.hidden",
            "train.layers",
            "train.val",
            "train.watch",
            "train.schedule",
            "cosine",
            "gradients,updates",
            "auto",
            "bf16",
            "train.json",
            "train.quiet",
            "train.resume",
            "train.verbose",
            "eval.best",
            "\\u",
            "\\");
    return new FileFormat(
        name,
        Map.of(name, content),
        List.of(FileFormat.Way.of(name, words, content)),
        folder -> {
          // All options are read before the model, of which there is none.
          Cli cli =
              Cli.run(
                  Map.of("FATHOM_CONFIG", folder.resolve(name).toString()),
                  "train",
                  "nothing",
                  "--data",
                  "digits");
          if (cli.code() != Exit.USAGE && cli.code() != Exit.BAD_FILE) {
            throw new AssertionError("exit code %s: %s".formatted(cli.code(), cli.err()));
          }
          return cli.err().contains("there is no model") ? null : cli.err().strip();
        },
        List.of(
            new FileFormat.Case(
                "an escape cut off",
                name,
                "train.epochs = \\u12".getBytes(StandardCharsets.UTF_8),
                "cannot be read"),
            new FileFormat.Case(
                "Latin-1",
                name,
                "train.out = \u00fc".getBytes(StandardCharsets.ISO_8859_1),
                "UTF-8")));
  }
}
