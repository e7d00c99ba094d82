package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.io.SafeTensors;
import fathom.nn.Init;
import fathom.run.Run;
import fathom.train.Weights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

class CommandsTest {
  @TempDir private Path folder;

  @Test
  void modelsListsTheParametersAndMultiplyAddsOfThePaper() {
    Cli cli = Cli.run("models", "--json");
    var byName = new HashMap<String, List<Double>>();
    cli.json()
        .path("models")
        .forEach(m ->
            byName.put(
                m.path("name").asString(),
                List.of(m.path("params").asDouble(), m.path("madds").asDouble() / 1e6)));
    Map<Integer, List<Double>> table =
        Map.of(
            20, List.of(269722.0, 40.55),
            32, List.of(464154.0, 68.86),
            44, List.of(658586.0, 97.17),
            56, List.of(853018.0, 125.49),
            110, List.of(1727962.0, 252.89),
            1202, List.of(19421274.0, 2829.24));
    assertEquals(Exit.DONE, cli.code());
    table.forEach((depth, expected) -> {
      for (String family : List.of("resnet", "plain")) {
        List<Double> found = byName.getOrDefault(family + depth, List.of(0.0, 0.0));
        assertEquals(expected.get(0), found.get(0), family + depth);
        assertEquals(expected.get(1), found.get(1), 0.01, family + depth);
      }
    });
  }

  @Test
  void modelsListsTheNetsForPhotos() {
    var byName = new HashMap<String, Long>();
    Cli.run("models", "--json", "--shortcut", "none")
        .json()
        .path("models")
        .forEach(m -> byName.put(m.path("name").asString(), m.path("params").asLong()));
    assertEquals(25557032, byName.get("resnet50"), "none means nothing to a bottleneck");
    assertEquals(60192808, byName.get("resnet152"));
    assertEquals(11515688, byName.get("plain18"));
    Cli tree = Cli.run("models", "resnet50");
    assertTrue(tree.out().contains("1×2048×7×7"), tree.out());
    assertTrue(tree.out().contains("25,557,032"), tree.out());
    assertTrue(tree.out().contains("4,089.18 M"), tree.out());
  }

  @Test
  void modelsShowsATreeWithShapes() {
    Cli cli = Cli.run("models", "resnet20", "--input", "1x8x8");
    assertEquals(Exit.DONE, cli.code());
    assertTrue(cli.out().contains("1×64×2×2"), cli.out());
    assertTrue(cli.out().contains("269,434"), "one input channel saves 288 weights:\n" + cli.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          models resnet21                                        | 2 | depth 6n+2, but 21
          models vgg16                                           | 2 | no model "vgg16"
          models resnet50 --shortcut none                        | 2 | plain34
          train plain18 --data digits --shortcut B               | 2 | no shortcuts
          train resnet18 --data digits --recipe he2015-cifar            | 2 | N = 6n+2
          models --input 3x32                                    | 2 | channels x height x width
          modles                                                 | 2 | models
          train                                                  | 2 | Missing: --data
          train resnet20                                         | 2 | Missing: --data
          train --data digits                                    | 2 | Missing: MODEL
          train resnet20 --data digist                           | 2 | digits
          train resnet20 --data digits --batch 0                 | 2 | at least 1
          train resnet20 --data digits --batch 2000              | 2 | 1437
          train resnet20 --data digits --lr -1                   | 2 | --lr is a positive learning rate, but is -1.0
          train resnet20 --data digits --lr nan                  | 2 | is no number
          train resnet20 --data digits --lr 1e400                | 2 | but is Infinity
          train resnet20 --data digits --epochs many             | 2 | option '--epochs'
          train resnet20 --data digits --epochs 0                | 2 | --epochs is at least 1, but is 0
          train resnet20 --data digits --epochs 99999999999      | 2 | too many digits
          train resnet20 --data digits --batch 1.5               | 2 | is no whole number
          train resnet20 --data digits --seed text               | 2 | is no whole number
          train resnet20 --data digits --width 0                 | 2 | --width is at least 1
          train resnet20 --data digits --width 2000000           | 2 | at most 1048576, but is 2000000
          train resnet20 --data digits --width 1000000           | 4 | takes 36000.0 GB
          train mlp --data digits --hidden 1000000               | 4 | takes 4000.0 GB
          train mlp --data digits --layers 2147483647            | 2 | --layers is at least 1 and at most
          train resnet999998 --data digits                       | 2 | at most 12002
          train resnet20 --data digits --workers 0               | 2 | --workers is at least 1
          train resnet20 --data digits --workers 10000           | 2 | but is 10000
          train resnet20 --data digits --recompute -3            | 2 | is "-3"
          train resnet20 --data digits --val 1437                | 2 | 1 to 1436 can be kept
          train resnet20 --data digits --val -1                  | 2 | --val is 0 or more images, but is -1
          train resnet20 --data digits --label-smoothing 1       | 2 | less than 1
          train mlp --data digits --mixup -1                     | 2 | --mixup is the α
          train mlp --data digits --cutmix x                     | 2 | --cutmix
          train mlp --data digits --randaugment 0                | 2 | at least 1
          train mlp --data digits --randaugment 2,31             | 2 | 0 to 30
          train mlp --data digits --randaugment 2x               | 2 | but is "2x"
          train mlp --data digits --randaugment --trivialaugment | 2 | leave one out
          train mlp --data digits --erase 2                      | 2 | --erase is a probability
          train mlp --data digits --ema 1                        | 2 | --ema is 0 or more
          train mlp --data digits --warm-up -1                   | 2 | --warm-up is 0 to all of the epochs, but is -1.0
          train mlp --data digits --epochs 2 --warm-up 2.5       | 2 | but is 2.5
          train mlp --data digits --schedule one-cycle --warm-up 1 | 2 | a warm-up of its own
          train --resume runs/x --warm-up 1                      | 2 | leave out --warm-up
          train --resume runs/x --mixup 0.2                      | 2 | leave out --mixup
          data info digits --mixup 1                             | 2 | give --sheet
          train resnet20 --data digits --weight-decay -1         | 2 | --weight-decay is 0 or more, but is -1.0
          train resnet20 --data digits --out /dev/null           | 3 | this is a file
          train resnet20 --data digits --out=                    | 2 | the path is empty
          train --resume=                                        | 2 | the path is empty
          train mlp --data digits --data-changed                 | 2 | is for --resume
          train mlp --data digits --freeze-until linear          | 2 | give --weights or leave it out
          train mlp --data digits --layer-decay 0.5              | 2 | give --weights or leave it out
          train mlp --data digits --new-head drawn               | 2 | give --weights or leave it out
          train mlp --data digits --recipe finetune              | 2 | give --weights
          train mlp --data digits --early-stop 3                 | 2 | keep some images for it with --val
          train mlp --data digits --early-stop soon              | 2 | is no number of epochs
          train mlp --data digits --early-stop -3                | 2 | 0 or more evaluations
          train mlp --data digits --class-weights 1,2            | 2 | 10 classes and 2 weights
          train mlp --data digits --class-weights ./no-such-file | 3 | no-such-file
          train mlp --data digits --class-weights balanced --balanced-sampling | 2 | leave out one
          train --resume runs/x --balanced-sampling              | 2 | leave out --balanced-sampling
          train --resume runs/x --find-lr                        | 2 | leave out --find-lr
          train mlp --data digits --weights ./no-such-file       | 3 | there is no such file
          train --resume runs/x --weights y                      | 2 | leave out --weights
          train --resume runs/x --linear-probe 3                 | 2 | leave out --linear-probe
          train mlp --data digits --decoders -1                  | 2 | --decoders is -1
          train --resume runs/x --decoders -1                    | 2 | --decoders is -1
          train plain20 --data digits --shortcut B               | 2 | no shortcuts
          train resnet20 --data ./no-such-folder                 | 3 | no-such-folder
          train mlp --data digits --device cuda                  | 4 | computes on the processor, but --device is cuda
          eval runs/x --device cuda                              | 4 | computes on the processor
          predict runs/x a.png --device cuda                     | 4 | computes on the processor
          train mlp --data digits --device tpu                   | 2 | is none of cpu, cuda
          train --resume ./no-such-run                           | 3 | no run
          train resnet20 --resume runs/x                         | 2 | leave out MODEL
          train --resume runs/x --lr 0.5                         | 2 | leave out --lr
          train --resume runs/x --dry-run                        | 2 | for a new training
          train transformer --data digits                        | 2 | transformer learns text
          train lsmt --data digits                               | 2 | did you mean lstm?
          train resnet20 --data digits --hidden 8                | 2 | --hidden means nothing to resnet20
          train lstm --data digits --norm layer                  | 2 | --norm means nothing to lstm
          train mlp --data digits --recipe he2015-cifar                 | 2 | leave out --recipe
          train mlp --data digits --norm instance                | 2 | layer norm
          train mlp --data digits --norm batch --batch 1         | 2 | over a single value: a batch has 1 image
          train mlp --data digits --norm batch --batch 4         | 2 | of 1437 images in batches of 4
          train ln-gru --data digits --hidden 1                  | 2 | give a larger --hidden
          models transformer --dropout 0.5                       | 2 | --dropout means nothing to transformer
          models resnet20 --input 3x9999x9999                    | 2 | at most 4194304 values
          bench norms                                            | 2 | none of train, text, norm, rnn
          bench train norms                                      | 2 | none of train, text, norm, rnn
          train mlp --data digits --dropout 1                    | 2 | less than 1
          train lstm --data digits --window 5                    | 2 | --window is for text
          train lstm --data digits --clip -1                     | 2 | --clip
          train resnet20 --data digits --recompute many          | 2 | 0 or auto
          train mlp --data digits --recompute 2                  | 2 | mlp has none
          train mlp --data digits --recompute auto               | 2 | mlp has none
          train mlp --data digits --precision bf16               | 2 | the model is mlp
          train resnet20 --data digits --precision fp16          | 2 | is none of fp32, bf16
          train resnet20 --data digits --norm bach               | 2 | none of batch, layer, anchored, position, rms
          train resnet20 --data digits --schedule one_cycle      | 2 | none of steps, cosine, one-cycle
          train resnet20 --data digits --watch gradient          | 2 | none of gradients, responses
          train --resume runs/x --precision bf16                 | 2 | leave out --precision
          train lstm --data text:                                | 2 | text:FILE
          train lstm --data text:./no-such-text                  | 3 | no such file
          sample                                                 | 2 | RUN
          sample ./no-such-run                                   | 3 | no run
          eval                                                   | 2 | RUN
          eval ./no-such-file                                    | 3 | no such run or file
          report ./no-such-run                                   | 3 | no run
          bench train --batch 0                                  | 2 | at least 1
          bench train --batch 2147483647                         | 2 | at most 100000
          bench train --workers 10000                            | 2 | but is 10000
          bench norm --against ./no-such-file                    | 3 | no-such-file
          models resnet20 --input 3x0x0                          | 2 | each of 1 to 9999
          data get mnits                                         | 2 | did you mean mnist?
          data get cifar100 --into /dev/null/x                   | 3 | cannot be made
          bench memory --model mlp                               | 2 | no model "mlp"
          bench train --precision half                           | 2 | --precision
          bench memory --recompute half                          | 2 | 0 or auto
          lab degradatoin                                        | 2 | did you mean degradation?
          lab nothing-of-the-kind                                | 2 | lists them
          lab --all --quick --full                               | 2 | two sizes
          lab --all spectrum                                     | 2 | leave out the names
          lab spectrum --seeds 0                                 | 2 | --seeds
          """)
  void whatIsWrongIsSaidAndHasItsCode(String args, int code, String says) {
    Cli cli = Cli.run(args.strip().split(" +"));
    assertAll(
        () -> assertEquals(code, cli.code(), cli.err()),
        () -> assertTrue(cli.err().contains(says.strip()), cli.err()),
        () -> assertFalse(cli.err().contains("\tat "), "a stack trace:\n" + cli.err()),
        () -> assertEquals("", cli.out()));
  }

  /// Of the digits all but a few are kept from training: a batch of the recipe has more.
  @ParameterizedTest
  @CsvSource({
    "resnet8 --width 4, 64",
    "mlp, 128",
    "gru --hidden 8, 128",
    "plain8 --recipe he2015-cifar, 128"
  })
  void theUsualBatchFitsWhatThereIsAndSaysSo(String model, int usual) {
    String args = "train %s --data digits --val 1420 --epochs 1 --dry-run --json".formatted(model);
    Cli cli = Cli.run(args.split(" "));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals(17, cli.json().path("batch").asInt());
    String says = "there are 17 images to train with: batches of 17, not " + usual;
    assertTrue(cli.err().contains(says), cli.err());
    Cli given = Cli.run((args + " --batch 64").split(" "));
    assertEquals(Exit.USAGE, given.code(), given.err());
    assertTrue(given.err().contains("a batch of 64 images needs"), given.err());
    Cli fits = Cli.run((args + " --batch 8 --quiet").split(" "));
    assertEquals(8, fits.json().path("batch").asInt());
    assertEquals("", fits.err(), "nothing to say");
  }

  @Test
  void aShortTextHasFewerStreamsAndSaysSo(@TempDir Path dir) throws IOException {
    Path text = Files.writeString(dir.resolve("short.txt"), "a few words ".repeat(10));
    Cli cli =
        Cli.run(
            "train lstm --hidden 4 --epochs 1 --dry-run --json --data text:%s"
                .formatted(text)
                .split(" "));
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals(1, cli.json().path("batch").asInt());
    assertEquals(100, cli.json().path("window").asInt());
    String says = "there are 108 characters to train with: 1 stream in windows of 100, not 32";
    assertTrue(cli.err().contains(says), cli.err());
  }

  private Cli train(String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "resnet8",
                "--data",
                "digits",
                "--width",
                "4",
                "--epochs",
                "2",
                "--workers",
                "2",
                "--json"));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  @Test
  void aRunIsTrainedMeasuredReportedAndGoneOnWith() throws IOException {
    String run = folder.resolve("run").toString();
    Cli trained = train("--out", run);
    assertEquals(Exit.DONE, trained.code(), trained.err());
    var answer = trained.json();
    assertEquals(360, answer.path("count").asInt());
    assertEquals("resnet8", answer.path("model").asString());
    assertEquals("digits", answer.path("data").asString());
    double error = answer.path("error").asDouble();
    assertTrue(error < 60, "two epochs learn something: " + error);
    for (String file :
        List.of("run.json", "metrics.jsonl", "checkpoint.safetensors", "report.html")) {
      assertTrue(Files.size(folder.resolve("run").resolve(file)) > 0, file);
    }

    Cli evaluated = Cli.run("eval", run, "--json");
    assertEquals(error, evaluated.json().path("error").asDouble(), 1e-9);
    assertEquals(
        answer.path("crossEntropy").asDouble(),
        evaluated.json().path("crossEntropy").asDouble(),
        1e-5);

    Cli again = train("--out", run);
    assertEquals(Exit.BAD_FILE, again.code());
    assertTrue(again.err().contains("--resume"), again.err());

    Cli further = Cli.run("train", "--resume", run, "--epochs", "3", "--json");
    assertEquals(Exit.DONE, further.code(), further.err());
    long lines;
    try (var metrics = Files.lines(folder.resolve("run").resolve("metrics.jsonl"))) {
      lines = metrics.filter(line -> line.contains("\"kind\":\"epoch\"")).count();
    }
    assertEquals(3, lines, "an epoch has one line each");

    Cli report = Cli.run("report", run);
    assertEquals(Exit.DONE, report.code());
    assertTrue(report.out().contains("report.html"), report.out());
  }

  @Test
  void severalRunsAreComparedOnOnePage() throws IOException {
    String one = folder.resolve("one").toString();
    String two = folder.resolve("two").toString();
    assertEquals(Exit.DONE, train("--out", one, "--seed", "1").code());
    assertEquals(Exit.DONE, train("--out", two, "--seed", "2").code());
    Cli cli = Cli.run("report", one, two);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    String page = Files.readString(folder.resolve("comparison.html"));
    assertTrue(page.contains("Of 2 finished runs on images "), "the lead names the better one");
    String differs = page.substring(page.indexOf("What was decided before"));
    differs = differs.substring(0, differs.indexOf("</table>"));
    assertTrue(differs.contains(">one<") && differs.contains(">two<"), differs);
    assertTrue(differs.contains(">seed<") && !differs.contains(">model<"), differs);
    Path elsewhere = folder.resolve("same.html");
    assertEquals(Exit.DONE, Cli.run("report", one, one, "--out", elsewhere.toString()).code());
    String same = Files.readString(elsewhere);
    assertTrue(same.contains("one (2)") && same.contains("they ran the same"));
    assertEquals(Exit.BAD_FILE, Cli.run("report", one, folder.resolve("none").toString()).code());
    assertEquals(Exit.USAGE, Cli.run("report").code());
  }

  @Test
  void weightsOfAnotherModelAreRefusedByTheFirstTensorThatDiffers() {
    String run = folder.resolve("run").toString();
    assertEquals(Exit.DONE, train("--out", run).code());
    Path bare = folder.resolve("bare.safetensors"); // as from elsewhere: of no net that it names
    try (var _ = Scope.open()) {
      Weights.write(bare, Run.open(Path.of(run)).imageNet(Init.zeros()), Map.of());
    }
    Cli cli =
        Cli.run(
            "eval",
            bare.toString(),
            "--model",
            "resnet8",
            "--width",
            "8",
            "--data",
            "digits",
            "--mean",
            "0.5",
            "--std",
            "0.5");
    assertEquals(Exit.BAD_FILE, cli.code());
    assertTrue(cli.err().contains("conv1.weight"), cli.err());
    assertTrue(cli.err().contains("4×1×3×3") && cli.err().contains("8×1×3×3"), cli.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          0.5     | 0       | above 0, but is 0.0
          0.5     | -1      | above 0, but is -1.0
          0.5     | nan     | is no number
          0.5,0.5 | 0.5     | which are 1, but have 2 and 1
          0.5     |         | go together
          """)
  void aNormalizationIsChecked(String mean, @Nullable String standardDeviation, String says)
      throws IOException {
    Path image = folder.resolve("seven.png");
    Files.createFile(image);
    Path weights = folder.resolve("weights.safetensors");
    SafeTensors.write(weights, new LinkedHashMap<>(), Map.of());
    for (List<String> command :
        List.of(
            List.of("eval", weights.toString(), "--data", "digits"),
            List.of("predict", weights.toString(), image.toString(), "--input", "1x8x8"))) {
      var args = new ArrayList<>(command);
      args.addAll(List.of("--model", "resnet8", "--mean", mean));
      if (standardDeviation != null) {
        args.addAll(List.of("--std", standardDeviation));
      }
      assertRefused(Exit.USAGE, says, args.toArray(String[]::new));
    }
  }

  /// What stands in a checkpoint besides weights is only read when a training goes on.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "fathom.step":"[^"]*"             | "fathom.step":"-5"          | a number of 0 or more, but is "-5"
          "fathom.step":"[^"]*"             | "fathom.step":"nan"         | a number of 0 or more, but is "nan"
          "fathom.step":"[^"]*"             | "fathom.step":"7.5"         | counts steps, but is "7.5"
          "fathom.step":"[^"]*"             | "fathom.step":"1e300"       | counts steps, but is "1e300"
          "fathom.step":"[^"]*"             | "fathom.step":"1e9"         | at step 1000000000, but the run has 92 steps
          "fathom.step"                     | "step"                      | has the entry fathom.step
          "fathom.lossSum":"[^"]*"          | "fathom.lossSum":"NaN"      | a number of 0 or more, but is "NaN"
          "fathom.seconds":"[^"]*"          | "fathom.seconds":"-Infinity" | a number of 0 or more
          optimizer.velocity.conv1.weight   | optimizer.memory.conv1.weight | optimizer.velocity.conv1.weight
          """)
  void aCheckpointThatWasEditedIsRefused(String from, String to, String says) throws IOException {
    Path run = folder.resolve("run");
    assertEquals(Exit.DONE, train("--out", run.toString()).code());
    Path checkpoint = run.resolve("checkpoint.safetensors");
    byte[] plain = RunFiles.withoutChecksum(Files.readAllBytes(checkpoint));
    String header = new String(RunFiles.header(plain), StandardCharsets.UTF_8);
    String edited = header.replaceFirst(from, to);
    assertNotEquals(header, edited);
    byte[] data = Arrays.copyOfRange(plain, 8 + RunFiles.header(plain).length, plain.length);
    Files.write(checkpoint, RunFiles.file(edited.getBytes(StandardCharsets.UTF_8), data));
    assertRefused(Exit.BAD_FILE, says, "train", "--resume", run.toString(), "--epochs", "4");
  }

  /// What somebody may have changed in `run.json`, and what is said where the run is used.
  @Test
  void aRunThatWasEditedIsRefused() throws IOException {
    Path run = folder.resolve("run");
    assertEquals(Exit.DONE, train("--out", run.toString()).code());
    String written = Files.readString(run.resolve("run.json"));
    record Edit(String from, String to, int code, String says) {}
    var edits =
        List.of(
            new Edit(
                "\"resnet8\"",
                "\"resnet14\"",
                Exit.BAD_FILE,
                "missing (30): 'layer1.1.conv1.weight'"),
            new Edit("\"resnet8\"", "\"resent8\"", Exit.BAD_FILE, "run: there is no model"),
            new Edit("\"width\" : 4", "\"width\" : 8", Exit.BAD_FILE, "4×1×3×3"),
            new Edit("\"width\" : 4", "\"width\" : 1000000", Exit.NATIVE, "but tensors can have"),
            new Edit(
                "\"format\" : ", "\"format\" : 9", Exit.BAD_FILE, "use the version that made it"),
            new Edit(
                "\"data\" : \"digits\"",
                "\"data\" : \"./no\"",
                Exit.BAD_FILE,
                "./no: there is no such"));
    for (Edit edit : edits) {
      String edited = written.replace(edit.from, edit.to);
      assertFalse(edited.equals(written), edit.from);
      Files.writeString(run.resolve("run.json"), edited);
      for (String[] use :
          List.of(
              new String[] {"eval", run.toString()},
              new String[] {"train", "--resume", run.toString(), "--epochs", "2"})) {
        assertRefused(edit.code, edit.says, use);
      }
    }
    Files.writeString(
        run.resolve("run.json"), written.replace("\"batch\" : 64", "\"batch\" : 9999"));
    assertRefused(Exit.USAGE, "1437", "train", "--resume", run.toString(), "--epochs", "3");
  }

  /// Nobody waits for what never comes.
  @Test
  void pipesAndDevicesAreRefused() throws Exception {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "no mkfifo here");
    String run = folder.resolve("run").toString();
    assertEquals(Exit.DONE, train("--out", run).code());
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    for (String file : List.of(pipe.toString(), "/dev/zero")) {
      String says = "no regular file";
      assertRefused(Exit.BAD_FILE, says, "data", "info", "text:" + file);
      assertRefused(Exit.BAD_FILE, "this is a file", "data", "info", file);
      assertRefused(Exit.BAD_FILE, says, "predict", run, file);
      assertRefused(Exit.BAD_FILE, says, "predict", file, "--model", "resnet8", "a.png");
      Cli configured = Cli.run(Map.of("FATHOM_CONFIG", file), "models", "resnet20");
      assertEquals(Exit.BAD_FILE, configured.code());
      assertTrue(configured.err().contains(says), configured.err());
    }
    Files.createSymbolicLink(folder.resolve("loop"), folder.resolve("loop"));
    assertRefused(
        Exit.BAD_FILE, "there is no such file", "data", "info", "text:" + folder.resolve("loop"));
    Path metrics = Path.of(run, "metrics.jsonl");
    Files.delete(metrics);
    Files.createSymbolicLink(metrics, pipe);
    assertRefused(Exit.BAD_FILE, "no regular file", "report", run);
  }

  @Test
  void divergenceNamesTheLayerAndKeepsTheCode() {
    Cli cli = train("--out", folder.resolve("run").toString(), "--lr", "1e30");
    assertEquals(Exit.DIVERGED, cli.code(), cli.err());
    assertTrue(cli.err().contains("diverged") && cli.err().contains("layer"), cli.err());
  }

  @Test
  void aDryRunPrintsTheRecipeAndWritesNothing() {
    Path run = folder.resolve("run");
    Cli cli = train("--out", run.toString(), "--dry-run");
    assertEquals(Exit.DONE, cli.code());
    assertEquals(0.1, cli.json().path("descent").path("rate").asDouble());
    JsonNode estimate = cli.json().path("estimate");
    long parameters = estimate.path("parameters").asLong();
    long known =
        Cli.run("models", "resnet8", "--width", "4", "--input", "1x8x8", "--json")
            .json()
            .path("models")
            .path(0)
            .path("params")
            .asLong();
    assertEquals(known, parameters);
    assertEquals(4 * parameters * (1 + 2 + 1), estimate.path("weightBytes").asLong());
    assertEquals(2 * 23, estimate.path("steps").asInt());
    long needed = estimate.path("weightBytes").asLong() + estimate.path("batchBytes").asLong();
    assertEquals(
        needed <= estimate.path("availableBytes").asLong(), estimate.path("fits").asBoolean());
    for (String field :
        List.of("batchBytes", "examplesPerSecond", "seconds", "low", "high", "tried")) {
      assertTrue(estimate.path(field).asDouble() > 0, field);
    }
    assertFalse(Files.exists(run));
  }

  // ---- Text

  private String text(String name, String content) throws IOException {
    return "text:" + Files.writeString(folder.resolve(name), content);
  }

  private static void assertRefused(int code, String says, String... args) {
    Cli cli = Cli.run(args);
    assertEquals(code, cli.code(), cli.err());
    assertTrue(cli.err().contains(says), cli.err());
    assertEquals("", cli.out());
  }

  @Test
  void textsThatCannotBeLearnedAreRefused() throws IOException {
    String good = text("good.txt", "to be or not to be, ".repeat(20));
    String run = folder.resolve("run").toString();
    assertRefused(
        Exit.BAD_FILE, "byte 3", "train", "gru", "--data", text("nul.txt", "abc\0"), "--out", run);
    assertRefused(
        Exit.BAD_FILE, "empty", "train", "gru", "--data", text("empty.txt", ""), "--out", run);
    var given =
        List.of("train", "gru", "--data", good, "--out", run, "--batch", "32", "--window", "100");
    assertRefused(Exit.USAGE, "3232", given.toArray(String[]::new));
    for (String model : List.of("mlp", "resnet20")) {
      assertRefused(
          Exit.USAGE, model + " learns images", "train", model, "--data", good, "--out", run);
    }
    assertRefused(
        Exit.USAGE,
        "--recipe",
        "train",
        "gru",
        "--data",
        good,
        "--recipe",
        "he2015-cifar",
        "--out",
        run);
    assertFalse(Files.exists(folder.resolve("run")), "nothing is written before all is known");
  }

  @Test
  void aTextIsLearnedMeasuredAndWritten() throws IOException {
    String data = text("line.txt", "to be or not to be, ".repeat(20));
    String run = folder.resolve("run").toString();
    Cli trained =
        Cli.run(
            "train",
            "ln-gru",
            "--data",
            data,
            "--hidden",
            "16",
            "--batch",
            "4",
            "--window",
            "10",
            "--epochs",
            "3",
            "--workers",
            "2",
            "--out",
            run,
            "--json");
    assertEquals(Exit.DONE, trained.code(), trained.err());
    var answer = trained.json();
    double bits = answer.path("bitsPerCharacter").asDouble();
    assertEquals(answer.path("crossEntropy").asDouble() / Math.log(2), bits, 1e-12);
    assertEquals(Math.pow(2, bits), answer.path("perplexity").asDouble(), 1e-9);
    assertTrue(answer.path("charactersPerSecond").asDouble() > 0);
    assertTrue(answer.has("error"));
    String report = Files.readString(folder.resolve("run").resolve("report.html"));
    assertTrue(report.contains("its per character") && report.contains("windows of 10"), report);

    var measured = Cli.run("eval", run, "--json").json();
    assertEquals(bits, measured.path("bitsPerCharacter").asDouble(), 1e-4);
    assertEquals(39, measured.path("count").asInt());
    assertRefused(
        Exit.BAD_FILE,
        "'T' (U+0054)",
        "eval",
        run,
        "--data",
        text("other.txt", "To be or ".repeat(9)));
    assertRefused(
        Exit.USAGE, "digits is data of another kind: images", "eval", run, "--data", "digits");

    Cli first = Cli.run("sample", run, "--prompt", "to be", "--length", "30", "--json");
    assertEquals(Exit.DONE, first.code(), first.err());
    assertEquals("to be", first.json().path("prompt").asString());
    assertEquals(30, first.json().path("text").asString().length());
    Cli again = Cli.run("sample", run, "--prompt", "to be", "--length", "30", "--json");
    assertEquals(first.out(), again.out());
    assertRefused(Exit.USAGE, "'?' (U+003F)", "sample", run, "--prompt", "to?");
    String weights = folder.resolve("text.safetensors").toString();
    assertEquals(Exit.DONE, Cli.run("export", run, weights).code());
    Cli exported = Cli.run("sample", weights, "--prompt", "to be", "--length", "30", "--json");
    assertEquals(first.out(), exported.out(), exported.err());
    assertRefused(Exit.USAGE, "--best is for a run", "sample", weights, "--best");

    Cli further = Cli.run("train", "--resume", run, "--epochs", "4", "--json");
    assertEquals(Exit.DONE, further.code(), further.err());
    assertEquals(4, further.json().path("epochs").asInt());
  }

  @Test
  void imagesAreNotWritten() {
    String run = folder.resolve("run").toString();
    assertEquals(Exit.DONE, train("--out", run).code());
    assertRefused(Exit.USAGE, "resnet8 learned images", "sample", run);
    String weights = folder.resolve("run").resolve("checkpoint.safetensors").toString();
    assertRefused(Exit.BAD_FILE, "resnet8 learned images", "sample", weights);
    assertRefused(Exit.USAGE, "another kind: text", "eval", run, "--data", "text:x");
  }

  @Test
  void recurrentNetsExistForTextAndForImages() {
    Cli text = Cli.run("models", "ln-lstm", "--json");
    assertEquals(Exit.DONE, text.code(), text.err());
    assertEquals(65, text.json().path("models").path(0).path("vocabulary").asInt());
    assertTrue(text.out().contains("head.weight"), text.out());
    Cli images = Cli.run("models", "ln-lstm", "--input", "1x8x8", "--json");
    assertEquals(8, images.json().path("models").path(0).path("input").path(1).asInt());
  }

  // ---- Memory

  /// A process of its own, with the JVM and the libraries in it.
  @Test
  void benchMeasuresTheMemoryOfAProcess() {
    Assumptions.assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "not on Linux");
    var line = memory("resnet110", "32", "0");
    assertEquals("MB", line.path("unit").asString());
    assertEquals(
        "resnet110, batch 32, fp32, 1 workers, 1,727,962 parameters", line.path("name").asString());
    double all = line.path("median").asDouble();
    double again = memory("resnet110", "32", "auto").path("median").asDouble();
    // 54 blocks remember 4 tensors of 32·16·32·32 floats, or a half or a quarter of that: 264 MB;
    // in segments of four 77 MB stay. What is freed stays resident, so not all of the difference is
    // seen, and of a net half as deep too little.
    assertTrue(again > 100 && all - again > 93, "%s MB and %s MB".formatted(all, again));
  }

  @Test
  void savedResultsAreComparedAndBecomeATable(@TempDir Path folder) throws IOException {
    Path before = folder.resolve("before.json");
    Path now = folder.resolve("now.json");
    String line =
        "{\"peak\": {}, \"results\": [{\"suite\": \"rnn\", \"name\": \"lstm\", \"unit\": \"ms\","
            + " \"median\": MEDIAN, \"low\": MEDIAN, \"high\": MEDIAN, \"peer\": null, \"peerMedian\":"
            + " null, \"ratio\": null}]}";
    Files.writeString(before, line.replace("MEDIAN", "10"));
    Files.writeString(now, line.replace("MEDIAN", "20"));
    Cli same = Cli.run("bench", "--table", "" + now, "--against", "" + now);
    assertEquals(Exit.DONE, same.code(), same.err());
    assertTrue(same.out().contains("| lstm | ms | 20.00 | 20.00 to 20.00 |  |  |  |"), same.out());
    Cli worse = Cli.run("bench", "--table", "" + now, "--against", "" + before);
    assertEquals(Exit.FAILED, worse.code(), worse.err());
    assertTrue(worse.out().contains("worse: rnn lstm, 10.00 ms before, 20.00 now"), worse.out());
    Cli json = Cli.run("bench", "--table", "" + now, "--against", "" + before, "--json");
    assertEquals(Exit.FAILED, json.code(), json.err());
    assertEquals(0.5, json.json().path("against").path("slower").path(0).path("ratio").asDouble());
  }

  private static JsonNode memory(String model, String batch, String recompute) {
    Cli cli =
        Cli.run(
            "bench",
            "memory",
            "--model",
            model,
            "--batch",
            batch,
            "--workers",
            "1",
            "--recompute",
            recompute,
            "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli.json().path("results").path(0);
  }

  // ---- The laboratory

  @Test
  void experimentsAreListedWithTheirClaims() {
    Cli listed = Cli.run("lab");
    assertEquals(Exit.DONE, listed.code(), listed.err());
    assertTrue(listed.out().contains("Claim: ") && listed.out().contains("Source: "), listed.out());
    var first = Cli.run("lab", "--json").json().path("experiments").path(0);
    assertEquals("degradation", first.path("name").asString());
    for (String field : List.of("question", "claim", "source", "cost")) {
      assertFalse(first.path(field).asString().isEmpty(), field);
    }
  }

  @Test
  void anExperimentLeavesAFindingThatIsNotMeasuredAgain() throws IOException {
    Path out = folder.resolve("lab");
    String[] args = {"lab", "deep-product", "--seeds", "2", "--out", out.toString(), "--json"};
    Cli cli = Cli.run(args);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    var finding = cli.json().path("findings").path(0);
    assertEquals("deep-product", finding.path("experiment").asString());
    assertEquals("quick", finding.path("size").asString());
    assertEquals("reproduced", finding.path("verdict").asString());
    assertEquals(2, finding.path("values").path(0).path("perSeed").size());
    assertTrue(finding.path("values").path(0).path("mean").asDouble() >= 500);
    assertTrue(finding.path("seconds").asDouble() > 0);
    assertTrue(finding.path("threshold").asString().contains("≥ 500"));
    assertTrue(Files.readString(out.resolve("index.html")).contains("deep-product"));

    Path images = folder.resolve("images").resolve("new");
    var withImages = new ArrayList<>(List.of(args));
    withImages.addAll(List.of("--charts", images.toString()));
    Cli drawn = Cli.run(withImages.toArray(String[]::new));
    assertEquals(Exit.DONE, drawn.code(), drawn.err());
    Path image = images.resolve("deep-product-1.svg");
    assertEquals(image.toString(), drawn.json().path("charts").path(0).asString());
    assertTrue(Files.readString(image).startsWith("<svg "), Files.readString(image));
    assertTrue(Files.readString(image).contains("Steps to the target"), "its title");
    Path taken = Files.writeString(folder.resolve("taken"), "a file");
    withImages.set(withImages.size() - 1, taken.toString());
    Cli refused = Cli.run(withImages.toArray(String[]::new));
    assertEquals(Exit.BAD_FILE, refused.code());
    assertTrue(refused.err().contains(taken.toString()), refused.err());

    Path file = out.resolve("deep-product.json");
    byte[] before = Files.readAllBytes(file);
    Cli again = Cli.run(args);
    assertEquals(cli.out(), again.out());
    assertTrue(again.err().contains("was there"), again.err());
    assertArrayEquals(before, Files.readAllBytes(file));

    Files.writeString(file, "{");
    Cli broken = Cli.run(args);
    assertEquals(Exit.BAD_FILE, broken.code());
    assertTrue(broken.err().contains("--again"), broken.err());
  }
}
