package fathom.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.data.Images;
import fathom.data.Resizing;
import fathom.infer.Classification;
import fathom.infer.ImageClassifier;
import fathom.infer.MaskPredictor;
import fathom.io.BadFileException;
import fathom.net.Architecture;
import fathom.run.Run;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "predict",
    description = {
      "Says what images show.",
      "",
      "The likeliest classes with their probabilities; of a net for masks the class of every pixel,"
          + " as a PNG file with a palette.",
      "",
      "Images may have any size: the largest centred part of the net's proportions is scaled to"
          + " the size that it was trained with; of photos seven eighths of it, as in tests. Of a"
          + " folder all images are taken, also those of folders in it; links are followed, and"
          + " hidden files and those that are plainly no images are not. A file that is no image or"
          + " damaged is skipped and named; if it was named in the call, the exit code is 3. With"
          + " --jsonl it has a line and the exit code is 0, or 3 if all files are such."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom predict runs/resnet20-digits-1 seven.png scans/",
      "  fathom predict digits.safetensors --top 1 --json seven.png",
      "  find scans -name '*.png' | fathom predict RUN --list - --jsonl scans.jsonl"
    })
final class PredictCommand implements Callable<Integer> {
  @Mixin private final Output output = new Output();

  @Mixin private final DeviceOption device = new DeviceOption();

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RUN|WEIGHTS",
      description = "A run's folder, or a file or folder of weights.")
  private @Nullable Path from;

  @Parameters(
      index = "1..*",
      paramLabel = "FILE",
      description = "JPEG, PNG, GIF, BMP or WebP files, and folders of them.")
  private List<Path> files = List.of();

  @Mixin private final NetOptions net = new NetOptions();

  @Option(names = "--top", paramLabel = "K", description = "How many classes to name. Default: 3.")
  private int top = 3;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where a net for masks writes NAME.mask.png for each image.")
  private @Nullable Path out;

  @Option(
      names = "--list",
      paramLabel = "FILE",
      description = {
        "A file with the name of an image in each line, or - for standard input. Its images come after",
        "those that are named in the call."
      })
  private @Nullable Path list;

  @Option(
      names = "--jsonl",
      paramLabel = "FILE|DIR",
      description = {
        "Write a line of JSON for each image, and go on where a call before broke off. Images that",
        "cannot be read have a line too, with an error. What the file was predicted by stands beside",
        "it in FILE.about.json. Of a folder it is part-I-of-N.jsonl in it."
      })
  private @Nullable Path jsonl;

  @Option(
      names = "--shard",
      paramLabel = "I/N",
      description = {
        "Predict every N-th image, from the I-th on, counted from 0, for --jsonl. Default: RANK and",
        "WORLD_SIZE of the environment, or JOB_COMPLETION_INDEX and JOB_COMPLETIONS, or all images."
      })
  private @Nullable String shard;

  /// The answer of `--json` for a net that predicts classes.
  record Answer(String model, List<Prediction> predictions, List<Skipped> skipped) {}

  /// A file and its likeliest classes, the likeliest first.
  record Prediction(String file, List<ClassProbability> top) {}

  /// A class and its probability, from 0 to 1.
  record ClassProbability(@JsonProperty("class") String name, double probability) {}

  /// The answer of `--json` with `--jsonl`.
  ///
  /// @param files the number of lines in the file
  /// @param errors the number of them without a prediction
  /// @param before the number of lines that were there already
  record Written(String model, String file, String shard, long files, long errors, long before) {}

  /// A file without a prediction, and the reason.
  record Skipped(String file, String why) {}

  private record ReadImage(Path file, @Nullable Images pixels, @Nullable String why) {
    static ReadImage read(Path file, Resizing resizing) {
      try {
        return new ReadImage(file, resizing.of(file), null);
      } catch (BadFileException e) {
        return new ReadImage(file, null, e.getMessage());
      }
    }
  }

  @Override
  public Integer call() {
    device.check();
    Path source = output.required(from, "RUN or WEIGHTS");
    if (files.isEmpty() && list == null) {
      throw output.refused("Missing: FILE, an image or a folder of images");
    }
    if (shard != null && jsonl == null) {
      throw output.refused("--shard needs --jsonl, the file for the lines of this shard");
    }
    if (top < 1) {
      throw output.refused("--top names at least 1 class, but is " + top);
    }
    net.check();
    return WeightsFile.isRun(source) ? ofRun(Run.open(source)) : ofWeights(source);
  }

  private int predict(ImageClassifier classifier) {
    List<Path> all = images();
    var predictions = new ArrayList<Prediction>();
    var skipped = new ArrayList<Skipped>();
    for (int i = 0; i < all.size(); i += ImageClassifier.BATCH) {
      var batch =
          all.subList(i, Math.min(all.size(), i + ImageClassifier.BATCH)).parallelStream()
              .map(file -> ReadImage.read(file, classifier.resizing()))
              .toList();
      var seen = new ArrayList<Path>();
      var decoded = new ArrayList<Images>();
      for (ReadImage image : batch) {
        if (image.pixels != null) {
          seen.add(image.file);
          decoded.add(image.pixels);
        } else {
          skipped.add(new Skipped(image.file.toString(), String.valueOf(image.why)));
          output.remark("fathom: skipped " + image.why);
        }
      }
      List<Classification> shown = classifier.classify(Images.joined(decoded));
      for (int k = 0; k < shown.size(); k++) {
        predictions.add(prediction(seen.get(k), shown.get(k)));
      }
    }
    checkAny(predictions.isEmpty() && skipped.isEmpty());
    var answer = new Answer(String.valueOf(classifier.card().model()), predictions, skipped);
    output.answer(answer, () -> show(answer));
    return code(predictions.isEmpty(), skipped);
  }

  /// Returns the files that were named, and the images in the folders that were named.
  private List<Path> images() {
    var all = new ArrayList<Path>();
    names().each(name -> all.add(Path.of(name)), this::notice);
    return all;
  }

  private ImageNames names() {
    return new ImageNames(files, list);
  }

  private void notice(String notice) {
    output.remark("fathom: " + notice);
  }

  /// Writes a line for each image of the shard.
  private int lines(ImageClassifier classifier, Path weights, Path place) {
    Shard own = output.usage(() -> shard == null ? Shard.from(System::getenv) : Shard.of(shard));
    Path file = Files.isDirectory(place) ? place.resolve(own.fileName()) : place;
    Destination.check(file, "--jsonl", list, output);
    String model = String.valueOf(classifier.card().model());
    var about =
        AnswerLines.About.of(
            model,
            AnswerLines.digest(weights),
            classifier.card().metadata(),
            net.precision().name().toLowerCase(Locale.ROOT),
            top,
            own);
    try (AnswerLines to = AnswerLines.open(file, about, ImageClassifier.BATCH)) {
      long count = new ShardPrediction(classifier, to, own, top, output).of(names());
      var written =
          new Written(model, file.toString(), own.toString(), count, to.errors(), to.kept());
      output.answer(written, () -> show(written));
      return count > 0 && to.errors() == count ? Exit.BAD_FILE : Exit.DONE;
    }
  }

  private void show(Written written) {
    output
        .out()
        .println(
            "%s: %s images%s, %s of them without a prediction%s"
                .formatted(
                    written.file,
                    Count.exact(written.files),
                    written.shard.equals(Shard.WHOLE.toString())
                        ? ""
                        : " of shard " + written.shard,
                    Count.exact(written.errors),
                    written.before == 0
                        ? ""
                        : "; %s were there already".formatted(Count.exact(written.before))));
  }

  private Prediction prediction(Path file, Classification shown) {
    return new Prediction(
        file.toString(),
        shown.top(top).stream()
            .map(each -> new ClassProbability(each.name(), each.probability()))
            .toList());
  }

  private void show(Answer answer) {
    var rows = new ArrayList<List<String>>();
    for (Prediction each : answer.predictions) {
      ClassProbability first = each.top.getFirst();
      String others =
          each.top.stream()
              .skip(1)
              .map(g -> g.name + " " + percent(g))
              .collect(Collectors.joining(", "));
      rows.add(List.of(each.file, first.name, percent(first), others));
    }
    if (!rows.isEmpty()) {
      output.table(List.of("image", "class", "probability", top == 1 ? "" : "or"), rows);
    }
  }

  private static String percent(ClassProbability shown) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * shown.probability);
  }

  private int ofRun(Run run) {
    net.checkRun(run, output);
    return run.recipe().architecture() instanceof Architecture.OfMasks
        ? masks(() -> net.masks(run))
        : classes(net.weights(run), () -> net.classifier(run));
  }

  private int ofWeights(Path file) {
    WeightsFile weights = WeightsFile.open(file, output);
    if (weights.card().isMasks()) {
      return masks(() -> net.masks(file, output));
    }
    return classes(file, () -> net.classifier(file, weights, output));
  }

  private int masks(Supplier<MaskPredictor> opened) {
    if (jsonl != null) {
      throw output.refused("--jsonl is for a net that tells classes, but this one predicts masks");
    }
    var masks =
        new MaskPredictions(output, output.required(out, "--out, the folder for the masks"));
    try (MaskPredictor predictor = opened.get()) {
      MaskPredictions.Answer answer = masks.of(predictor, images());
      checkAny(answer.predictions().isEmpty() && answer.skipped().isEmpty());
      output.answer(answer, () -> masks.show(answer));
      return code(answer.predictions().isEmpty(), answer.skipped());
    }
  }

  private int classes(Path weights, Supplier<ImageClassifier> opened) {
    if (out != null) {
      throw output.refused("--out is for the masks of a net for masks, but this one tells classes");
    }
    try (ImageClassifier classifier = opened.get()) {
      return jsonl == null ? predict(classifier) : lines(classifier, weights, jsonl);
    }
  }

  private void checkAny(boolean none) {
    if (none) {
      throw new BadFileException(
          files.isEmpty() ? output.required(list, "--list") : files.getFirst(),
          "there is no image in it; give images");
    }
  }

  /// Returns the exit code. A file that was named has to be an image; a folder may contain other
  /// files.
  private int code(boolean none, List<Skipped> skipped) {
    List<String> names = files.stream().map(Path::toString).toList();
    boolean named = skipped.stream().anyMatch(each -> names.contains(each.file));
    return named || none ? Exit.BAD_FILE : Exit.DONE;
  }
}
