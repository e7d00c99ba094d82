package fathom.run;

import fathom.data.DataIdentity;
import fathom.data.ImageReadOptions;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import fathom.train.EarlyStopping;
import fathom.train.Precision;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Reads and writes the description of a run, `run.json`, in all formats that versions of Fathom
/// have written.
final class RunFile {
  static final String NAME = "run.json";

  /// The present format of the files in the folder. A run of a newer format is refused.
  static final int FORMAT = 10;

  /// The most bytes of the description and of the metrics.
  static final long MOST_BYTES = 1 << 29;

  /// The last format without a precision, when all runs were in float32.
  private static final int WITHOUT_PRECISION = 3;

  /// The last format without curves, when all learning rates went in steps and there was no label
  /// smoothing.
  private static final int WITHOUT_CURVE = 4;

  /// The last format without photos that are decoded from their files, when all images were in
  /// memory.
  private static final int WITHOUT_PHOTOS = 5;

  /// The last format without the identity of the data, when a run knew only the names of the
  /// classes.
  private static final int WITHOUT_IDENTITY = 6;

  /// The last format without weights to begin with, when all runs began with random ones.
  private static final int WITHOUT_WEIGHTS = 7;

  /// The last format without early stopping, class weights, balanced sampling, the number of images
  /// of each class, variation beyond crops and flips, and averaged weights.
  private static final int WITHOUT_BALANCE = 8;

  /// The last format without the name of a recipe, parts of photos by scale, lighting, and a
  /// warm-up by the training error.
  private static final int WITHOUT_NAME = 9;

  /// The data of runs in older formats.
  static final RunData UNKNOWN =
      new RunData("", "", ImageReadOptions.Split.BY_POSITION, DataIdentity.UNKNOWN, List.of());

  private RunFile() {}

  static void write(Path file, Run.Info info) {
    AtomicFile.replace(file, Json.pretty(info).getBytes(StandardCharsets.UTF_8));
  }

  /// Throws [BadFileException] if the file is no description of a run, or has a format that this
  /// version does not read.
  static Run.Info read(Path file) {
    try {
      JsonNode node = Json.parse(RegularFile.text(file, MOST_BYTES));
      if (node instanceof ObjectNode info && info.path("recipe") instanceof ObjectNode recipe) {
        modernise(info, recipe);
      }
      int format = node.path("format").asInt(0);
      if (format != FORMAT) {
        throw new BadFileException(
            file,
            "the run has format %s, but this version of Fathom reads %s; use the version that made it (%s)"
                .formatted(format, FORMAT, node.path("source").asString("unknown")));
      }
      return Json.read(node, Run.Info.class);
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(file, "this is not the description of a run: " + firstLine(e), e);
    }
  }

  /// Adds the entries that older formats lack.
  private static void modernise(ObjectNode info, ObjectNode recipe) {
    int format = info.path("format").asInt(0);
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_IDENTITY) {
      info.set("data", Json.object(UNKNOWN));
    }
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_WEIGHTS) {
      recipe.set("finetuning", Json.object(FineTuning.NONE));
    }
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_BALANCE) {
      recipe.put("balanced", false);
      recipe.set("earlyStop", Json.object(EarlyStopping.NONE));
      info.putArray("classCounts");
      if (recipe.path("descent") instanceof ObjectNode descent) {
        descent.putArray("classWeights");
        descent.put("ema", 0.0);
      }
      if (recipe.path("preparation") instanceof ObjectNode preprocessing) {
        preprocessing.set("augmentation", Json.object(Variation.NONE));
      }
    }
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_NAME) {
      recipe.put("recipe", PublishedRecipe.NONE.toString());
      if (recipe.path("descent") instanceof ObjectNode descent) {
        descent.put("warmUpError", 0.0);
      }
      if (recipe.path("preparation").path("augmentation") instanceof ObjectNode variation) {
        variation.put("scale", false).put("lighting", 0.0);
      }
      info.put("format", FORMAT);
    }
    if (recipe.path("finetuning") instanceof ObjectNode tuning && !tuning.has("headRows")) {
      tuning.putArray("headRows"); // which the first runs of format 8 do not have
    }
    if (recipe.path("finetuning") instanceof ObjectNode tuning && !tuning.has("fittedHead")) {
      tuning.put(
          "fittedHead", false); // when every new classifier was drawn; the format is the same
    }
    if (!recipe.has("processes")) { // before there were processes; the format is the same
      recipe.put("processes", 1).put("syncBatchNorm", false);
    }
    if (format == WITHOUT_PRECISION) {
      recipe.put("precision", Precision.FP32.name());
    }
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_PHOTOS) {
      if (recipe.path("preparation") instanceof ObjectNode preprocessing) {
        preprocessing.put("size", 0).put("part", false);
      }
    }
    if (format >= WITHOUT_PRECISION && format <= WITHOUT_CURVE) {
      if (recipe.path("descent") instanceof ObjectNode descent) {
        descent.put("curve", Optimization.Curve.STEPS.name()).put("smoothing", 0.0);
      }
      recipe.put("validation", 0);
      ObjectNode recording = recipe.putObject("recording");
      recording.putArray("watch");
      recording.put("tensorboard", false);
    }
  }

  /// The first line of the message of the record that refused its components, or else of `e`
  /// itself.
  static String firstLine(Exception e) {
    Throwable said = e.getCause() instanceof IllegalArgumentException cause ? cause : e;
    return String.valueOf(said.getMessage()).lines().findFirst().orElse("");
  }
}
