package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.data.Images;
import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.optim.Schedule;
import fathom.run.PublishedRecipe.Difference;
import fathom.train.EarlyStopping;
import fathom.train.Metrics;
import fathom.train.Precision;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Published recipes: what their sources state, and what is said where a run is otherwise.
class PublishedRecipeTest {
  private static final List<String> CIFAR_10 =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  @TempDir private Path folder;

  /// Images of a single pixel, as many as the paper has; their size is no part of a recipe.
  private static DataSet pixels(int train, List<String> classes) {
    return new DataSet(
        "pixels", classes, pixels(train, classes.size()), pixels(100, classes.size()));
  }

  private static Images pixels(int count, int classes) {
    return new Images(
        3, 1, 1, new byte[3 * count], IntStream.range(0, count).map(i -> i % classes).toArray());
  }

  /// What a run by this recipe would be on images of this size.
  private static Run.Info info(Recipe recipe, DataSet data, int side) {
    Run.Info of = Run.unwritten(recipe, data).info();
    return new Run.Info(
        of.format(),
        of.source(),
        of.started(),
        of.recipe(),
        of.classes(),
        List.of(3, side, side),
        of.classCounts(),
        of.data(),
        of.machine());
  }

  private static Set<String> broken(PublishedRecipe by, Run.Info info) {
    return by.statements().stream()
        .filter(statement -> !statement.holds(info))
        .map(PublishedRecipe.Statement::about)
        .collect(Collectors.toSet());
  }

  private static Architecture net(String name) {
    return Architecture.images(name, Architecture.Options.NONE);
  }

  /// On the paper's own data everything is as stated but what a recipe cannot decide.
  @ParameterizedTest
  @ValueSource(strings = {"resnet20", "resnet56", "resnet110", "plain20", "resnet1202"})
  void everyStatementForCifarHolds(String name) {
    DataSet data = pixels(50_000, CIFAR_10);
    PublishedRecipe by = PublishedRecipe.HE2015_CIFAR;
    Recipe recipe = by.recipe(net(name), data, 1, 2);
    assertEquals(Set.of("GPUs", "iterations"), broken(by, info(recipe, data, 32)));
    assertEquals(
        Set.of("iterations"),
        broken(by, info(recipe.executed(e -> e.withShardStatistics(true)), data, 32)));
    assertEquals(182, recipe.epochs(), "64,000 steps are 181.8 epochs of 352");
    assertEquals(5_000, recipe.validation());
    boolean deep =
        recipe.architecture() instanceof Architecture.Convolutional of && of.depth() > 100;
    Schedule rate = recipe.optimization().schedule();
    long steps = 182 * 352;
    assertEquals(deep ? 0.01 : 0.1, rate.at(0, steps), 1e-17);
    Schedule warm = rate.after(List.of(new Schedule.EpochEnd(true, 79)));
    assertEquals(0.1, warm.at(31_999, steps));
    assertEquals(0.01, warm.at(32_000, steps), 1e-17);
    assertEquals(0.01, warm.at(47_999, steps), 1e-17);
    assertEquals(0.001, warm.at(48_000, steps), 1e-17);
  }

  /// The numbers by data of ImageNet's size, and what is done to photos by some of them.
  @Test
  void everyStatementForImageNetHolds() throws IOException {
    PublishedRecipe by = PublishedRecipe.HE2015_IMAGENET;
    List<String> classes = IntStream.range(0, 1000).mapToObj(String::valueOf).toList();
    DataSet whole = pixels(1_281_167, classes);
    Architecture paper =
        Architecture.images(
            "resnet50", new Architecture.Options(null, null, null, null, null, null, 1, null));
    Recipe numbers = by.recipe(paper, whole, 1, 2);
    assertEquals(
        Set.of("normalization", "augmentation", "test"),
        broken(by, info(numbers, whole, 224)),
        "for images in memory");
    assertEquals(50_000, numbers.validation());
    assertEquals(124, numbers.epochs(), "of 4,810 steps, so that 125 are more than 600,000");

    Recipe photos = by.recipe(paper, photos(224), 1, 2);
    assertEquals(
        Set.of("normalization", "data", "validation", "test"),
        broken(by, info(photos, photos(224), 224)),
        "for a few photos");
    assertTrue(photos.preprocessing().augmentation().scale());
    assertEquals(0.1, photos.preprocessing().augmentation().lighting());
    assertEquals(Optimization.Curve.PLATEAU, photos.optimization().learningRate().curve());
    assertEquals(
        Set.of("net"),
        minus(
            broken(by, info(by.recipe(net("resnet50"), whole, 1, 2), whole, 224)),
            broken(by, info(numbers, whole, 224))),
        "the stride of a bottleneck is in its 3×3 unless asked for otherwise");
  }

  private static Set<String> union(Set<String> a, Set<String> b) {
    return Stream.concat(a.stream(), b.stream()).collect(Collectors.toSet());
  }

  private static Set<String> minus(Set<String> a, Set<String> b) {
    return a.stream().filter(each -> !b.contains(each)).collect(Collectors.toSet());
  }

  @ParameterizedTest
  @ValueSource(ints = {500, 50_000})
  void everyStatementOfTheFastRecipeHolds(int count) throws IOException {
    DataSet data = pixels(count, CIFAR_10);
    Recipe recipe = PublishedRecipe.FAST.recipe(net("resnet20"), data, 1, 2);
    assertEquals(Set.of(), broken(PublishedRecipe.FAST, info(recipe, data, 32)));
    Recipe photos = PublishedRecipe.FAST.recipe(net("resnet18"), photos(64), 1, 2);
    assertEquals(List.of(), PublishedRecipe.differences(photos, photos(64)));
  }

  private record Change(String about, UnaryOperator<Recipe> made, String here) {}

  /// Each option beside a recipe is a difference, and no other is said because of it.
  @TestFactory
  List<DynamicTest> everyChangeIsListed() {
    DataSet data = pixels(50_000, CIFAR_10);
    PublishedRecipe by = PublishedRecipe.HE2015_CIFAR;
    Recipe recipe = by.recipe(net("resnet20"), data, 1, 2);
    var changes =
        List.of(
            new Change("split", r -> r.withValidation(0), "50,000 images to train with, 0 for"),
            new Change(
                "normalization",
                r -> r.with(new Preprocessing(4, true, false)),
                "each channel at mean 0"),
            new Change(
                "augmentation", r -> r.with(new Preprocessing(4, false, true)), "not mirrored"),
            new Change("augmentation", r -> r.with(new Preprocessing(0, true, true)), "no crop"),
            new Change(
                "optimizer", r -> r.optimized(o -> o.by(Optimization.Method.ADAMW)), "AdamW"),
            new Change("weight decay", r -> r.optimized(o -> o.withWeightDecay(0.0005)), "5.0E-4"),
            new Change("batch", r -> r.withBatch(64), "64"),
            new Change("iterations", r -> r.withEpochs(10), "3,520, 10 whole epochs"),
            new Change("learning rate", r -> r.optimized(o -> o.withRate(0.05)), "0.05, divided"),
            new Change(
                "learning rate",
                r -> r.optimized(o -> o.withCurve(Optimization.Curve.COSINE)),
                "0.1, down to 0 along a cosine"),
            new Change("warm-up", r -> r.optimized(o -> o.withWarmUp(400)), "0.01 for 400"),
            new Change("label smoothing", r -> r.optimized(o -> o.withSmoothing(0.1)), "0.1"),
            new Change("besides", r -> r.optimized(o -> o.withEma(0.9)), "averaged weights"),
            new Change("besides", r -> r.optimized(o -> o.withClip(1)), "clipped to 1.0"),
            new Change(
                "besides",
                r -> r.with(r.preprocessing().with(new Variation(0, 0, false, 0, 0.2, 0))),
                "mixup"),
            new Change(
                "besides",
                r -> r.with(r.preprocessing().with(Variation.NONE.withLighting(0.1))),
                "colours changed"),
            new Change(
                "besides", r -> r.with(r.sampling().withBalanced(true)), "balanced sampling"),
            new Change(
                "besides",
                r -> r.with(r.sampling().withEarlyStop(new EarlyStopping(5, 0))),
                "early stopping"),
            new Change(
                "besides", r -> r.executed(e -> e.withPrecision(Precision.BF16)), "bfloat16"));
    Set<String> before = broken(by, info(recipe, data, 32));
    return changes.stream()
        .map(change ->
            DynamicTest.dynamicTest(
                change.about + ": " + change.here,
                () -> {
                  Run.Info now = info(change.made.apply(recipe), data, 32);
                  String here =
                      by.statements().stream()
                          .filter(s -> s.about().equals(change.about))
                          .map(s -> s.here().apply(now))
                          .collect(Collectors.joining());
                  assertTrue(here.contains(change.here), here);
                  assertTrue(broken(by, now).contains(change.about));
                  Set<String> more = minus(broken(by, now), union(before, Set.of(change.about)));
                  assertEquals(
                      Set.of(),
                      minus(
                          more,
                          switch (change.about) {
                            // The rate is divided at fractions of the steps.
                            case "split", "batch", "iterations" -> Set.of("learning rate");
                            case "optimizer" -> Set.of("learning rate", "weight decay");
                            default -> Set.of();
                          }));
                }))
        .toList();
  }

  /// Other data and other nets are differences, too, and are named.
  @Test
  void otherDataAndNetsAreListed() {
    PublishedRecipe by = PublishedRecipe.HE2015_CIFAR;
    DataSet digits = DataSet.open("digits");
    Recipe recipe = by.recipe(net("resnet20"), digits, 1, 2).fitted(digits, true, true);
    List<Difference> all = PublishedRecipe.differences(recipe, digits);
    Map<String, String> here =
        all.stream().collect(Collectors.toMap(Difference::about, Difference::here));
    assertEquals(
        Set.of("data", "split", "augmentation", "GPUs", "iterations"),
        minus(here.keySet(), Set.of("learning rate")));
    assertTrue(here.get("data").contains("images of 1×8×8 in 10 classes"), here.get("data"));
    assertTrue(here.get("augmentation").equals("no crop, not mirrored"), "a 6 is no mirrored 9");
    assertEquals(
        "batch: the paper states 128; this run has 64",
        by.sentence(new Difference("batch", "128", "64")));
    assertEquals(
        "epochs: the recipe states 4; this run has 5",
        PublishedRecipe.FAST.sentence(new Difference("epochs", "4", "5")));

    DataSet data = pixels(50_000, CIFAR_10);
    for (Architecture other :
        List.of(
            net("resnet8"),
            net("preresnet20"),
            Architecture.images(
                "resnet20", new Architecture.Options(Shortcut.A, Norm.LAYER, 16, null, null)),
            Architecture.images(
                "resnet20", new Architecture.Options(Shortcut.B, Norm.BATCH, 16, null, null)),
            Architecture.images(
                "resnet20", new Architecture.Options(Shortcut.A, Norm.BATCH, 8, null, null)))) {
      Run.Info info = info(by.recipe(other, data, 1, 2), data, 32);
      assertTrue(broken(by, info).contains("net"), other.name());
    }
    assertEquals(
        List.of(),
        PublishedRecipe.differences(Recipe.usual(net("resnet20"), digits, 1, 1), digits));
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void otherNetsAndDataAreRefused(PublishedRecipe by) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> by.recipe(net("mlp"), DataSet.open("digits"), 1, 1));
    assertTrue(e.getMessage().contains("but the model is mlp; leave out `recipe`"), e.getMessage());
    assertFalse(by.source().isEmpty());
  }

  private static final DataSet DIGITS = DataSet.open("digits");
  private static final DataSet FEW =
      new DataSet("digits", DIGITS.classes(), DIGITS.train().take(100), DIGITS.test().take(30));

  /// A run by a published recipe with a warm-up by the training error and its validation images is
  /// stopped in its warm-up, at its end and after it; what it goes on to has the same bits.
  @ParameterizedTest
  @ValueSource(ints = {3, 6, 7, 13})
  void aRunByARecipeGoesOnBitByBit(int broken) {
    Recipe recipe =
        PublishedRecipe.HE2015_CIFAR
            .recipe(
                Architecture.images(
                    "resnet8", new Architecture.Options(Shortcut.A, Norm.BATCH, 2, null, null)),
                FEW,
                11,
                1)
            .withBatch(15)
            .withEpochs(4)
            .optimized(o -> o.withWarmUpUntil(100).dividedAt(List.of(0.75)));
    Run whole = Run.create(folder.resolve("whole"), recipe, FEW);
    RunTraining.train(whole, FEW);
    List<Double> rates =
        whole.metrics().stream()
            .filter(Metrics.Epoch.class::isInstance)
            .map(epoch -> ((Metrics.Epoch) epoch).learningRate())
            .toList();
    assertEquals(0.01, rates.getFirst(), 1e-17);
    assertEquals(
        Collections.nCopies(2, 0.1), rates.subList(1, 3), "the first epoch is below 100 %");
    Run stopped = Run.create(folder.resolve("stopped"), recipe, FEW);
    var steps = new AtomicLong();
    RunTraining.train(stopped, FEW, Progress.NONE, () -> steps.incrementAndGet() == broken);
    assertNotEquals(Bits.of(whole), Bits.of(stopped));
    Run resumed = Run.open(stopped.folder());
    assertEquals(PublishedRecipe.HE2015_CIFAR, resumed.recipe().published());
    assertTrue(RunTraining.train(resumed, FEW).finished());
    assertEquals(Bits.of(whole), Bits.of(stopped));
    assertEquals(PublishedRecipe.differences(whole), PublishedRecipe.differences(resumed));
  }

  /// Photos by scale and with changed colours, stopped and gone on with.
  @Test
  void photosGoOnBitByBit() throws IOException {
    DataSet data = photos(16);
    Recipe recipe =
        PublishedRecipe.HE2015_IMAGENET
            .recipe(
                Architecture.images(
                    "resnet18", new Architecture.Options(null, null, 2, null, null)),
                data,
                1,
                2)
            .withEpochs(2)
            .withBatch(4);
    Run whole = Run.create(folder.resolve("whole"), recipe, data);
    RunTraining.train(whole, data);
    Run plain =
        Run.create(
            folder.resolve("plain"),
            recipe.with(recipe.preprocessing().with(Variation.NONE.byScale())),
            data);
    RunTraining.train(plain, data);
    assertNotEquals(Bits.of(whole), Bits.of(plain), "colours are changed");
    Run stopped = Run.create(folder.resolve("stopped"), recipe, data);
    var steps = new AtomicLong();
    RunTraining.train(stopped, data, Progress.NONE, () -> steps.incrementAndGet() == 3);
    Run resumed = Run.open(stopped.folder());
    assertEquals(recipe, resumed.recipe());
    RunTraining.train(resumed, data);
    assertEquals(Bits.of(whole), Bits.of(stopped));
  }

  private DataSet photos(int side) throws IOException {
    Path photos = folder.resolve("photos");
    for (String part : List.of("train", "val", "test")) {
      for (String label : List.of("dark", "light")) {
        Path to = Files.createDirectories(photos.resolve(part).resolve(label));
        for (int i = 0; i < 6; i++) {
          var image = new BufferedImage(30 + i, 40, BufferedImage.TYPE_3BYTE_BGR);
          for (int p = 0; p < 20; p++) {
            image.setRGB(p, i * p % 40, label.equals("dark") ? 0x334400 + p : 0xffcc88 - p);
          }
          assertTrue(ImageIO.write(image, "png", to.resolve(i + ".png").toFile()));
        }
      }
    }
    return DataSet.open("images:" + photos, new ImageReadOptions(side, true));
  }
}
