package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.infer.ImageClassifier;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Lines of predictions: each image once over all shards, and the same bytes wherever a call broke
/// off.
class ShardPredictionTest {
  private static final int COUNT = 2 * ImageClassifier.BATCH + 90;

  @TempDir private static Path folder;

  private static byte[] straight = {};

  @BeforeAll
  static void train() throws IOException {
    Cli cli =
        Cli.run(
            "train",
            "mlp",
            "--data",
            "digits",
            "--epochs",
            "1",
            "--out",
            folder.resolve("run").toString());
    assertEquals(Exit.DONE, cli.code(), cli.err());
    Path images = Files.createDirectories(folder.resolve("images").resolve("more")).getParent();
    for (int i = 0; i < COUNT; i++) {
      var image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
      RandomKey key = RandomKey.of(i, "pixels");
      for (int p = 0; p < 64; p++) {
        image.getRaster().setSample(p % 8, p / 8, 0, key.below(p, 256));
      }
      Path file = images.resolve(i % 2 == 0 ? "" : "more").resolve((1000 + i) + ".png");
      ImageIO.write(image, "png", file.toFile());
    }
    Files.writeString(images.resolve("1100.png"), "broken");
    Files.writeString(images.resolve("more").resolve("1299.png"), "broken");
    Path file = folder.resolve("straight.jsonl");
    assertEquals(Exit.DONE, predict(file).code());
    straight = Files.readAllBytes(file);
  }

  private static Cli predict(Path file, String... more) {
    var args =
        new ArrayList<>(List.of("predict", folder.resolve("run").toString(), "--json", "--jsonl"));
    args.add(file.toString());
    args.addAll(more.length == 0 ? List.of(folder.resolve("images").toString()) : List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    return Files.readAllLines(file).stream().map(JsonMapper.builder().build()::readTree).toList();
  }

  @Test
  void everyImageHasItsLineInTheOrderOfTheFolder() throws IOException {
    List<JsonNode> lines = lines(folder.resolve("straight.jsonl"));
    assertEquals(COUNT, lines.size());
    List<String> names = lines.stream().map(line -> line.path("file").asString()).toList();
    assertEquals(
        names.stream().map(Path::of).sorted(Comparator.naturalOrder()).map(Path::toString).toList(),
        names);
    for (int i = 0; i < COUNT; i++) {
      JsonNode line = lines.get(i);
      assertEquals(i, line.path("index").asInt());
      boolean broken = names.get(i).endsWith("1100.png") || names.get(i).endsWith("1299.png");
      assertEquals(broken, line.has("error"), line.toString());
      assertEquals(!broken, line.path("top").size() == 3, line.toString());
    }
  }

  /// The same classes and probabilities as without lines.
  @Test
  void aLineSaysWhatPredictSays() throws IOException {
    String image = folder.resolve("images").resolve("1002.png").toString();
    JsonNode said =
        Cli.run("predict", folder.resolve("run").toString(), "--json", image)
            .json()
            .path("predictions")
            .path(0)
            .path("top");
    JsonNode line =
        lines(folder.resolve("straight.jsonl")).stream()
            .filter(each -> each.path("file").asString().equals(image))
            .findFirst()
            .orElseThrow()
            .path("top");
    for (int k = 0; k < 3; k++) {
      assertEquals(said.path(k).path("class"), line.path(k).path("class"));
      assertEquals(
          said.path(k).path("probability").asDouble(),
          line.path(k).path("probability").asDouble(),
          1e-5);
    }
  }

  /// Cut at any byte, as a process that is killed leaves it.
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 30, 50, 70, 99, 100})
  void aCallGoesOnWhereOneBrokeOff(int percent) throws IOException {
    Path file = folder.resolve("cut-%s.jsonl".formatted(percent));
    assertEquals(
        Exit.DONE, predict(file, folder.resolve("images").resolve("1000.png").toString()).code());
    Files.write(file, Arrays.copyOf(straight, straight.length * percent / 100));
    Path about = AnswerLines.about(file);
    Files.writeString(
        about, Files.readString(about).replace("\"complete\" : true", "\"complete\" : false"));
    Cli cli = predict(file);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertArrayEquals(straight, Files.readAllBytes(file));
    int whole = COUNT * percent / 100 / ImageClassifier.BATCH * ImageClassifier.BATCH;
    assertEquals(whole, cli.json().path("before").asInt(), ImageClassifier.BATCH);
    assertEquals(percent >= 50, cli.json().path("before").asInt() > 0);
    assertEquals(2, cli.json().path("errors").asInt());
    JsonNode now = JsonMapper.builder().build().readTree(Files.readString(about));
    assertTrue(now.path("complete").asBoolean());
    assertEquals(COUNT, now.path("count").asInt());
    assertEquals(2, now.path("errors").asInt());
  }

  @Test
  void allShardsTogetherHaveEachImageOnce() throws IOException {
    Path parts = Files.createDirectories(folder.resolve("parts"));
    List<String> names =
        lines(folder.resolve("straight.jsonl")).stream()
            .map(n -> n.path("file").asString())
            .toList();
    Path list = folder.resolve("list.txt");
    Files.writeString(list, String.join("\r\n", names) + "\n\n");
    var all = new ArrayList<JsonNode>();
    for (int i = 0; i < 3; i++) {
      assertEquals(
          Exit.DONE, predict(parts, "--list", list.toString(), "--shard", i + "/3").code());
      all.addAll(lines(parts.resolve("part-0000%s-of-00003.jsonl".formatted(i))));
    }
    all.sort(Comparator.comparingInt(line -> line.path("index").asInt()));
    assertEquals(names, all.stream().map(line -> line.path("file").asString()).toList());
  }

  @Test
  void linesOfAnotherPredictionAreKept() throws IOException {
    Path file = folder.resolve("other.jsonl");
    String one = folder.resolve("images").resolve("1000.png").toString();
    String images = folder.resolve("images").toString();
    assertEquals(Exit.DONE, predict(file).code());
    byte[] before = Files.readAllBytes(file);
    for (List<String> other :
        List.of(
            List.of("the number of classes was 3 and is 2", images, "--top", "2"),
            List.of("the shard was 0/1 and is 1/2", images, "--shard", "1/2"),
            List.of("line 1 is about", folder.resolve("images").resolve("more").toString()),
            List.of("but this call has only 1 files", one))) {
      Cli cli = predict(file, other.subList(1, other.size()).toArray(String[]::new));
      assertEquals(Exit.BAD_FILE, cli.code(), other.toString());
      assertTrue(cli.err().contains(other.getFirst()), cli.err());
    }
    long whole = Files.size(file);
    assertTrue(whole <= before.length && whole > 0);
    assertEquals(Exit.DONE, predict(file).code());
    assertArrayEquals(before, Files.readAllBytes(file));
    Files.delete(AnswerLines.about(file));
    Cli cli = predict(file);
    assertEquals(Exit.BAD_FILE, cli.code());
    assertTrue(cli.err().contains("other.jsonl.about.json"), cli.err());
    assertArrayEquals(before, Files.readAllBytes(file));
  }

  @Test
  void anotherNetsLinesAreKept() throws IOException {
    Path file = folder.resolve("nets.jsonl");
    assertEquals(Exit.DONE, predict(file).code());
    Path about = AnswerLines.about(file);
    String text = Files.readString(about);
    String digest = JsonMapper.builder().build().readTree(text).path("weights").asString();
    Files.writeString(about, text.replace(digest, "0".repeat(64)));
    Cli cli = predict(file);
    assertEquals(Exit.BAD_FILE, cli.code());
    assertTrue(cli.err().contains("the weights was 0000"), cli.err());
    Files.writeString(about, "{");
    assertEquals(Exit.BAD_FILE, predict(file).code());
  }

  /// Whatever a byte in the kept lines becomes, the file is refused or its lines are for the same
  /// files.
  @Test
  void aDamagedLineIsRefused() throws IOException {
    Path file = folder.resolve("damaged.jsonl");
    assertEquals(Exit.DONE, predict(file).code());
    byte[] damaged = straight.clone();
    damaged[damaged.length / 4] = 0;
    Files.write(file, damaged);
    Cli cli = predict(file);
    assertEquals(Exit.BAD_FILE, cli.code());
    assertTrue(cli.err().contains("is no JSON") || cli.err().contains("is about"), cli.err());
  }

  @Test
  void aFileThatAnotherProcessWritesIsLeft() throws IOException {
    Path file = folder.resolve("busy.jsonl");
    try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var _ = channel.lock()) {
      Cli cli = predict(file);
      assertEquals(Exit.BAD_FILE, cli.code());
      assertTrue(cli.err().contains("another process is writing it"), cli.err());
    }
    assertEquals(Exit.DONE, predict(file).code());
  }

  @Test
  void whereNothingCanBePredictedTheExitCodeSaysSo() throws IOException {
    Path list = folder.resolve("missing.txt");
    Files.writeString(list, "none.png\n\0\nno/such.jpg\n" + folder + "\n", StandardCharsets.UTF_8);
    Path file = folder.resolve("missing.jsonl");
    Cli cli = predict(file, "--list", list.toString());
    assertEquals(Exit.BAD_FILE, cli.code());
    assertEquals(4, cli.json().path("errors").asInt());
    assertEquals(4, lines(file).stream().filter(line -> line.has("error")).count());
  }

  /// There may be more machines than images.
  @Test
  void aShardWithoutImagesIsAnEmptyFile() throws IOException {
    Path file = folder.resolve("none.jsonl");
    Cli cli =
        predict(file, folder.resolve("images").resolve("1000.png").toString(), "--shard", "7/9");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals(0, Files.size(file));
  }

  @Test
  void wrongUsageIsRefused() {
    String run = folder.resolve("run").toString();
    assertNotEquals(Exit.DONE, Cli.run("predict", run, "--list", folder.toString()).code());
    Cli cli = Cli.run("predict", run, folder.toString(), "--shard", "0/2");
    assertEquals(Exit.USAGE, cli.code());
    assertTrue(cli.err().contains("--shard needs --jsonl"), cli.err());
    assertEquals(Exit.USAGE, predict(folder.resolve("x.jsonl"), run, "--shard", "2/2").code());
    assertFalse(Files.exists(folder.resolve("x.jsonl")));
  }
}
