package fathom.infer;

import fathom.data.CentreCrop;
import fathom.data.Filter;
import fathom.data.Normalization;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import fathom.io.Shown;
import fathom.io.WeightsFolder;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// What `config.json` beside weights says, in the form in which timm publishes them: the net's
/// name, its classes, and in `pretrained_cfg` how images were prepared. What Fathom does not do,
/// such as another filter, is refused.
public record PublishedConfig(ModelCard card) {
  private static final int MOST_BYTES = 1 << 26;
  private static final int MOST_CLASSES = 1_000_000;
  private static final int LARGEST = 1 << 16;

  /// The share of the shorter side that tests see where nothing is said.
  private static final double PHOTOS = 0.875;

  private static final double LEAST_SHARE = 0.01;

  /// Reads the `config.json` of a folder of weights; without one nothing is known. Throws
  /// [BadFileException] if it is not of this form.
  public static PublishedConfig in(Path folder) {
    Path file = folder.resolve(WeightsFolder.CONFIG);
    if (!Files.exists(file)) {
      var unknown = new ModelCard(null, Architecture.Options.NONE, null, null, null, null, null);
      return new PublishedConfig(unknown);
    }
    try {
      return new Reader(file, Json.parse(RegularFile.text(file, MOST_BYTES))).config();
    } catch (JacksonException e) {
      throw new BadFileException(file, "it is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private record Reader(Path file, JsonNode root) {
    PublishedConfig config() {
      JsonNode own = root.path("pretrained_cfg").isObject() ? root.path("pretrained_cfg") : root;
      float[] mean = numbers(own.path("mean"), "mean");
      float[] std = numbers(own.path("std"), "std");
      ImageShape input = input(own.path("input_size"));
      try {
        return new PublishedConfig(
            new ModelCard(
                model(),
                Architecture.Options.NONE,
                input,
                input == null ? null : true,
                input == null ? null : crop(own, input),
                classes(own),
                mean == null || std == null ? null : Normalization.of(mean, std),
                null));
      } catch (IllegalArgumentException e) {
        throw bad("mean and std", String.valueOf(e.getMessage()));
      }
    }

    /// Returns how tests see an image.
    private CentreCrop crop(JsonNode own, ImageShape input) {
      String mode = own.path("crop_mode").asString("center");
      if (!mode.equals("center")) {
        throw bad("crop_mode", "%s, but only center is done here".formatted(Shown.name(mode)));
      }
      if (input.height() != input.width()) {
        throw bad("input_size", "%s, but images become squares here".formatted(input));
      }
      String name = own.path("interpolation").asString("bilinear");
      Filter filter =
          switch (name) {
            case "bilinear" -> Filter.BILINEAR;
            case "bicubic" -> Filter.BICUBIC;
            default ->
                throw bad(
                    "interpolation",
                    "%s, but only bilinear and bicubic are done here".formatted(Shown.name(name)));
          };
      double share = own.path("crop_pct").asDouble(PHOTOS);
      if (!(share >= LEAST_SHARE && share <= 1)) {
        throw bad("crop_pct", "%s, but it is a share of the shorter side".formatted(share));
      }
      return CentreCrop.of(input.height(), share, filter);
    }

    /// Returns the net's name if there is such a net here.
    private @Nullable String model() {
      String name = root.path("architecture").asString("");
      return Architecture.imagesNames().contains(name) ? name : null;
    }

    private @Nullable ImageShape input(JsonNode sizes) {
      if (sizes.isMissingNode() || sizes.isNull()) {
        return null;
      }
      List<Integer> all = sizes.valueStream().map(size -> size.asInt(0)).toList();
      if (all.size() != 3 || all.stream().anyMatch(size -> size < 1 || size > LARGEST)) {
        throw bad("input_size", "no channels, height and width: " + sizes);
      }
      return new ImageShape(all.get(0), all.get(1), all.get(2));
    }

    private float @Nullable [] numbers(JsonNode list, String name) {
      if (list.isMissingNode() || list.isNull()) {
        return null;
      }
      double[] all = list.valueStream().mapToDouble(each -> each.asDouble(Double.NaN)).toArray();
      float[] numbers = new float[all.length];
      for (int i = 0; i < all.length; i++) {
        numbers[i] = (float) all[i];
        if (!Float.isFinite(numbers[i])) {
          throw bad(name, "no list of numbers");
        }
      }
      return numbers;
    }

    /// Returns the names of the classes; numbers if only their count is said and it is not the
    /// net's usual one.
    private @Nullable List<String> classes(JsonNode own) {
      JsonNode names =
          root.path("label_names").isArray() ? root.path("label_names") : own.path("label_names");
      int count = root.path("num_classes").asInt(own.path("num_classes").asInt(0));
      if (names.isArray()) {
        List<String> all = names.valueStream().map(name -> name.asString("")).toList();
        if (count > 0 && count != all.size()) {
          throw bad("label_names", "%s names for %s classes".formatted(all.size(), count));
        }
        return all;
      }
      if (count < 0 || count > MOST_CLASSES) {
        throw bad("num_classes", Integer.toString(count));
      }
      return count == 0 ? null : IntStream.range(0, count).mapToObj(Integer::toString).toList();
    }

    private BadFileException bad(String what, String found) {
      return new BadFileException(
          file,
          "its %s: %s; correct it, or give a file of weights and options".formatted(what, found));
    }
  }
}
