package fathom.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.data.DataIdentity;
import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.io.BadFileException;
import fathom.train.Precision;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Descriptions as each earlier format had them are read, and mean what they meant.
class RunFormatsTest {
  @TempDir private Path folder;

  /// A description in the words of a format; what a format did not have yet is left out.
  private static String description(int format) {
    String precision = format >= 4 ? "\"precision\": \"FP32\"," : "";
    String curve = format >= 5 ? ", \"curve\": \"STEPS\", \"smoothing\": 0.1" : "";
    String validation =
        format >= 5
            ? "\"validation\": 7, \"recording\": {\"watch\": [\"UPDATES\"], \"tensorboard\": true},"
            : "";
    String photos = format >= 6 ? "\"size\": 0, \"part\": false," : "";
    return """
    {"format": %s, "source": "0.1.0", "started": "2026-01-02T03:04:05Z",
     "recipe": {"model": "mlp", "options": {"norm": "LAYER", "hidden": 3, "layers": 1},
       "data": "digits", "epochs": 2, "batch": 128, "window": 0,
       "descent": {"optimizer": "ADAM", "rate": 0.001, "divideAt": [0.6], "warmUp": 0,
         "momentum": 0.0, "weightDecay": 0.0, "clip": 0.0%s},
       "preparation": {%s "crop": 0, "flip": false, "pixelMean": false},
       "seed": 5, "workers": 1, "shardStatistics": false, %s %s "recompute": 0},
     "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "input": [1, 8, 8],
     "machine": {"source": "0.1.0", "libtorch": "2.10.0", "java": "25", "system": "Linux",
       "processor": "x86", "cores": 2}}
    """
        .formatted(format, curve, photos, precision, validation);
  }

  private Run open(int format) throws IOException {
    Path run = Files.createDirectories(folder.resolve("run" + format));
    Files.writeString(run.resolve("run.json"), description(format));
    return Run.open(run);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6})
  void everyEarlierFormatIsReadAndWrittenAsThisOne(int format) throws IOException {
    Run run = open(format);
    Recipe recipe = run.recipe();
    assertEquals(5, recipe.seed());
    assertEquals(Precision.FP32, recipe.precision());
    assertEquals(0, recipe.preprocessing().size());
    assertEquals(format >= 5 ? 7 : 0, recipe.validation());
    assertEquals(format >= 5 ? 0.1 : 0, recipe.optimization().smoothing());
    assertEquals(Variation.NONE, recipe.preprocessing().variation());
    assertEquals(0, recipe.optimization().ema());
    assertEquals(format >= 5, recipe.recording().tensorboard());
    assertEquals(DataIdentity.UNKNOWN, run.info().data().identity());
    assertEquals(
        ImageReadOptions.Split.BY_POSITION, run.info().data().split(), "as it was divided then");
    run.withRecipe(recipe);
    assertEquals(run.info(), Run.open(run.folder()).info());
    assertTrue(Files.readString(run.folder().resolve("run.json")).contains("\"format\" : 10"));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 6})
  void anEarlierRunGoesOnByTheNamesOfItsClasses(int format) throws IOException {
    DataSet digits = DataSet.open("digits");
    Run run = open(format);
    RunTraining.train(run, digits, Progress.NONE, () -> true); // one step
    Run further = Run.open(run.folder());
    String before = Files.readString(run.folder().resolve("run.json"));
    var renamed =
        new DataSet(
            "digits",
            List.of("1", "0", "2", "3", "4", "5", "6", "7", "8", "9"),
            digits.train(),
            digits.test());
    for (DataSet other :
        List.of(
            renamed,
            new DataSet(
                "digits",
                List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "ten"),
                digits.train(),
                digits.test()))) {
      for (boolean changed : List.of(false, true)) {
        var e =
            assertThrows(
                BadFileException.class, () -> further.goOn(further.recipe(), other, changed));
        assertTrue(e.getMessage().contains("[0, 1, 2, 3,"), e.getMessage());
        assertTrue(e.getMessage().contains(other.classes().toString()), e.getMessage());
      }
      assertThrows(
          BadFileException.class,
          () -> RunTraining.train(further, other, Progress.NONE, () -> true));
    }
    assertEquals(before, Files.readString(run.folder().resolve("run.json")));
    Run known = further.goOn(further.recipe(), digits, false);
    assertEquals(digits.identity(), known.info().data().identity(), "from now on it is known");
    assertEquals(ImageReadOptions.Split.BY_POSITION, known.info().data().split());
    assertTrue(RunTraining.train(known, digits, Progress.NONE, () -> false).finished());
  }

  /// Format 8 is format 9 without the variation of images, averages, early stopping, weights and
  /// numbers of classes, and balanced sampling.
  @Test
  void aRunOfFormat8HasNoneOfWhatCameWithFormat9() throws IOException {
    Recipe recipe = open(6).recipe();
    Run run = Run.create(folder.resolve("new"), recipe, DataSet.open("digits"));
    Path file = run.folder().resolve("run.json");
    String before =
        Files.readString(file)
            .replace("\"format\" : 10", "\"format\" : 8")
            .replaceFirst(",\\s*\"augmentation\" : \\{[^}]*\\}", "")
            .replaceFirst(",\\s*\"ema\" : 0.0", "")
            .replaceFirst(",\\s*\"balanced\" : false", "")
            .replaceFirst(",\\s*\"earlyStop\" : \\{[^}]*\\}", "")
            .replaceFirst(",\\s*\"classWeights\" : \\[[^]]*\\]", "")
            .replaceFirst(",\\s*\"classCounts\" : \\[[^]]*\\]", "");
    for (String since :
        List.of("augmentation", "ema", "balanced", "earlyStop", "classWeights", "classCounts")) {
      assertFalse(before.contains('"' + since + '"'), before);
    }
    Files.writeString(file, before);
    assertEquals(run.recipe(), Run.open(run.folder()).recipe());
    assertEquals(List.of(), Run.open(run.folder()).info().classCounts());
  }

  /// Format 9 is this one without the name of a recipe, what photos and colours go through in one,
  /// and a warm-up by the training error.
  @Test
  void aRunOfFormat9HasNoNamedRecipe() throws IOException {
    Recipe recipe = open(6).recipe();
    Run run = Run.create(folder.resolve("new"), recipe, DataSet.open("digits"));
    Path file = run.folder().resolve("run.json");
    String before =
        Files.readString(file)
            .replace("\"format\" : 10", "\"format\" : 9")
            .replaceFirst(",\\s*\"recipe\" : \"none\"", "")
            .replaceFirst(",\\s*\"scale\" : false", "")
            .replaceFirst(",\\s*\"lighting\" : 0.0", "")
            .replaceFirst(",\\s*\"warmUpError\" : 0.0", "");
    for (String since : List.of("none", "scale", "lighting", "warmUpError")) {
      assertFalse(before.contains('"' + since + '"'), before);
    }
    Files.writeString(file, before);
    assertEquals(run.info(), Run.open(run.folder()).info());
    assertEquals(PublishedRecipe.NONE, Run.open(run.folder()).recipe().published());
    Files.writeString(file, before.replace("\"format\" : 9", "\"format\" : 10"));
    assertThrows(BadFileException.class, () -> Run.open(run.folder()), "a format has all it has");
  }

  /// What an earlier run was trained on is never tested with.
  @Test
  void anEarlierRunDividesItsFolderAsItDidThen() throws IOException {
    Path images = folder.resolve("images");
    for (String label : List.of("a", "b")) {
      Files.createDirectories(images.resolve(label));
      for (int i = 0; i < 20; i++) {
        var image = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
        ImageIO.write(image, "png", images.resolve(label).resolve(i + ".png").toFile());
      }
    }
    String spec = "images:" + images;
    var now = (DataSet) open(6).open(spec, ImageReadOptions.USUAL);
    var then =
        DataSet.open(spec, new ImageReadOptions(0, false, ImageReadOptions.Split.BY_POSITION));
    assertEquals(then.origin(), now.origin());
    assertNotEquals(DataSet.open(spec).origin(), now.origin());
  }

  /// The first runs of format 7 drew images for validation by position, and keep theirs.
  @Test
  void aRunKeepsItsImagesForValidation() throws IOException {
    Path images = folder.resolve("images");
    for (String label : List.of("a", "b")) {
      Files.createDirectories(images.resolve(label));
      for (int i = 0; i < 20; i++) {
        var image = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
        ImageIO.write(image, "png", images.resolve(label).resolve(i + ".png").toFile());
      }
    }
    String spec = "images:" + images;
    DataSet data = DataSet.open(spec);
    Recipe recipe = open(6).recipe().withData(spec).withValidation(5);
    Run run = Run.create(folder.resolve("new"), recipe, data);
    assertEquals(ImageReadOptions.Split.ALL_BY_NAME, run.info().data().split());
    DataSet again = (DataSet) Run.open(run.folder()).open(ImageReadOptions.USUAL);
    assertEquals(data.originJudgedBy(5, 5), again.originJudgedBy(5, 5));

    Path file = run.folder().resolve("run.json");
    Files.writeString(file, Files.readString(file).replace("ALL_BY_NAME", "BY_NAME"));
    DataSet older = (DataSet) Run.open(run.folder()).open(ImageReadOptions.USUAL);
    assertEquals(data.train().count(), older.train().count());
    int[] drawn = RandomKey.of(5, "validation").permutation(older.train().count());
    assertEquals(
        Arrays.stream(drawn)
            .skip(drawn.length - 5)
            .sorted()
            .mapToObj(older.origin().train()::get)
            .toList(),
        older.originJudgedBy(5, 5).validation());
  }

  @Test
  void whatNoFormatHadIsRefused() throws IOException {
    for (int format : new int[] {0, 2, 11}) {
      var e = assertThrows(BadFileException.class, () -> open(format));
      assertTrue(e.getMessage().contains("format " + format), e.getMessage());
    }
    assertFalse(Run.isIn(folder));
  }
}
