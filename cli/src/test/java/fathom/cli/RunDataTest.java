package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.data.Origin;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.run.Run;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.OptionSpec;
import tools.jackson.databind.JsonNode;

/// A run knows its data: a label never changes its meaning, and nothing is written before all has
/// been checked.
class RunDataTest {
  private static final Map<String, Integer> COLOURS =
      Map.of(
          "red",
          0xc82828,
          "green",
          0x28c828,
          "blue",
          0x2828c8,
          "amber",
          0xd2aa1e,
          "\u00fcber",
          0xffffff);

  @TempDir private Path folder;

  /// A part of a folder of images: some in one colour for each class.
  private void images(String place, String part, int count, String... classes) throws IOException {
    for (String label : classes) {
      Path in = Files.createDirectories(folder.resolve(place).resolve(part).resolve(label));
      var image = new BufferedImage(8, 8, BufferedImage.TYPE_3BYTE_BGR);
      String name = Normalizer.normalize(label, Normalizer.Form.NFC);
      for (int i = 0; i < 64; i++) {
        image.setRGB(i % 8, i / 8, COLOURS.getOrDefault(name, 0x808080));
      }
      for (int i = 0; i < count; i++) {
        assertTrue(ImageIO.write(image, "png", in.resolve(i + ".png").toFile()));
      }
    }
  }

  private void both(String place, String... classes) throws IOException {
    images(place, "train", 6, classes);
    images(place, "test", 3, classes);
  }

  private String data(String place) {
    return "images:" + folder.resolve(place);
  }

  private Path run() {
    return folder.resolve("run");
  }

  private Cli train(String data, String... more) {
    var args =
        new ArrayList<>(List.of("train", "mlp", "--hidden", "4", "--lr", "0.05", "--workers", "1"));
    args.addAll(List.of("--data", data, "--out", run().toString()));
    args.addAll(List.of(more));
    if (!args.contains("--epochs")) {
      args.addAll(List.of("--epochs", "2"));
    }
    if (!args.contains("--batch")) {
      args.addAll(List.of("--batch", "6"));
    }
    return done(args.toArray(String[]::new));
  }

  private static Cli done(String... args) {
    Cli cli = Cli.run(args);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli;
  }

  private Cli resume(String... more) {
    return Cli.run(
        Stream.concat(Stream.of("train", "--resume", run().toString()), Arrays.stream(more))
            .toArray(String[]::new));
  }

  /// All files of the run but the lock, with their content.
  private Map<String, List<Byte>> content() throws IOException {
    var content = new TreeMap<String, List<Byte>>();
    try (Stream<Path> files = Files.list(run())) {
      for (Path file : files.filter(f -> !f.endsWith(".lock")).toList()) {
        var bytes = new ArrayList<Byte>();
        for (byte b : Files.readAllBytes(file)) {
          bytes.add(b);
        }
        content.put(file.getFileName().toString(), bytes);
      }
    }
    return content;
  }

  /// A resumption that is refused leaves the run as it is.
  private void refused(int code, List<String> says, String... more) throws IOException {
    Map<String, List<Byte>> before = content();
    Cli cli = resume(more);
    assertAll(
        () -> assertEquals(code, cli.code(), cli.err()),
        () -> says.forEach(part -> assertTrue(cli.err().contains(part), cli.err())),
        () -> assertEquals(before, content(), "something was written"));
  }

  // ---- Classes are matched by their names

  private static int[] row(JsonNode confusion, int row) {
    return confusion.path(row).valueStream().mapToInt(JsonNode::asInt).toArray();
  }

  @Test
  void evalMatchesClassesByNameAndSaysWhatItLeftOut() throws IOException {
    both("data", "blue", "green", "red");
    both("other", "amber", "blue", "green");
    train(data("data"), "--epochs", "30");
    Path weights = folder.resolve("w.safetensors");
    done("export", run().toString(), weights.toString());
    double own = done("eval", run().toString(), "--json").json().path("error").asDouble();
    assertEquals(0, own, "three colours are easily told apart");
    String[] net = {"--model", "mlp", "--hidden", "4"};
    for (String from : List.of(run().toString(), weights.toString())) {
      var args = new ArrayList<>(List.of("eval", from, "--data", data("other"), "--json"));
      args.addAll(from.endsWith("run") ? List.of() : List.of(net));
      Cli cli = done(args.toArray(String[]::new));
      JsonNode json = cli.json();
      assertEquals(0, json.path("error").asDouble(), "blue and green as in training");
      assertEquals(6, json.path("count").asInt());
      assertEquals("blue", json.path("classes").path(0).path("name").asString());
      assertArrayEquals(new int[] {3, 0, 0}, row(json.path("confusion"), 0));
      assertEquals("amber", json.path("leftOut").path(0).path("name").asString());
      assertEquals(3, json.path("leftOut").path(0).path("count").asInt());
      assertEquals("red", json.path("absent").path(0).asString());
      assertTrue(cli.err().contains("left out 3 of 9 test images"), cli.err());
      assertTrue(cli.err().contains("[amber]") && cli.err().contains("[red]"), cli.err());
    }
  }

  /// Whatever became of the images for training: kept in memory or not, checked or not.
  @ParameterizedTest
  @ValueSource(ints = {0, 8})
  void evalTouchesWhatItEvaluates(int size) throws IOException {
    both("data", "blue", "green");
    String[] sized = size == 0 ? new String[0] : new String[] {"--size", "8"};
    train(data("data"), with(sized, "--epochs", "20"));
    Path weights = folder.resolve("w.safetensors");
    done("export", run().toString(), weights.toString());
    for (String label : List.of("blue", "green")) {
      for (int i = 0; i < 6; i++) {
        Files.writeString(
            folder.resolve("data/train").resolve(label).resolve(i + ".png"), "no image");
      }
    }
    for (String strict : new String[] {"--no-cache", "--strict"}) {
      Cli own = done("eval", run().toString(), strict, "--json");
      assertEquals(0, own.json().path("error").asDouble(), own.err());
      assertEquals(6, own.json().path("count").asInt());
      assertFalse(own.err().contains("cannot be decoded"), own.err());
      Cli other = done("eval", weights.toString(), "--data", data("data"), strict, "--json");
      assertEquals(0, other.json().path("error").asDouble(), other.err());
    }
    Files.writeString(folder.resolve("data/test/blue/0.png"), "no image");
    Cli damaged = Cli.run("eval", run().toString(), "--strict");
    assertEquals(Exit.BAD_FILE, damaged.code(), damaged.err());
    assertTrue(damaged.err().contains("data/test/blue/0.png"), damaged.err());
  }

  @Test
  void evalKnowsAClassInEveryUnicodeForm() throws IOException {
    both("data", "red", "\u00fcber");
    train(data("data"), "--epochs", "30");
    both("other", "red", Normalizer.normalize("\u00fcber", Normalizer.Form.NFD));
    JsonNode json = done("eval", run().toString(), "--data", data("other"), "--json").json();
    assertEquals(0, json.path("error").asDouble());
    assertTrue(json.path("leftOut").isEmpty() && json.path("absent").isEmpty());
  }

  /// In small classes the draw of the part for testing may take another image when one is added;
  /// what a run was trained with is never what it is tested with.
  @Test
  void whatWasTrainedWithIsNotTestedWith() throws IOException {
    images("data", "", 6, "blue", "green", "red", "amber");
    train(data("data"));
    Set<String> trained =
        Files.readAllLines(run().resolve("images.tsv")).stream()
            .filter(line -> line.startsWith("train\t"))
            .map(line -> line.split("\t")[2])
            .collect(Collectors.toSet());
    int moved = 0;
    for (int count = 7; count <= 20; count++) {
      images("data", "", count, "blue", "green", "red", "amber");
      DataSet data = (DataSet) Run.open(run()).openForTests(new ImageReadOptions(0, false));
      for (Origin.Source source : data.origin().test()) {
        assertFalse(trained.contains(source.name()), source.name());
      }
      assertEquals(data.test().count(), data.origin().test().size());
      moved += data.summary().notices().toString().contains("left out") ? 1 : 0;
    }
    assertTrue(moved > 0, "no image of the training would have been for testing");
  }

  @Test
  void evalRefusesDataOfWhichNoClassIsKnown() throws IOException {
    both("data", "blue", "green");
    both("other", "amber", "red");
    train(data("data"));
    Cli cli = Cli.run("eval", run().toString(), "--data", data("other"));
    assertEquals(Exit.USAGE, cli.code());
    assertTrue(cli.err().contains("it knows [blue, green], but the data has [amber, red]"));
    assertEquals("", cli.out());
  }

  @Test
  void weightsWithoutNamesGoByPosition() throws IOException {
    both("data", "blue", "green");
    train(data("data"), "--epochs", "30");
    Path nameless = folder.resolve("n.safetensors");
    try (var stored = SafeTensors.open(run().resolve("checkpoint.safetensors"));
        Arena arena = Arena.ofConfined()) {
      var tensors = new LinkedHashMap<String, StoredTensor>();
      stored.names().stream()
          .filter(name -> !name.startsWith("input.") && !name.startsWith("optimizer."))
          .forEach(name -> tensors.put(name, stored.widened(name, arena)));
      SafeTensors.write(nameless, tensors, Map.of());
    }
    both("other", "amber", "green");
    Cli cli =
        Cli.run(
            "eval",
            nameless.toString(),
            "--model",
            "mlp",
            "--hidden",
            "4",
            "--data",
            data("other"),
            "--mean",
            "0.5,0.5,0.5",
            "--std",
            "0.5,0.5,0.5",
            "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals("amber", cli.json().path("classes").path(0).path("name").asString());
  }

  @Test
  void predictRefusesTheClassesOfWeightsInAnotherOrder() throws IOException {
    both("data", "blue", "green");
    train(data("data"));
    Path weights = folder.resolve("w.safetensors");
    done("export", run().toString(), weights.toString());
    String image = folder.resolve("data/test/blue/0.png").toString();
    String[] call = {"predict", weights.toString(), image, "--model", "mlp", "--hidden", "4"};
    Cli turned = Cli.run(with(call, "--classes", "green,blue"));
    assertEquals(Exit.USAGE, turned.code(), turned.err());
    assertTrue(turned.err().contains("leave out --classes"), turned.err());
    assertEquals(Exit.DONE, Cli.run(with(call, "--classes", "blue,green")).code());
  }

  private static String[] with(String[] call, String... more) {
    return Stream.concat(Arrays.stream(call), Arrays.stream(more)).toArray(String[]::new);
  }

  // ---- A run goes on with its own data

  @Test
  void resumeRefusesDataThatHasChanged() throws IOException {
    both("data", "blue", "green", "red");
    train(data("data"));
    Path train = folder.resolve("data/train");
    Path test = folder.resolve("data/test");
    String[] further = {"--epochs", "4"};

    Files.move(train.resolve("red"), train.resolve("apricot"));
    Files.move(test.resolve("red"), test.resolve("apricot"));
    List<String> lists = List.of("[blue, green, red]", "[apricot, blue, green]");
    refused(Exit.BAD_FILE, lists, further);
    refused(Exit.BAD_FILE, lists, "--epochs", "4", "--data-changed");
    Files.move(train.resolve("apricot"), train.resolve("red"));
    Files.move(test.resolve("apricot"), test.resolve("red"));

    both("data", "amber");
    refused(Exit.BAD_FILE, List.of("[blue, green, red]", "[amber, blue, green, red]"), further);
    delete(train.resolve("amber"));
    delete(test.resolve("amber"));

    Path image = train.resolve("red/5.png");
    byte[] content = Files.readAllBytes(image);
    Files.delete(image);
    refused(
        Exit.BAD_FILE,
        List.of("train had 18 and has 17 now", "gone: train/red/5.png", "--data-changed"),
        further);
    Files.write(train.resolve("red/6.png"), content);
    refused(
        Exit.BAD_FILE,
        List.of("train has 18 as before", "new: train/red/6.png", "gone: train/red/5.png"),
        further);
    Files.delete(train.resolve("red/6.png"));
    Files.write(image, Arrays.copyOf(content, content.length + 1));
    refused(
        Exit.BAD_FILE,
        List.of(
            "changed: train/red/5.png (%s bytes, now %s)"
                .formatted(content.length, content.length + 1)),
        further);
    Files.write(image, content);
    assertEquals(Exit.DONE, resume(further).code(), "all is as it was");
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @Test
  void dataThatIsMeantToHaveChangedIsWrittenDown() throws IOException {
    both("data", "blue", "green");
    train(data("data")); // 2 epochs of 2 steps
    images("data", "train", 13, "blue", "green"); // 5 steps
    Cli cli = resume("--epochs", "2", "--data-changed", "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertTrue(cli.err().contains("from step 4 with other data, and is no longer exact"));
    JsonNode data = Json.of(run().resolve("run.json")).path("data");
    assertEquals(4, data.path("changes").path(0).path("step").asInt());
    assertEquals(
        "train had 12 and has 26 now",
        data.path("changes").path(0).path("differences").path(0).asString());
    assertTrue(Files.readString(run().resolve("images.tsv")).contains("train/blue/12.png"));
    String page = Files.readString(run().resolve("report.html"));
    assertTrue(page.contains("from step 4 on, so the run is not exact"), "the report says so");
    List<String> epochs =
        Files.readAllLines(run().resolve("metrics.jsonl")).stream()
            .filter(line -> line.contains("\"kind\":\"epoch\""))
            .toList();
    assertEquals(2, epochs.size(), "step 4 is in the first epoch of 5 steps, so both end again");
    delete(folder.resolve("data/test/green"));
    images("data", "test", 2, "green");
    assertEquals(Exit.DONE, resume("--epochs", "3", "--data-changed").code());
    assertEquals(2, Json.of(run().resolve("run.json")).path("data").path("changes").size());
    delete(folder.resolve("data/train/green"));
    images("data", "train", 1, "green");
    delete(folder.resolve("data/train/blue"));
    images("data", "train", 1, "blue");
    Cli few = resume("--epochs", "20", "--data-changed");
    assertEquals(Exit.DONE, few.code(), "a batch has no more than there are: " + few.err());
    assertEquals(Exit.DONE, resume("--epochs", "21").code(), "and then all is known again");
  }

  @Test
  void aTextThatHasChangedIsAnother() throws IOException {
    Path book = Files.writeString(folder.resolve("book.txt"), "to be or not to be, ".repeat(20));
    done(
        "train",
        "gru",
        "--hidden",
        "3",
        "--batch",
        "4",
        "--window",
        "9",
        "--epochs",
        "1",
        "--workers",
        "1",
        "--data",
        "text:" + book,
        "--out",
        run().toString());
    Files.writeString(book, "not to be or to be, ".repeat(20));
    refused(Exit.BAD_FILE, List.of("train has 360 as before, but not the same"), "--epochs", "2");
    Files.writeString(book, "that is the question; ".repeat(20));
    refused(Exit.BAD_FILE, List.of("the net knows the 8 characters"), "--epochs", "2");
    Files.writeString(book, "or not to be, to be ".repeat(30));
    assertEquals(Exit.DONE, resume("--epochs", "2", "--data-changed").code());
  }

  // ---- The data is found from any folder

  /// As if another folder were the current one, to which the name of the data is relative.
  private void elsewhere() throws IOException {
    Path file = run().resolve("run.json");
    String json = Files.readString(file);
    String other = json.replace("\"images:" + folder.resolve("data") + "\"", "\"images:data\"");
    assertFalse(json.equals(other));
    Files.writeString(file, other);
  }

  @Test
  void aRunFindsItsDataFromAnyFolder() throws IOException {
    both("data", "blue", "green");
    train(data("data"));
    elsewhere();
    assertEquals(Exit.DONE, Cli.run("eval", run().toString()).code());
    assertEquals(Exit.DONE, resume("--epochs", "3").code());
    assertEquals(
        "images:data",
        Json.of(run().resolve("run.json")).path("recipe").path("data").asString(),
        "the user's name stays");
  }

  @Test
  void aRunFindsItsDataWhereBothWereMoved() throws IOException {
    both("data", "blue", "green");
    train(data("data"));
    elsewhere();
    Path there = Files.createDirectories(folder.resolve("there"));
    Files.move(folder.resolve("data"), there.resolve("data"));
    Path moved = Files.move(run(), there.resolve("run"));
    Cli evaluated = Cli.run("eval", moved.toString());
    assertEquals(Exit.DONE, evaluated.code(), evaluated.err());
    Cli further = Cli.run("train", "--resume", moved.toString(), "--epochs", "3");
    assertEquals(Exit.DONE, further.code(), further.err());
  }

  @Test
  void aRunGoesOnWithDataThatWasMoved() throws IOException {
    both("data", "blue", "green");
    both("other", "blue", "green");
    images("other", "train", 7, "blue");
    train(data("data"));
    Files.move(folder.resolve("data"), folder.resolve("moved"));
    refused(Exit.BAD_FILE, List.of("there is no such folder"), "--epochs", "3");
    refused(
        Exit.BAD_FILE,
        List.of("train had 12 and has 13 now", "new: train/blue/6.png"),
        "--epochs",
        "3",
        "--data",
        data("other"));
    assertEquals(Exit.DONE, resume("--epochs", "3", "--data", data("moved")).code());
    assertEquals(Exit.DONE, resume("--epochs", "4").code(), "from now on it is found there");
    refused(Exit.USAGE, List.of("learned images"), "--data", "text:book");
  }

  // ---- Nothing is written before it is checked

  @Test
  void whatIsRefusedIsNotWritten() throws IOException {
    both("data", "blue", "green");
    train(data("data")); // 2 epochs of 2 steps
    refused(Exit.USAGE, List.of("stands at step 4, in epoch 2", "at least 2"), "--epochs", "1");
    refused(Exit.USAGE, List.of("--workers is at least 1"), "--workers", "0");
    refused(Exit.USAGE, List.of("mlp has none"), "--recompute", "2");
    refused(Exit.USAGE, List.of("--decoders is -1"), "--decoders", "-1", "--epochs", "3");
    assertEquals(Exit.DONE, resume().code(), "and then it goes on");
  }

  @Test
  void aTrainingThatIsRefusedLeavesNoFolder() throws IOException {
    both("data", "blue", "green");
    for (List<String> wrong :
        List.of(
            List.of("--decoders", "-1"),
            List.of("--batch", "13"),
            List.of("--workers", "0"),
            List.of("--data-changed"),
            List.of("--val", "12"))) {
      var args = new ArrayList<>(List.of("train", "mlp", "--hidden", "4", "--data", data("data")));
      args.addAll(List.of("--out", run().toString()));
      args.addAll(wrong);
      Cli cli = Cli.run(args.toArray(String[]::new));
      assertEquals(Exit.USAGE, cli.code(), wrong + cli.err());
      assertFalse(Files.exists(run()), wrong.toString());
    }
  }

  // ---- What decides a run is not given again

  private static List<OptionSpec> options() {
    return Main.commandLine().getSubcommands().get("train").getCommandSpec().options();
  }

  /// A value that the option takes, other than any that a run has by itself.
  private static String value(OptionSpec option) {
    Class<?> type = option.auxiliaryTypes().length > 0 ? option.auxiliaryTypes()[0] : option.type();
    return type.isEnum() ? EnumName.all(type).getLast() : type == Path.class ? "./x" : "0.125";
  }

  @TestFactory
  Stream<DynamicTest> everyOptionThatDecidesARunIsRefused() throws IOException {
    train("digits", "--batch", "500", "--epochs", "1");
    List<String> mayChange =
        List.of(
            "--data",
            "--data-changed",
            "--decoders",
            "--device",
            "--early-stop",
            "--epochs",
            "--help",
            "--help-all",
            "--json",
            "--no-cache",
            "--peer-timeout",
            "--quiet",
            "--recompute",
            "--resume",
            "--strict",
            "--verbose",
            "--version",
            "--workers");
    assertEquals(
        mayChange,
        options().stream()
            .filter(OnResume.Rule::allows)
            .map(OptionSpec::longestName)
            .sorted()
            .toList());
    // What a recipe does not have: the others are named with the run's own value.
    List<String> notInRecipe =
        List.of(
            "--out",
            "--dry-run",
            "--shortcut",
            "--width",
            "--dropout",
            "--stride-in",
            "--zero-init",
            "--std",
            "--sync-bn",
            "--new-head", // which has it as whether the head was fitted
            "--find-lr");
    List<OptionSpec> deciding =
        options().stream().filter(option -> !OnResume.Rule.allows(option)).toList();
    assertTrue(deciding.size() >= 22, deciding.size() + " options decide a run");
    return deciding.stream()
        .map(option ->
            DynamicTest.dynamicTest(
                option.longestName(),
                () -> {
                  String name = option.longestName();
                  boolean flag = option.arity().max() == 0;
                  String given =
                      flag
                          ? ""
                          : option.type() == Double.class
                                  || option.type().isEnum()
                                  || option.isMultiValue()
                                  || option.type() == Path.class
                              ? value(option)
                              : "3";
                  refused(
                      Exit.USAGE,
                      List.of(
                          (name + " " + given).strip()
                              + (notInRecipe.contains(name)
                                  ? " is for a new training"
                                  : " was given"),
                          notInRecipe.contains(name) ? "" : name + " is ",
                          "leave out " + name),
                      flag ? new String[] {name} : new String[] {name, given});
                }));
  }

  @Test
  void theRunsOwnValueIsNamed() throws IOException {
    train("digits", "--batch", "500", "--epochs", "1");
    refused(
        Exit.USAGE,
        List.of(
            "--lr is 0.05 in it, but --lr 0.5 was given",
            "--norm is layer in it, but --norm rms was given",
            "--seed is 1 in it, but --seed 7 was given",
            "--hidden is 4 in it, but --hidden 9 was given",
            "--schedule is steps in it, but --schedule one-cycle was given",
            "leave out --lr, --norm, --seed, --hidden, --schedule"),
        "--lr",
        "0.5",
        "--norm",
        "rms",
        "--seed",
        "7",
        "--hidden",
        "9",
        "--schedule",
        "one-cycle",
        "--epochs",
        "2");
  }

  /// A file of JSON.
  private static final class Json {
    static JsonNode of(Path file) throws IOException {
      return tools.jackson.databind.json.JsonMapper.shared().readTree(Files.readString(file));
    }
  }
}
