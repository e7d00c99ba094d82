package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Scope;
import fathom.data.Normalization;
import fathom.infer.ModelCard;
import fathom.io.SafeTensors;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.run.Run;
import fathom.train.Weights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ExportCommandTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void train() {
    Cli cli =
        Cli.run(
            "train",
            "resnet8",
            "--data",
            "digits",
            "--width",
            "4",
            "--epochs",
            "1",
            "--out",
            at("run"),
            "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    Run run = Run.open(folder.resolve("run"));
    try (var _ = Scope.open()) { // as from elsewhere: nothing is said of the net
      Layer net = run.imageNet(Init.zeros());
      Weights.read(run.checkpoint(), net);
      Weights.write(folder.resolve("bare.safetensors"), net, Map.of());
    }
  }

  private static String at(String name) {
    return folder.resolve(name).toString();
  }

  private static JsonNode export(String... args) {
    String[] all = new String[args.length + 2];
    all[0] = "export";
    System.arraycopy(args, 0, all, 1, args.length);
    all[args.length + 1] = "--json";
    Cli cli = Cli.run(all);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json();
  }

  private static JsonNode measured(String weights, JsonNode metadata) {
    Cli cli =
        Cli.run(
            "eval",
            weights,
            "--model",
            "resnet8",
            "--width",
            "4",
            "--data",
            "digits",
            "--mean",
            metadata.path("fathom.mean").asString(),
            "--std",
            metadata.path("fathom.std").asString(),
            "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json();
  }

  /// With what the file says of the images, its weights do what the run's do.
  @Test
  void weightsAreThoseOfTheRun() {
    JsonNode answer = export(at("run"), at("weights.safetensors"));
    assertEquals("safetensors", answer.path("form").asString());
    assertEquals(37, answer.path("tensors").asInt(), "and nothing of the optimizer");
    assertEquals("resnet8", answer.path("metadata").path("fathom.model").asString());
    double expected = Cli.run("eval", at("run"), "--json").json().path("crossEntropy").asDouble();
    JsonNode measured = measured(at("weights.safetensors"), answer.path("metadata"));
    assertEquals(expected, measured.path("crossEntropy").asDouble(), 1e-9);
  }

  /// What a file does not say, the user may: its classes and what its images are normalised by are
  /// then in the model as they are in that of the run.
  @Test
  void weightsThatSayNothingBecomeTheModelOfTheRun() throws IOException {
    JsonNode said = export(at("run"), at("run.onnx"), "--with-preprocessing").path("metadata");
    export(
        at("bare.safetensors"),
        at("bare.onnx"),
        "--with-preprocessing",
        "--model",
        "resnet8",
        "--width",
        "4",
        "--input",
        "1x8x8",
        "--classes",
        "0,1,2,3,4,5,6,7,8,9",
        "--mean",
        said.path("fathom.mean").asString(),
        "--std",
        said.path("fathom.std").asString());
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("run.onnx")),
        Files.readAllBytes(folder.resolve("bare.onnx")));
  }

  /// What a file needs to be used it says itself: an export, and the files of a run.
  @Test
  void aFileOfTheRunSaysOfWhichNetItIs() throws IOException {
    export(at("run"), at("first.onnx"));
    byte[] first = Files.readAllBytes(folder.resolve("first.onnx"));
    export(at("run"), at("named.safetensors"));
    for (String from : new String[] {"named.safetensors", "run/checkpoint.safetensors"}) {
      JsonNode answer = export(at(from), at("again.onnx"));
      assertEquals("resnet8", answer.path("model").asString());
      assertArrayEquals(first, Files.readAllBytes(folder.resolve("again.onnx")), from);
    }
    JsonNode said = export(at("run"), at("named.safetensors")).path("metadata");
    assertEquals("1x8x8", said.path("fathom.input").asString());
    assertEquals("shortcut A, norm batch, width 4", said.path("fathom.options").asString());
    String text = said.path("fathom.preprocessing").asString();
    assertTrue(
        text.contains("\"centreCropToProportions\":[8,8]")
            && text.contains("(x / 255 - mean) / std"),
        text);
    String evaluated = Cli.run("eval", at("run"), "--json").json().path("crossEntropy").toString();
    Cli own = Cli.run("eval", at("named.safetensors"), "--data", "digits", "--json");
    assertEquals(Exit.DONE, own.code(), own.err());
    assertEquals(evaluated, own.json().path("crossEntropy").toString());
    assertEquals("test", own.json().path("measuredOn").asString());
  }

  /// It is for use alone, and has no more than that.
  @Test
  void theBestEpochHasNoMemoryOfTheOptimizer() {
    try (var best = SafeTensors.open(folder.resolve("run/best.safetensors"));
        var last = SafeTensors.open(folder.resolve("run/checkpoint.safetensors"))) {
      assertTrue(last.names().stream().anyMatch(name -> name.startsWith("optimizer.")));
      var expected = new ArrayList<>(last.names());
      expected.removeIf(name -> name.startsWith("optimizer."));
      assertEquals(expected, List.copyOf(best.names()));
      assertTrue(best.names().contains("input.mean"), "the normalization");
      assertEquals(last.metadata().keySet(), best.metadata().keySet());
    }
  }

  /// Two ways to one file.
  @Test
  void aModelIsTheSameFromARunAndFromItsWeights() throws IOException {
    export(at("run"), at("run.onnx"));
    export(at("run"), at("between.safetensors"));
    String[] model = {"--model", "resnet8", "--width", "4", "--input", "1x8x8"};
    export(with(model, at("between.safetensors"), at("weights.onnx")));
    byte[] onnx = Files.readAllBytes(folder.resolve("run.onnx"));
    assertArrayEquals(onnx, Files.readAllBytes(folder.resolve("weights.onnx")));
    String text = new String(onnx, StandardCharsets.ISO_8859_1);
    assertTrue(text.contains("layer3.0.conv2.weight") && text.contains("fathom.mean"), text);

    export(at("run"), at("run.pt"));
    export(at("between.safetensors"), "--to", "pt", at("weights.of"));
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("run.pt")),
        Files.readAllBytes(folder.resolve("weights.of")));
  }

  private static String[] with(String[] model, String... files) {
    String[] all = new String[model.length + files.length];
    System.arraycopy(files, 0, all, 0, files.length);
    System.arraycopy(model, 0, all, files.length, model.length);
    return all;
  }

  @Test
  void aCheckpointIsNotWrittenOver() throws IOException {
    Path checkpoint = folder.resolve("run").resolve("checkpoint.safetensors");
    byte[] before = Files.readAllBytes(checkpoint);
    for (String from : new String[] {at("run"), checkpoint.toString()}) {
      Cli cli = Cli.run("export", from, at("run/../run/checkpoint.safetensors"));
      assertEquals(Exit.USAGE, cli.code(), cli.err());
      assertTrue(cli.err().contains("name another file"), cli.err());
    }
    assertArrayEquals(before, Files.readAllBytes(checkpoint));
  }

  /// Nor anything else that a run needs, of whichever run, and whoever writes.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "export RUN --to pt RUN/run.json",
        "export RUN --to safetensors RUN/metrics.jsonl",
        "export RUN --to onnx RUN/answers.json",
        "export WEIGHTS --to pt RUN/checkpoint.safetensors",
        "export WEIGHTS --to pt LINK",
        "export WEIGHTS --to pt WEIGHTS",
        "export WEIGHTS RUN/../RUNNAME/best.safetensors",
        "export WEIGHTS --to pt RUN/images.tsv",
        "export WEIGHTS --to pt RUN/tensorboard/events",
        "report RUN --out RUN/metrics.jsonl",
        "report RUN --out RUN/run.json",
        "report RUN RUN --out LINK",
        "data info digits --sheet RUN/run.json"
      })
  void nothingThatARunNeedsIsWrittenOver(String args) throws IOException {
    Path link = folder.resolve("link-" + Integer.toHexString(args.hashCode()));
    Files.createSymbolicLink(link, folder.resolve("run").resolve("run.json"));
    Map<String, List<Byte>> before = content(folder.resolve("run"));
    Cli cli =
        Cli.run(
            args.replace("RUNNAME", "run")
                .replace("RUN", at("run"))
                .replace("WEIGHTS", at("bare.safetensors"))
                .replace("LINK", link.toString())
                .split(" "));
    assertEquals(Exit.USAGE, cli.code(), cli.err());
    assertTrue(cli.err().contains("name another file"), cli.err());
    assertEquals(before, content(folder.resolve("run")));
  }

  private static Map<String, List<Byte>> content(Path run) throws IOException {
    var content = new TreeMap<String, List<Byte>>();
    try (Stream<Path> files = Files.list(run)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        var bytes = new ArrayList<Byte>();
        for (byte b : Files.readAllBytes(file)) {
          bytes.add(b);
        }
        content.put(file.getFileName().toString(), bytes);
      }
    }
    return content;
  }

  /// A report may be written anew, and other files may lie in the folder of a run.
  @Test
  void whatARunDoesNotNeedMayBeWritten() {
    for (String file : List.of("report.html", "other.html")) {
      Cli cli = Cli.run("report", at("run"), "--out", at("run/" + file));
      assertEquals(Exit.DONE, cli.code(), cli.err());
    }
  }

  /// Nothing is written; RUN and WEIGHTS stand for those that there are.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          export                                              | 2 | RUN or WEIGHTS
          export RUN                                          | 2 | FILE
          export RUN OUT.bin                                  | 2 | --to safetensors, pt or onnx
          export RUN OUT.onnx --model resnet8                 | 2 | a run knows its own
          export WEIGHTS OUT.onnx                             | 2 | give --model
          export WEIGHTS OUT.pt --classes 3                   | 2 | are of --model
          export WEIGHTS OUT.onnx --model resnet8             | 3 | conv1.weight
          export WEIGHTS OUT.onnx --model resnet8 --classes 0 | 2 | at least 1
          export WEIGHTS OUT.onnx --model resnet9             | 2 | 6n+2
          export OWN OUT.onnx --model resnet14                | 2 | the file says resnet8, but --model resnet14 was given
          export OWN OUT.onnx --width 8                       | 2 | the file says 4, but --width 8 was given
          export OWN OUT.onnx --norm layer                    | 2 | the file says BATCH, but --norm LAYER was given
          export OWN OUT.onnx --input 3x8x8                   | 2 | the file says 1×8×8, but --input 3×8×8 was given
          export OWN OUT.onnx --classes 3                     | 2 | the file says 10, but --classes 3 was given
          export OWN OUT.onnx --classes a,b                   | 2 | but --classes 'a', 'b' (2) was given
          export RUN OUT.onnx --mean 0.5 --std 0.5            | 2 | a run knows its own
          export OWN OUT.onnx --mean 0.5 --std 0.5            | 2 | leave out --mean and --std
          export WEIGHTS OUT.pt --mean 0.5 --std 0.5          | 2 | are of --model
          export WEIGHTS OUT.onnx --model resnet8 --width 4 --input 1x8x8 --classes a,b | 3 | linear
          export ./none OUT.onnx                              | 3 | no such run or file
          export RUN ./none/OUT.onnx                          | 3 | no folder
          """)
  void whatIsWrongIsSaidAndHasItsCode(String args, int code, String says) {
    String[] words = args.strip().split(" +");
    for (int i = 0; i < words.length; i++) {
      words[i] =
          switch (words[i]) {
            case "RUN" -> at("run");
            case "WEIGHTS" -> at("bare.safetensors");
            case "OWN" -> at("run/best.safetensors");
            default -> words[i].startsWith("OUT") ? at(words[i]) : words[i];
          };
    }
    Cli cli = Cli.run(words);
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says.strip()), cli.err());
    assertFalse(Files.exists(folder.resolve("OUT.onnx")) || Files.exists(folder.resolve("OUT.pt")));
  }

  @Test
  void aNetForTextIsExportedFromItsRunAndFromItsWeights() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "the rain in spain stays mainly in the plain. ".repeat(200));
    Cli trained =
        Cli.run(
            "train",
            "ln-lstm",
            "--data",
            "text:" + text,
            "--hidden",
            "8",
            "--epochs",
            "1",
            "--out",
            at("text"),
            "--json");
    assertEquals(Exit.DONE, trained.code(), trained.err());
    JsonNode answer = export(at("text"), at("text.safetensors"));
    assertTrue(answer.path("metadata").path("fathom.classes").asString().contains("\"s\""));
    Cli asked = Cli.run("predict", at("text.safetensors"), at("run"));
    assertEquals(Exit.USAGE, asked.code(), asked.err());
    assertTrue(asked.err().contains("ln-lstm, which was trained on text"), asked.err());
    JsonNode model = export(at("text"), at("text.onnx"));
    assertEquals(17, model.path("opset").asInt());
    assertEquals("ln-lstm", model.path("model").asString());
    assertTrue(model.path("metadata").path("fathom.classes").asString().contains("\"s\""));
    export(at("text.safetensors"), at("again.onnx"));
    byte[] bytes = Files.readAllBytes(folder.resolve("text.onnx"));
    assertArrayEquals(bytes, Files.readAllBytes(folder.resolve("again.onnx")));
    var names = new String(bytes, StandardCharsets.ISO_8859_1);
    assertTrue(names.contains("next_state") && names.contains("body.1.gain_h"), "its ports");
    Cli told = Cli.run("export", at("text"), at("text.onnx"));
    assertTrue(told.out().contains("ln-lstm as onnx of opset 17"), told.out());
    assertTrue(told.out().contains("state, 4 x N x 8, in"), told.out());

    for (String[] args :
        new String[][] {
          {at("text"), at("no.onnx"), "--with-preprocessing", "reads text"},
          {at("text.safetensors"), at("no.onnx"), "--input", "1x8x8", "classifies images"},
          {at("text.safetensors"), at("no.onnx"), "--hidden", "9", "the file says 8"}
        }) {
      var given = new ArrayList<>(List.of("export"));
      given.addAll(List.of(args).subList(0, args.length - 1));
      Cli refused = Cli.run(given.toArray(new String[0]));
      assertEquals(Exit.USAGE, refused.code(), refused.err());
      assertTrue(refused.err().contains(args[args.length - 1]), refused.err());
      assertFalse(Files.exists(folder.resolve("no.onnx")));
    }
  }

  /// The model takes bytes, and says so; only a model has operations.
  @Test
  void preprocessingCanBeInsideTheModel() throws IOException {
    JsonNode plain = export(at("run"), at("plain.onnx"));
    JsonNode model = export(at("run"), at("bytes.onnx"), "--with-preprocessing");
    assertEquals(
        plain.path("metadata").path("fathom.mean"), model.path("metadata").path("fathom.mean"));
    String steps = model.path("metadata").path("fathom.preprocessing").asString();
    assertTrue(steps.contains("bytes; the model normalises") && !steps.contains("/ std"), steps);
    byte[] bytes = Files.readAllBytes(folder.resolve("bytes.onnx"));
    var names = new String(bytes, StandardCharsets.ISO_8859_1);
    assertTrue(names.contains("probabilities") && names.contains("Softmax"));
    for (String form : List.of("pt", "safetensors")) {
      Cli refused = Cli.run("export", at("run"), at("no." + form), "--with-preprocessing");
      assertEquals(Exit.USAGE, refused.code(), refused.err());
      assertTrue(refused.err().contains(form + " has weights alone"), refused.err());
    }
    Cli unknown =
        Cli.run(
            "export",
            at("bare.safetensors"),
            at("no.onnx"),
            "--with-preprocessing",
            "--model",
            "resnet8",
            "--width",
            "4",
            "--input",
            "1x8x8");
    assertEquals(Exit.USAGE, unknown.code(), unknown.err());
    assertTrue(unknown.err().contains("normalised by"), unknown.err());
    assertFalse(Files.exists(folder.resolve("no.onnx")));
  }

  /// From the weights, and for images of any size; what no net for masks has is refused.
  @Test
  void aNetForMasksIsExportedFromItsWeights() throws IOException {
    var net = Architecture.masks("masknet", new Architecture.Options(null, null, 4, null, 1));
    var card =
        new ModelCard(
            "masknet",
            net.options(),
            net.input(),
            null,
            List.of("ground", "square"),
            Normalization.of(new float[] {0.5f, 0.5f, 0.5f}, new float[] {1, 1, 1}),
            null);
    try (var _ = Scope.open()) {
      Weights.write(folder.resolve("masks.safetensors"), net.build(Init.he(1)), card.metadata());
    }
    JsonNode answer = export(at("masks.safetensors"), at("masks.onnx"), "--with-preprocessing");
    assertEquals("masknet", answer.path("model").asString());
    String steps = answer.path("metadata").path("fathom.preprocessing").asString();
    assertTrue(steps.contains("\"repeatEdgeToMultipleOf\":2"), steps);
    Cli refused = Cli.run("export", at("masks.safetensors"), at("no.onnx"), "--input", "3x8x8");
    assertEquals(Exit.USAGE, refused.code(), refused.err());
    Cli other = Cli.run("export", at("masks.safetensors"), at("no.onnx"), "--model", "resnet8");
    assertTrue(other.err().contains("the file says masknet, but --model resnet8"), other.err());
    assertFalse(Files.exists(folder.resolve("no.onnx")));
  }

  @Test
  void weightNormIsMultipliedOut() throws IOException {
    Cli trained =
        Cli.run(
            "train",
            "resnet8",
            "--data",
            "digits",
            "--width",
            "4",
            "--epochs",
            "1",
            "--norm",
            "weight",
            "--out",
            at("weight"),
            "--json");
    assertEquals(Exit.DONE, trained.code(), trained.err());
    export(at("weight"), at("weight.onnx"));
    byte[] bytes = Files.readAllBytes(folder.resolve("weight.onnx"));
    var names = new String(bytes, StandardCharsets.ISO_8859_1);
    assertTrue(names.contains("conv1.weight") && !names.contains("weight_v"), "plain weights");
  }
}
