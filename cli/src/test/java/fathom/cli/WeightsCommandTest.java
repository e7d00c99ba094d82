package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.Node;
import fathom.RandomKey;
import fathom.Scope;
import fathom.data.CentreCrop;
import fathom.data.Filter;
import fathom.infer.ModelCard;
import fathom.io.AtomicFile;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.nn.Init;
import fathom.train.Weights;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Weights from elsewhere in the commands that take them.
class WeightsCommandTest {
  @TempDir private Path folder;

  @BeforeEach
  void files() throws IOException {
    WeightFiles.write(folder);
  }

  private Cli info(String... more) {
    String[] args = new String[more.length + 2];
    args[0] = "weights";
    args[1] = "info";
    System.arraycopy(more, 0, args, 2, more.length);
    Cli cli = Cli.run(args);
    assertEquals(Exit.DONE, cli.code(), cli.err());
    return cli;
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  @ParameterizedTest
  @CsvSource({"weights.th, 'PyTorch, legacy form'", "weights.pth, 'PyTorch, zip form'"})
  void aStateDictionaryIsDescribed(String name, String format) {
    JsonNode answer = info(path(name), "--json").json();
    assertEquals(format, answer.path("format").asString());
    assertEquals(5, answer.path("tensors").asInt());
    assertEquals(18, answer.path("elements").asInt());
    assertEquals(5, answer.path("types").path("F32").asInt());
    assertEquals("3", answer.path("metadata").path("epoch").asString());
    assertEquals("hidden1", answer.path("layers").path(0).path("name").asString());
    String text = info(path(name)).out();
    assertTrue(text.contains("5 tensors with 18 numbers: 5 of F32"), text);
    assertTrue(text.contains("  epoch: 3\n"), text);
  }

  @Test
  void partsAreDescribedAsAWhole() {
    JsonNode answer = info(path("folder"), "--json", "--all").json();
    assertEquals("safetensors in 2 files", answer.path("format").asString());
    assertEquals("resnet18", answer.path("model").asString());
    assertEquals(2, answer.path("layers").size());
    assertEquals("2×3", answer.path("layers").path(0).path("shapes").asString());
  }

  @Test
  void theNetIsNamed() {
    Path file = folder.resolve("net.pt");
    try (var _ = Scope.open()) {
      Weights.writeForTorch(file, net(3));
    }
    JsonNode fits = info(file.toString(), "--json").json().path("fits");
    assertEquals(1, fits.size());
    assertEquals("resnet18", fits.path(0).path("model").asString());
    assertEquals(3, fits.path(0).path("classes").asInt());
  }

  /// One line for nets that differ in their norm alone, whose tensors are alike.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          lstm        | lstm (hidden 6, layers 2) for texts of 256 characters
          transformer | transformer (hidden 6, layers 2) for texts of 256 characters, 100 at a time
          ln-gru      | ln-gru (hidden 6, layers 2) for 10 classes and images with rows of 28 numbers
          mlp         | mlp (norm layer or position or group, hidden 6, layers 2) for 10 classes and images of 784 numbers
          masknet     | masknet (norm batch, width 16, layers 2) for 2 classes of pixels and images of 3 channels
          masknet     | plain-masknet (norm batch, width 16, layers 2) for 2 classes of pixels and images of 3 channels
          """)
  void netsOfEveryKindAreNamed(String name, String fit) {
    Path file = folder.resolve("net.safetensors");
    var small = new Architecture.Options(null, null, null, 6, 2);
    var levels = new Architecture.Options(null, null, null, null, 2);
    try (var _ = Scope.open()) {
      Init zeros = Init.zeros();
      Node net =
          fit.contains("text")
              ? Architecture.text(name, small).build(zeros)
              : name.equals("masknet")
                  ? Architecture.masks(name, levels).build(zeros)
                  : Architecture.images(name, small).build(zeros);
      Weights.write(file, net, Map.of());
    }
    String text = info(file.toString()).out();
    assertTrue(text.contains("It fits " + fit + "."), text);
  }

  /// What the file says of itself stands beside what its tensors say.
  @Test
  void whatAFileSaysOfItsNetIsShown() {
    Path file = folder.resolve("net.safetensors");
    try (var _ = Scope.open()) {
      Weights.write(
          file, net(2), Map.of("fathom.model", "resnet18", "fathom.options", "norm batch"));
    }
    String text = info(file.toString()).out();
    assertTrue(text.contains("It says that it is of resnet18 (norm batch).\n"), text);
    assertTrue(text.contains("It fits resnet18 (shortcut B, norm batch, width 64) for"), text);
  }

  /// What `config.json` says of classes and images is said before it is relied on, and what no file
  /// says is named too, because a wrong preprocessing loses accuracy silently.
  @Test
  void whatAFolderSaysOfItsImagesIsShown() throws IOException {
    Path published = Files.createDirectories(folder.resolve("published"));
    try (var _ = Scope.open()) {
      Weights.write(published.resolve("model.safetensors"), net(2), Map.of());
    }
    configure(published, "0.875", "0.95", "bilinear", "bicubic");
    String text = info(published.toString()).out();
    assertTrue(text.contains("It says that its classes are 'cat', 'dog' (2).\n"), text);
    assertTrue(
        text.contains(
            "It says that images are 3×64×64, the centre of a shorter side of 67 bicubic, normalised by the mean 0.5, 0.5, 0.5 and the standard deviation 0.5, 0.25, 0.5.\n"),
        text);
    JsonNode answer = info(published.toString(), "--json").json();
    assertEquals("dog", answer.path("classes").path(1).asString());
    assertEquals("67 bicubic", answer.path("resize").asString());
    assertEquals(0.25, answer.path("std").path(1).asDouble());

    Path alone = published.resolve("model.safetensors");
    String unsaid = info(alone.toString()).out();
    assertTrue(unsaid.contains("It does not say what images are normalised by: "), unsaid);
    assertTrue(info(alone.toString(), "--json").json().path("mean").isNull());
  }

  private static Layer net(int classes) {
    return Architecture.Convolutional.named("resnet18")
        .on(new ImageShape(3, 64, 64), classes)
        .build(Init.he(3));
  }

  /// What goes out for PyTorch and comes back is the same file, bit for bit, in either format.
  @Test
  void exportsOfExportsAreTheSame() throws IOException {
    Path first = folder.resolve("first.safetensors");
    try (var _ = Scope.open()) {
      Weights.write(first, net(2), Map.of());
    }
    export(first, "there.pt");
    export(folder.resolve("there.pt"), "back.safetensors");
    export(folder.resolve("back.safetensors"), "again.pt");
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("there.pt")),
        Files.readAllBytes(folder.resolve("again.pt")));
    assertArrayEquals(
        Files.readAllBytes(first), Files.readAllBytes(folder.resolve("back.safetensors")));
  }

  private void export(Path from, String to) {
    Cli cli = Cli.run("export", from.toString(), path(to));
    assertEquals(Exit.DONE, cli.code(), cli.err());
  }

  /// A folder says its net, its classes and how images are prepared; nothing has to be given.
  @Test
  void aPublishedFolderNeedsNoOptions() throws IOException {
    Path published = Files.createDirectories(folder.resolve("published"));
    try (var _ = Scope.open()) {
      Weights.write(published.resolve("model.safetensors"), net(2), Map.of());
    }
    Path config = published.resolve("config.json");
    Files.copy(folder.resolve("folder").resolve("config.json"), config);
    Path image = folder.resolve("image.png");
    ImageIO.write(new BufferedImage(80, 70, BufferedImage.TYPE_INT_RGB), "png", image.toFile());
    Cli cli = Cli.run("predict", published.toString(), image.toString(), "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals("", cli.err());
    JsonNode top = cli.json().path("predictions").path(0).path("top");
    assertEquals(2, top.size());
    assertTrue("cat dog".contains(top.path(0).path("class").asString()));
    // The same by hand: the file itself, with all that config.json says.
    Cli byHand =
        Cli.run(
            "predict",
            published.resolve("model.safetensors").toString(),
            image.toString(),
            "--model=resnet18",
            "--input=3x64x64",
            "--classes=cat,dog",
            "--mean=0.5,0.5,0.5",
            "--std=0.5,0.25,0.5",
            "--json");
    assertEquals(Exit.DONE, byHand.code(), byHand.err());
    assertEquals(
        byHand.json().path("predictions").path(0).path("top").path(0).path("probability"),
        top.path(0).path("probability"));
  }

  /// What config.json says of images is done, goes with an export, or is refused.
  @Test
  void thePreprocessingOfAFolderIsDoneOrRefused() throws IOException {
    Path published = Files.createDirectories(folder.resolve("published"));
    try (var _ = Scope.open()) {
      Weights.write(published.resolve("model.safetensors"), net(2), Map.of());
    }
    configure(published, "0.875", "0.95", "bilinear", "bicubic");
    Path out = folder.resolve("out.safetensors");
    export(published, "out.safetensors");
    ModelCard card = ModelCard.of(out);
    assertEquals(new CentreCrop(67, Filter.BICUBIC), card.crop());
    assertEquals(ModelCard.of(published).crop(), card.crop());
    var text = info(out.toString(), "--json").json().path("metadata");
    assertTrue(text.path("fathom.preprocessing").asString().contains("bicubic"), text.toString());
    for (String[] bad :
        new String[][] {
          {"bilinear", "lanczos", "interpolation: 'lanczos'"},
          {"bilinear\"", "bilinear\",\"crop_mode\":\"squash\"", "crop_mode: 'squash'"},
          {"[3,64,64]", "[3,64,96]", "squares"},
          {"0.875", "1.5", "crop_pct: 1.5"},
        }) {
      configure(published, bad[0], bad[1]);
      Cli cli = Cli.run("export", published.toString(), path("other.safetensors"));
      assertEquals(Exit.BAD_FILE, cli.code(), bad[1]);
      assertTrue(cli.err().contains(bad[2]), cli.err());
    }
  }

  /// With a crop_pct of a half, images of twice the side are cropped and not scaled: `eval` sees
  /// what it sees of their centres, cut out by hand, with a crop_pct of 1.
  @Test
  void evalCropsAsTheFolderSays() throws IOException {
    Path published = Files.createDirectories(folder.resolve("published"));
    try (var _ = Scope.open()) {
      Weights.write(published.resolve("model.safetensors"), net(2), Map.of());
    }
    for (String part : new String[] {"train", "test"}) {
      for (String name : new String[] {"cat", "dog"}) {
        for (int i = 0; i < 3; i++) {
          BufferedImage whole = noise(part + name + i);
          image("whole", part, name, i, whole);
          image("centres", part, name, i, whole.getSubimage(32, 32, 64, 64));
        }
      }
    }
    for (String filter : new String[] {"bilinear", "bicubic"}) {
      configure(published, "0.875", "1.0", "bilinear", filter);
      double expected = crossEntropy(published, "centres");
      double uncropped = crossEntropy(published, "whole");
      configure(published, "0.875", "0.5", "bilinear", filter);
      assertEquals(expected, crossEntropy(published, "whole"));
      assertNotEquals(expected, uncropped);
    }
  }

  private static BufferedImage noise(String key) {
    var image = new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB);
    var draws = RandomKey.of(1, key);
    for (int i = 0; i < 128 * 128; i++) {
      image.setRGB(i % 128, i / 128, draws.below(i, 1 << 24));
    }
    return image;
  }

  private void image(String set, String part, String name, int i, BufferedImage image)
      throws IOException {
    Path to = Files.createDirectories(folder.resolve(set).resolve(part).resolve(name));
    ImageIO.write(image, "png", to.resolve(i + ".png").toFile());
  }

  private double crossEntropy(Path weights, String set) {
    Cli cli = Cli.run("eval", weights.toString(), "--data", "images:" + path(set), "--json");
    assertEquals(Exit.DONE, cli.code(), cli.err());
    assertEquals(6, cli.json().path("count").asInt(), cli.out());
    return cli.json().path("crossEntropy").asDouble();
  }

  private void configure(Path published, String... replaced) throws IOException {
    String text = Files.readString(folder.resolve("folder").resolve("config.json"));
    for (int i = 0; i < replaced.length; i += 2) {
      text = text.replace(replaced[i], replaced[i + 1]);
    }
    AtomicFile.replace(published.resolve("config.json"), text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatIsMissingIsSaid() {
    assertEquals(Exit.USAGE, Cli.run("weights").code());
    assertEquals(Exit.USAGE, Cli.run("weights", "info").code());
    Cli none = Cli.run("weights", "info", path("none.pt"));
    assertEquals(Exit.BAD_FILE, none.code());
    assertTrue(none.err().contains("there is no such file"), none.err());
  }
}
