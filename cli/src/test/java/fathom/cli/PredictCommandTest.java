package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.nn.Init;
import fathom.run.Run;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// One small net that has learned the digits, asked by file and by data set.
class PredictCommandTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void train() throws IOException {
    Cli cli =
        Cli.run(
            "train",
            "resnet8",
            "--data",
            "digits",
            "--width",
            "8",
            "--epochs",
            "4",
            "--out",
            run());
    assertEquals(Exit.DONE, cli.code(), cli.err());
    Images digits = DataSet.open("digits").test().images();
    Files.createDirectories(folder.resolve("digits"));
    for (int i = 0; i < digits.count(); i++) {
      write(digits, i, 1, folder.resolve("digits").resolve((1000 + i) + ".png"));
    }
    write(digits, 0, 9, folder.resolve("large.png"));
    Files.createDirectories(folder.resolve("mixed"));
    write(digits, 1, 3, folder.resolve("mixed").resolve("one.png"));
    Files.writeString(folder.resolve("mixed").resolve("notes.jpg"), "no image");
    Files.writeString(folder.resolve("mixed").resolve(".hidden"), "nor this");
    Files.createDirectories(folder.resolve("empty"));
    Run trained = Run.open(folder.resolve("run"));
    try (var _ = Scope.open()) { // as from elsewhere: nothing is said of the net
      Layer net = trained.imageNet(Init.zeros());
      Weights.read(trained.checkpoint(), net);
      Weights.write(folder.resolve("bare.safetensors"), net, Map.of());
    }
    for (String other : List.of("net.pth", "net.onnx", "net.keras")) {
      Files.writeString(folder.resolve(other), "a file that is not ours");
    }
  }

  private static String run() {
    return folder.resolve("run").toString();
  }

  /// A digit, each pixel a square of this many.
  private static void write(Images images, int i, int scale, Path file) throws IOException {
    int side = images.width() * scale;
    var image = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        int at = i * images.size() + y / scale * images.width() + x / scale;
        image.getRaster().setSample(x, y, 0, images.pixels()[at] & 0xff);
      }
    }
    ImageIO.write(image, "png", file.toFile());
  }

  private static JsonNode predict(String... more) {
    var args = new ArrayList<>(List.of("predict", run(), "--json"));
    args.addAll(List.of(more));
    Cli cli = Cli.run(args.toArray(String[]::new));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json();
  }

  /// What it says of the files is what `eval` says of the same images as a data set.
  @Test
  void itErrsAsOftenAsEvalSays() {
    int[] labels = DataSet.open("digits").test().labels();
    JsonNode predictions =
        predict(folder.resolve("digits").toString(), "--top", "10").path("predictions");
    assertEquals(labels.length, predictions.size());
    long[][] confusion = new long[10][10];
    for (int i = 0; i < labels.length; i++) {
      JsonNode top = predictions.path(i).path("top");
      double sum = 0;
      double before = 1;
      for (JsonNode prediction : top) {
        double p = prediction.path("probability").asDouble();
        assertTrue(p <= before, "the likeliest first: " + top);
        before = p;
        sum += p;
      }
      assertEquals(1, sum, 1e-5);
      confusion[labels[i]][top.path(0).path("class").asString().charAt(0) - '0']++;
    }
    JsonNode eval = Cli.run("eval", run(), "--json").json();
    int errors = 0;
    for (int truth = 0; truth < 10; truth++) {
      for (int prediction = 0; prediction < 10; prediction++) {
        assertEquals(
            confusion[truth][prediction],
            eval.path("confusion").path(truth).path(prediction).asLong());
        errors += truth == prediction ? 0 : (int) confusion[truth][prediction];
      }
      JsonNode of = eval.path("classes").path(truth);
      assertEquals(of.path("count").asInt() - confusion[truth][truth], of.path("errors").asInt());
    }
    assertEquals(eval.path("error").asDouble(), 100.0 * errors / labels.length, 1e-9);
    assertTrue(errors > 0, "all right shows nothing; train less");
    double low = eval.path("interval").path("low").asDouble();
    double high = eval.path("interval").path("high").asDouble();
    assertTrue(low < eval.path("error").asDouble() && eval.path("error").asDouble() < high);
  }

  @Test
  void theBestEpochIsAskedByName() throws IOException {
    String file = folder.resolve("digits").resolve("1000.png").toString();
    Path best = folder.resolve("run").resolve("best.safetensors");
    Path kept = folder.resolve("kept.safetensors");
    double last = Cli.run("eval", run(), "--json").json().path("crossEntropy").asDouble();
    Files.move(best, kept);
    for (String[] call :
        new String[][] {
          {"eval", run(), "--best"},
          {"predict", run(), file, "--best"},
          {"export", run(), folder.resolve("best.onnx").toString(), "--best"}
        }) {
      Cli missing = Cli.run(call);
      assertEquals(Exit.BAD_FILE, missing.code(), call[0]);
      assertTrue(missing.err().contains("no weights of a best epoch"), missing.err());
    }
    // Weights of another training in its place: they are what is measured.
    String other = folder.resolve("other").toString();
    Cli.run(
        "train", "resnet8", "--data", "digits", "--width", "8", "--epochs", "1", "--out", other);
    Files.copy(folder.resolve("other").resolve("checkpoint.safetensors"), best);
    double asked =
        Cli.run("eval", run(), "--best", "--json").json().path("crossEntropy").asDouble();
    assertEquals(
        Cli.run("eval", other, "--json").json().path("crossEntropy").asDouble(), asked, 1e-6);
    assertTrue(Math.abs(asked - last) > 0.01, asked + " and " + last);
    Files.move(kept, best, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Cli refused = Cli.run("predict", best.toString(), file, "--best", "--model", "resnet8");
    assertEquals(Exit.USAGE, refused.code());
    assertTrue(refused.err().contains("--best is for a run"), refused.err());
  }

  @Test
  void imagesOfAnySizeAndFoldersWithOtherFiles() {
    JsonNode small = predict(folder.resolve("digits").resolve("1000.png").toString());
    JsonNode large = predict(folder.resolve("large.png").toString());
    assertEquals(
        small.path("predictions").path(0).path("top").path(0).path("class").asString(),
        large.path("predictions").path(0).path("top").path(0).path("class").asString());
    JsonNode mixed = predict(folder.resolve("mixed").toString());
    assertEquals(1, mixed.path("predictions").size());
    assertEquals(1, mixed.path("skipped").size());
    assertTrue(mixed.path("skipped").path(0).path("file").asString().endsWith("notes.jpg"));
  }

  /// What is an image in a folder is the same for every command.
  @Test
  void linksAreFollowedAndHiddenFoldersAreNot() throws IOException {
    Path tree = Files.createDirectories(folder.resolve("tree/real/.ipynb_checkpoints")).getParent();
    Path digit = folder.resolve("digits/1000.png");
    Files.copy(digit, tree.resolve("0.png"));
    Files.copy(digit, tree.resolve(".ipynb_checkpoints/0.png"));
    Files.writeString(tree.resolve("0.txt"), "a caption");
    Path above = folder.resolve("tree");
    Files.createSymbolicLink(above.resolve("linked"), tree);
    Files.createSymbolicLink(tree.resolve("back"), above);
    Files.createSymbolicLink(above.resolve("gone.png"), above.resolve("nothing"));
    Files.createSymbolicLink(folder.resolve("tree-link"), above);
    Cli cli = Cli.run("predict", run(), folder.resolve("tree-link").toString(), "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals(2, cli.json().path("predictions").size(), cli.out());
    assertEquals(0, cli.json().path("skipped").size(), cli.out());
    assertTrue(cli.err().contains("gone.png: this link leads nowhere"), cli.err());
    assertTrue(cli.err().contains("linked/back: this link leads back"), cli.err());
  }

  /// An export says what its weights need.
  @Test
  void weightsPredictWhatTheRunDoes() {
    String weights = folder.resolve("weights.safetensors").toString();
    assertEquals(Exit.DONE, Cli.run("export", run(), weights).code());
    String image = folder.resolve("digits").resolve("1007.png").toString();
    for (String[] said :
        new String[][] {
          {},
          {"--model", "resnet8", "--width", "8"}, // what the file says too
          {"--classes", "0,1,2,3,4,5,6,7,8,9", "--input", "1x8x8"}
        }) {
      var call = new ArrayList<>(List.of("predict", weights, image, "--json"));
      call.addAll(List.of(said));
      Cli cli = Cli.run(call.toArray(String[]::new));
      assertEquals(Exit.DONE, cli.code(), cli.err());
      assertEquals(predict(image).path("predictions"), cli.json().path("predictions"));
    }
    String best = folder.resolve("run").resolve("best.safetensors").toString();
    assertEquals(
        predict(image, "--best").path("predictions"),
        Cli.run("predict", best, image, "--json").json().path("predictions"));
  }

  @Test
  void theTextNamesImageClassAndProbability() {
    Cli cli = Cli.run("predict", run(), folder.resolve("large.png").toString());
    assertTrue(cli.out().contains("large.png") && cli.out().contains(" %"), cli.out());
    String eval = Cli.run("eval", run()).out();
    assertTrue(eval.contains("95 % interval") && eval.contains("error in %"), eval);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          predict                                 | 2 | RUN or WEIGHTS
          predict RUN                             | 2 | FILE
          predict RUN large.png --top 0           | 2 | at least 1
          predict RUN large.png --model resnet8   | 2 | a run knows its own
          predict RUN none.png                    | 3 | none.png
          predict RUN mixed/notes.jpg             | 3 | must be a JPEG
          predict RUN large.png mixed/notes.jpg   | 3 | notes.jpg
          predict RUN empty                       | 3 | no image
          predict none large.png                  | 3 | no such run
          predict BARE large.png                  | 2 | --model
          predict BARE large.png --model resnet8 --width 8 --input 1x8x8 | 2 | --mean and --std
          predict WEIGHTS large.png --model mlp   | 2 | the file says resnet8, but --model mlp was given
          predict WEIGHTS large.png --width 16    | 2 | the file says 8, but --width 16 was given
          predict WEIGHTS large.png --input 1x9x9 | 2 | the file says 1×8×8, but --input 1×9×9 was given
          predict WEIGHTS large.png --classes a,b | 2 | the file says '0', '1', '2', '3', '4' (10
          predict WEIGHTS large.png --mean 0.5 --std 1 | 2 | leave out --mean and --std
          eval WEIGHTS --data digits --size 8     | 2 | the file says 0, but --size 8 was given
          predict net.pth large.png               | 3 | by its name, but not by its content
          eval net.pth --data digits              | 3 | by its name, but not by its content
          predict net.onnx large.png              | 3 | no ONNX model, or damaged
          eval net.keras                          | 3 | keras.models.load_model(
          """)
  void whatIsWrongIsSaid(String line, int code, String says) {
    String[] words = line.strip().split(" +");
    for (int i = 1; i < words.length; i++) {
      words[i] =
          switch (words[i]) {
            case "RUN" -> run();
            case "WEIGHTS" -> folder.resolve("run").resolve("checkpoint.safetensors").toString();
            case "BARE" -> folder.resolve("bare.safetensors").toString();
            default ->
                words[i].matches(".*[a-z]\\.[a-z]+") || List.of("empty", "none").contains(words[i])
                    ? folder.resolve(words[i]).toString()
                    : words[i];
          };
    }
    Cli cli = Cli.run(words);
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says.strip()), cli.err());
  }

  @Test
  void theDoctorFindsNothingHere() {
    Cli cli = Cli.run("doctor", "--json");
    assertEquals(Exit.DONE, cli.code(), cli.out());
    for (String field : "jdk libtorch cores simd bf16 memory devices problems".split(" ")) {
      assertTrue(cli.json().has(field), field);
    }
    assertTrue(Cli.run("doctor").out().contains("libtorch 2."));
  }

  /// A JVM for a machine for which there are no natives.
  @Test
  void theDoctorExplainsAMissingLibrary() throws Exception {
    Process java =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.bytedeco.javacpp.platform=linux-none",
                "-cp",
                System.getProperty("java.class.path"),
                "fathom.cli.Main",
                "doctor",
                "--json")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(Exit.NATIVE, java.waitFor(), out);
    assertTrue(out.contains("libtorch cannot be loaded"), out);
    assertTrue(out.contains("--add-modules jdk.incubator.vector"), out);
  }

  @Test
  void configuredOptionsReachIt() {
    Cli cli =
        Cli.run(
            Map.of("FATHOM_PREDICT_TOP", "1", "XDG_CONFIG_HOME", "./none"),
            "predict",
            run(),
            "--json",
            folder.resolve("large.png").toString());
    assertEquals(1, cli.json().path("predictions").path(0).path("top").size());
  }
}
