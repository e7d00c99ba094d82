package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.Decoders;
import fathom.data.ImageReadOptions;
import fathom.data.Normalization;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.parallel.Step;
import fathom.task.ImageClassification;
import fathom.task.Setting;
import fathom.train.Metrics;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Trainings on images that stay in their files.
class PhotoTrainingTest {
  private static final int SIDE = 16;

  @TempDir Path dir;

  @BeforeEach
  void images() throws IOException {
    make("train", 10);
    make("test", 3);
  }

  /// Stripes across or down in noise, in many sizes.
  private void make(String part, int count) throws IOException {
    for (String label : List.of("across", "down")) {
      Path folder = Files.createDirectories(dir.resolve("photos").resolve(part).resolve(label));
      for (int i = 0; i < count; i++) {
        RandomKey key = RandomKey.of(i, part + label);
        var image = new BufferedImage(20 + 3 * i, 50 - 2 * i, BufferedImage.TYPE_3BYTE_BGR);
        for (int y = 0; y < image.getHeight(); y++) {
          for (int x = 0; x < image.getWidth(); x++) {
            int at = label.equals("down") ? x : y;
            int stripe = at / 6 % 2 == 0 ? 0x808080 : 0;
            image.setRGB(x, y, stripe + ((int) key.bits(100L * y + x) & 0x3f3f3f));
          }
        }
        assertTrue(ImageIO.write(image, "jpeg", folder.resolve((10 + i) + ".jpg").toFile()));
      }
    }
  }

  private DataSet data() {
    return DataSet.open("images:" + dir.resolve("photos"), new ImageReadOptions(SIDE, true));
  }

  private static Recipe recipe(DataSet data, int epochs, int workers) {
    var net = Architecture.images("resnet8", new Architecture.Options(null, null, 4, null, null));
    return Recipe.usual(net, data, 1, workers).withEpochs(epochs).withBatch(6);
  }

  private Run run(String name, Recipe recipe) {
    return Run.create(dir.resolve(name), recipe, data());
  }

  private RunTraining.Result train(Run run, int decoders) {
    return RunTraining.train(run, data(), decoders, Progress.NONE, () -> false);
  }

  @Test
  void theRecipeIsThatOfPhotos() {
    Recipe recipe = recipe(data(), 1, 1);
    assertEquals(
        new Preprocessing(SIDE, true, 0, true, false, Variation.NONE), recipe.preprocessing());
    Run run = run("run", recipe);
    assertEquals(List.of(3, SIDE, SIDE), run.info().input());
    assertEquals(recipe, Run.open(run.folder()).recipe(), "run.json has all of it");
    DataSet read =
        (DataSet) run.open("images:" + dir.resolve("photos"), new ImageReadOptions(0, false));
    assertEquals("20×3×16×16", read.train().toString());
  }

  @Test
  void weightsDoNotDependOnTheDecoders() {
    Run none = run("none", recipe(data(), 2, 2));
    train(none, 0);
    Run many = run("many", recipe(data(), 2, 2));
    train(many, 3);
    assertEquals(Bits.of(none), Bits.of(many));
    Run other = run("other", recipe(data(), 2, 1));
    var alone = train(other, 1);
    assertNotEquals(Bits.of(none), Bits.of(other), "sums are rounded otherwise");
    assertEquals(
        train(Run.open(none.folder()), 1).tested().crossEntropy(),
        alone.tested().crossEntropy(),
        1e-2);
  }

  @Test
  void aStoppedTrainingGoesOnToTheBit() {
    Recipe recipe = recipe(data(), 3, 1);
    Run whole = run("whole", recipe);
    train(whole, 2);
    for (int stop : new int[] {2, 4, 6}) { // 4 steps are an epoch
      Run stopped = run("stopped" + stop, recipe);
      var steps = new AtomicLong();
      RunTraining.train(stopped, data(), 2, Progress.NONE, () -> steps.incrementAndGet() == stop);
      assertFalse(Bits.of(whole).equals(Bits.of(stopped)));
      assertTrue(train(Run.open(stopped.folder()), 1).finished());
      assertEquals(Bits.of(whole), Bits.of(stopped), "stopped after " + stop);
    }
  }

  @Test
  void aFileThatGoesDuringTheTrainingEndsItByName() throws IOException {
    Run run = run("run", recipe(data(), 3, 2));
    DataSet data = data();
    Path file = dir.resolve("photos/train/down/14.jpg");
    var e =
        assertThrows(
            BadFileException.class,
            () ->
                RunTraining.train(
                    run,
                    data,
                    2,
                    new Progress() {
                      @Override
                      public void step(StepEnd end) {}

                      @Override
                      public void epoch(Metrics.Epoch epoch) {
                        if (epoch.epoch() == 1) {
                          move(file, dir.resolve("gone.jpg"));
                        }
                      }
                    },
                    () -> false));
    assertTrue(e.getMessage().contains("14.jpg: it is not there"), e.getMessage());
    assertEquals(
        List.of(),
        Thread.getAllStackTraces().keySet().stream()
            .map(Thread::getName)
            .filter(name -> name.startsWith("fathom-decoder"))
            .toList());
    move(dir.resolve("gone.jpg"), file);
    assertTrue(train(Run.open(run.folder()), 1).finished(), "it can go on when that is back");
  }

  /// Another image of its class is seen in its place, in one go or in two, whoever knows of it.
  @Test
  void aDamagedFileIsToldAndGoesOnToTheBit() throws IOException {
    Path file = dir.resolve("photos/train/down/14.jpg");
    var image = new BufferedImage(30, 30, BufferedImage.TYPE_3BYTE_BGR);
    assertTrue(ImageIO.write(image, "png", file.toFile()));
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 20] ^= 1; // in the pixels, which have a checksum
    Files.write(file, bytes);
    Supplier<DataSet> open =
        () -> DataSet.open("images:" + dir.resolve("photos"), new ImageReadOptions(SIDE, false));
    Recipe recipe = recipe(open.get(), 2, 1);
    Run whole = Run.create(dir.resolve("whole"), recipe, open.get());
    var told = new ConcurrentLinkedQueue<String>();
    DataSet data = open.get();
    data.onDamage(skipped -> told.add(skipped.file()));
    assertTrue(RunTraining.train(whole, data, 2, Progress.NONE, () -> false).finished());
    assertEquals(List.of(file.toString()), List.copyOf(told));
    Run stopped = Run.create(dir.resolve("stopped"), recipe, open.get());
    var steps = new AtomicLong();
    RunTraining.train(stopped, open.get(), 0, Progress.NONE, () -> steps.incrementAndGet() == 3);
    assertFalse(Bits.of(whole).equals(Bits.of(stopped)));
    assertTrue(
        RunTraining.train(Run.open(stopped.folder()), open.get(), 1, Progress.NONE, () -> false)
            .finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
  }

  private static void move(Path from, Path to) {
    try {
      Files.move(from, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The files of the first batch may go as soon as the first weight is drawn, also where a
  /// training goes on in the middle of an epoch.
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theFirstBatchIsReadyBeforeTheNet(int batch) {
    DataSet data = data();
    Run run = run("run", recipe(data, 1, 1));
    try (var decoders = Decoders.start(1);
        var _ = Scope.open()) {
      Init init =
          (path, fanIn, shape) -> {
            decoders.settle();
            Path photos = dir.resolve("photos");
            if (Files.exists(photos.resolve("train"))) {
              move(photos.resolve("train"), photos.resolve("away"));
            }
            return Init.he(1).weights(path, fanIn, shape);
          };
      var task =
          ImageClassification.of(data.decodedBy(decoders))
              .normalizedBy(Normalization.of(new float[3], new float[3]));
      var session = task.open(new Setting(Collective.ALONE, 6, 1, 1, batch, () -> false));
      Layer net = run.imageNet(init);
      assertTrue(Files.isDirectory(dir.resolve("photos/away")));
      session.begin(0, batch);
      double loss =
          new Step(1, 0, Collective.ALONE, 6).run(() -> session.forward(net, batch).loss());
      assertTrue(loss > 0);
    }
  }

  // ---- Folders for training, judging and testing

  @Test
  void theFolderValJudgesTheEpochs() throws IOException {
    make("val", 2);
    DataSet data = data();
    Recipe recipe = recipe(data, 2, 1);
    assertEquals(4, recipe.validation());
    Run run = run("run", recipe);
    var result = train(run, 1);
    assertEquals(6, result.tested().count(), "the end is by the test images");
    assertEquals(20, result.trained().count(), "none was kept");
    Metrics.Epoch last =
        run.metrics().stream()
            .filter(m -> m instanceof Metrics.Epoch)
            .map(m -> (Metrics.Epoch) m)
            .reduce((_, later) -> later)
            .orElseThrow();
    assertNotEquals(result.tested().crossEntropy(), last.testLoss(), "of other images");
    recipe.withValidation(0).check(data);
    assertThrows(IllegalArgumentException.class, () -> recipe.withValidation(5).check(data));
  }

  @Test
  void aNormalizationIsRemembered() {
    Run run = run("run", recipe(data(), 1, 1));
    train(run, 1);
    assertEquals(Normalization.perChannel(data().train()), run.normalization());
  }
}
