package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  /// With what the file says of the pictures, its weights do what the run's do.
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
          export ./none OUT.onnx                              | 3 | no such run or file
          export RUN ./none/OUT.onnx                          | 3 | no folder
          """)
  void whatIsWrongIsSaidAndHasItsCode(String args, int code, String says) {
    String[] words = args.strip().split(" +");
    for (int i = 0; i < words.length; i++) {
      words[i] =
          switch (words[i]) {
            case "RUN" -> at("run");
            case "WEIGHTS" -> at("run/checkpoint.safetensors");
            default -> words[i].startsWith("OUT") ? at(words[i]) : words[i];
          };
    }
    Cli cli = Cli.run(words);
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says.strip()), cli.err());
    assertFalse(Files.exists(folder.resolve("OUT.onnx")) || Files.exists(folder.resolve("OUT.pt")));
  }

  @Test
  void aNetForTextHasWeightsButNoModel() throws IOException {
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
    Cli refused = Cli.run("export", at("text"), at("text.onnx"));
    assertEquals(Exit.USAGE, refused.code(), refused.err());
    assertTrue(refused.err().contains("ln-lstm reads text"), refused.err());
  }

  @Test
  void aLayerWithoutAFormIsNamed() {
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
            "group",
            "--out",
            at("group"),
            "--json");
    assertEquals(Exit.DONE, trained.code(), trained.err());
    Cli refused = Cli.run("export", at("group"), at("group.onnx"));
    assertEquals(Exit.USAGE, refused.code(), refused.err());
    assertTrue(refused.err().contains("\"bn1\" is GroupNorm"), refused.err());
  }
}
