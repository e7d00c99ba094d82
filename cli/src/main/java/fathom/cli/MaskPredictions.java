package fathom.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.infer.MaskPredictor;
import fathom.infer.PredictedMask;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Carries out `predict` for a net for masks: it writes the predicted mask of every image into a
/// folder.
final class MaskPredictions {
  private static final String ENDING = ".mask.png";

  private final Output output;
  private final Path folder;

  MaskPredictions(Output output, Path folder) {
    this.output = output;
    this.folder = folder;
  }

  /// The answer of `--json`.
  record Answer(String model, List<Prediction> predictions, List<PredictCommand.Skipped> skipped) {}

  /// An image, the file of its mask, and the share of its pixels in each class.
  record Prediction(String file, String mask, List<Share> shares) {}

  /// A class and its share of the pixels, from 0 to 1.
  record Share(@JsonProperty("class") String name, double share) {}

  /// Predicts the masks of these images and writes them; images that cannot be decoded are skipped.
  /// Throws a usage error if the masks of two images would have one name, or if a mask would
  /// replace one of the images.
  Answer of(MaskPredictor predictor, List<Path> images) {
    Map<Path, Path> masks = masks(images);
    makeFolder();
    var predictions = new ArrayList<Prediction>();
    var skipped = new ArrayList<PredictCommand.Skipped>();
    masks.forEach((image, file) -> {
      PredictedMask mask;
      try {
        mask = predictor.predict(image);
      } catch (BadFileException e) {
        skipped.add(new PredictCommand.Skipped(image.toString(), String.valueOf(e.getMessage())));
        output.remark("fathom: skipped " + e.getMessage());
        return;
      }
      AtomicFile.replace(file, mask.png());
      predictions.add(new Prediction(image.toString(), file.toString(), shares(mask)));
    });
    return new Answer(String.valueOf(predictor.card().model()), predictions, skipped);
  }

  private static List<Share> shares(PredictedMask mask) {
    double[] shares = mask.shares();
    return IntStream.range(0, shares.length)
        .mapToObj(k -> new Share(mask.classes().get(k), shares[k]))
        .toList();
  }

  /// Returns the file of each image's mask.
  private Map<Path, Path> masks(List<Path> images) {
    var masks = new LinkedHashMap<Path, Path>();
    var taken = new LinkedHashMap<Path, Path>();
    for (Path image : images) {
      Path mask = folder.resolve(stem(image) + ENDING);
      Path other = taken.putIfAbsent(mask, image);
      if (other != null && !other.equals(image)) {
        throw output.refused(
            "the masks of %s and %s would both be %s; predict them by two calls, with two folders"
                .formatted(other, image, mask));
      }
      masks.put(image, mask);
    }
    Map<Path, Path> inputs = new HashMap<>();
    images.forEach(image -> inputs.put(real(image), image));
    for (Path mask : taken.keySet()) {
      Path image = inputs.get(real(mask));
      if (image != null) {
        throw output.refused(
            "%s is an image to be predicted, and would be replaced by a mask; give another folder as --out"
                .formatted(image));
      }
    }
    return masks;
  }

  private static String stem(Path image) {
    String name = String.valueOf(image.getFileName());
    int dot = name.lastIndexOf('.');
    return dot > 0 ? name.substring(0, dot) : name;
  }

  /// Returns the path with symbolic links resolved, or the absolute path if the file does not
  /// exist.
  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file.toAbsolutePath().normalize();
    }
  }

  private void makeFolder() {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new BadFileException(
          folder,
          "the folder for the masks cannot be made (%s); give another as --out"
              .formatted(AtomicFile.reason(e)),
          e);
    }
  }

  void show(Answer answer) {
    var rows = new ArrayList<List<String>>();
    for (Prediction each : answer.predictions) {
      String shares =
          each.shares.stream()
              .filter(share -> share.share > 0)
              .map(share -> String.format(Locale.ROOT, "%s %.1f %%", share.name, 100 * share.share))
              .collect(Collectors.joining(", "));
      rows.add(List.of(each.file, each.mask, shares));
    }
    if (!rows.isEmpty()) {
      output.table(List.of("image", "mask", "share of its pixels"), rows);
    }
  }
}
