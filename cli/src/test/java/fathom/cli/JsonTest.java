package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// What `--json` prints says something everywhere: no value is an empty object, which is what a
/// type without a form of its own would become.
class JsonTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void train() throws IOException {
    Files.writeString(at("book.txt"), "the rain in spain stays mainly in the plain. ".repeat(200));
    said("train resnet8 --data digits --width 4 --epochs 1 --out RUN");
    said("train ln-lstm --data text:BOOK --hidden 8 --epochs 1 --out TEXT");
    Cli sheet = Cli.run("data", "info", "digits", "--sheet", at("image.png").toString());
    assertEquals(Exit.DONE, sheet.code(), sheet.err());
  }

  private static Path at(String name) {
    return folder.resolve(name);
  }

  private static JsonNode said(String line) {
    var words = new ArrayList<String>();
    for (String word : List.of(line.split(" "))) {
      words.add(
          switch (word) {
            case "RUN" -> at("run").toString();
            case "TEXT" -> at("text").toString();
            case "text:BOOK" -> "text:" + at("book.txt");
            case "IMAGE" -> at("image.png").toString();
            default -> word.startsWith("OUT") ? at(word).toString() : word;
          });
    }
    words.add("--json");
    Cli cli = Cli.run(words.toArray(String[]::new));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json();
  }

  private static void check(String path, JsonNode node) {
    assertTrue(!node.isObject() || !node.isEmpty(), path + " is {}");
    if (node.isObject()) {
      node.propertyNames().forEach(name -> check(path + "." + name, node.path(name)));
    } else {
      for (int i = 0; i < node.size(); i++) {
        check(path + "[" + i + "]", node.path(i));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "models",
        "models resnet20",
        "models mlp",
        "models lstm --input 1x8x8",
        "models ln-lstm",
        "models transformer",
        "train resnet8 --data digits --width 4 --epochs 1 --val 50 --out OUT1",
        "train resnet8 --data digits --width 4 --dry-run",
        "train ln-lstm --data text:BOOK --hidden 8 --dry-run",
        "eval RUN",
        "eval TEXT",
        "predict RUN IMAGE",
        "sample TEXT --length 5",
        "export RUN OUT.onnx",
        "export RUN OUT.safetensors",
        "report RUN",
        "report RUN TEXT --out OUT.html",
        "data list",
        "data info digits",
        "data info text:BOOK",
        "doctor",
        "lab",
        "lab deep-product --seeds 1 --out OUT2",
        "lab deep-product --seeds 1 --out OUT2 --charts OUT3"
      })
  void noValueIsAnEmptyObject(String line) {
    check(line, said(line));
  }

  @Test
  void aShapeIsItsSizes() { // of one image, with the dimension of the batch
    JsonNode layers = said("models resnet20").path("layers");
    assertEquals(
        "[1,16,32,32]", layers.path(1).path("value").toString(), layers.path(1).toString());
    assertEquals("[1,10]", layers.path(layers.size() - 1).path("value").toString());
    assertEquals(
        "[65,16]",
        said("models ln-lstm --hidden 16").path("parameters").path(0).path("shape").toString());
  }
}
