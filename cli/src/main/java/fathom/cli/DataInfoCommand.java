package fathom.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.FolderSummary;
import fathom.data.LabelledImages;
import fathom.data.MaskSet;
import fathom.data.Normalization;
import fathom.data.Text;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.run.Variation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "info",
    description = {
      "Says what is in a data set: sizes, classes and their images, mean and standard deviation.",
      "With --sheet also as an image: a row of training images for each class; with --mixup and the",
      "like, as a net sees them in training."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom data info digits",
      "  fathom data info cifar10 --sheet cifar10.png",
      "  fathom data info cifar10 --sheet cifar10.png --randaugment --cutmix 1"
    })
final class DataInfoCommand implements Callable<Integer> {
  /// The largest number of classes whose table is printed; with more, the table is in `--json`
  /// only.
  private static final int SHOWN = 20;

  @Mixin private final Output output = new Output();

  @Parameters(paramLabel = "DATA", description = "As of \"fathom train --data\".")
  private @Nullable String data;

  @Option(
      names = "--sheet",
      paramLabel = "FILE",
      description = "Where the contact sheet goes, a PNG file.")
  private @Nullable Path sheet;

  @Option(
      names = "--size",
      paramLabel = "N",
      description = "Of a folder of images: looks at them as \"fathom train --size N\" does.")
  private int size;

  @Option(
      names = "--verify",
      description = "Of a folder of images: decodes every file, and keeps what is found damaged.")
  private boolean verify;

  @Mixin private final AugmentationOptions augmentation = new AugmentationOptions();

  @Mixin private final ImageOptions reading = new ImageOptions();

  /// The answer of `--json` for images with a class each.
  ///
  /// @param size channels, height and width, as a net sees them
  /// @param files the contents of a folder of images; null for other data
  /// @param mean of each channel of the training images, on the scale of 0 to 1
  record Answer(
      String name,
      List<Integer> size,
      int train,
      int validation,
      int test,
      float[] mean,
      @JsonProperty("deviation") float[] standardDeviation,
      List<PerClass> classes,
      @Nullable Folder files,
      @Nullable String sheet) {}

  /// The contents of a folder of images.
  ///
  /// @param smallest width and height
  /// @param others how many files are no images by their extension
  /// @param notices sentences about files and folders that were passed over
  /// @param damaged files whose header is sound but which are known to be undecodable
  record Folder(
      Map<String, Integer> formats,
      List<Integer> smallest,
      List<Integer> median,
      List<Integer> largest,
      List<FolderSummary.Skipped> skipped,
      Map<String, Integer> others,
      List<String> notices,
      List<FolderSummary.Skipped> damaged) {
    static Folder of(FolderSummary summary) {
      return new Folder(
          summary.formats(),
          sides(summary.smallest()),
          sides(summary.median()),
          sides(summary.largest()),
          summary.skipped(),
          summary.others(),
          summary.notices(),
          summary.damaged());
    }

    private static List<Integer> sides(FolderSummary.Size size) {
      return List.of(size.width(), size.height());
    }
  }

  record PerClass(String name, int train, int validation, int test) {}

  /// The answer of `--json` for images with masks.
  record MaskAnswer(
      String name, int channels, int train, int validation, int test, List<PixelClass> classes) {}

  /// A class of pixels and its share in the labelled pixels of the training images.
  record PixelClass(String name, double share) {}

  /// The answer of `--json` for text.
  record TextAnswer(
      String name, int characters, int heldOut, @JsonProperty("alphabet") int vocabulary) {}

  @Override
  public Integer call() {
    String spec = output.required(data, "DATA");
    if (augmentation.isGiven() && sheet == null) {
      throw output.refused(
          "--mixup, --cutmix, --randaugment, --trivialaugment, --erase and --lighting change what --sheet shows; give --sheet FILE, or leave them out");
    }
    Variation variation = output.usage(() -> augmentation.of(Variation.NONE));
    switch (output.usage(() -> read(spec))) {
      case DataSet images -> images(images, variation);
      case Text text -> text(text);
      case MaskSet masks -> masks(masks);
      default -> throw output.refused("nothing is known of data such as " + spec);
    }
    return Exit.DONE;
  }

  private Data read(String spec) {
    if (!verify) {
      return Data.open(spec, reading.of(size));
    }
    try (var display = new ProgressDisplay("verify", output.err())) {
      return Data.open(
          spec, reading.of(size).decodingAll((files, of) -> display.show(files, of, "images")));
    }
  }

  private void masks(MaskSet masks) {
    if (sheet != null) {
      throw output.refused("--sheet is for images with a class each, but the data has masks");
    }
    var validation = masks.validation();
    double[] shares = masks.shares();
    var answer =
        new MaskAnswer(
            masks.name(),
            masks.channels(),
            masks.train().size(),
            validation == null ? 0 : validation.size(),
            masks.test().size(),
            IntStream.range(0, shares.length)
                .mapToObj(k -> new PixelClass(masks.classes().get(k), shares[k]))
                .toList());
    output.answer(
        answer,
        () -> {
          output
              .out()
              .println(
                  "%s: %s images to train with, %s for validation and %s for testing, %s"
                      .formatted(
                          answer.name,
                          answer.train,
                          answer.validation,
                          answer.test,
                          answer.channels == 1 ? "grey" : "in colour"));
          output.table(
              List.of("class", "of the labelled pixels in %"),
              answer.classes.stream()
                  .map(c -> List.of(c.name, String.format(Locale.ROOT, "%.2f", 100 * c.share)))
                  .toList());
        });
  }

  private void text(Text text) {
    if (sheet != null) {
      throw output.refused("--sheet is for images, but the data is a text");
    }
    var answer =
        new TextAnswer(
            text.name(), text.train().length, text.validation().length, text.vocabulary().size());
    output.answer(
        answer,
        () ->
            output
                .out()
                .println(
                    "%s: %s characters to train with and %s held out, of %s different ones"
                        .formatted(
                            answer.name,
                            Count.exact(answer.characters),
                            Count.exact(answer.heldOut),
                            answer.vocabulary)));
  }

  private void images(DataSet set, Variation variation) {
    if (sheet != null) {
      Destination.checkBeside(sheet, "--sheet", set.place(), output);
    }
    LabelledImages train = set.train();
    LabelledImages validation = set.validation();
    FolderSummary summary = set.summary();
    int count = set.classes().size();
    int[] trained = perClass(train, count);
    int[] judging = validation == null ? new int[count] : perClass(validation, count);
    int[] tested = perClass(set.test(), count);
    var classes = new ArrayList<PerClass>();
    for (int c = 0; c < count; c++) {
      classes.add(new PerClass(set.classes().get(c), trained[c], judging[c], tested[c]));
    }
    Normalization normalization = Normalization.perChannel(train);
    if (sheet != null) {
      write(
          augmentation.isGiven()
              ? output.usage(() -> ContactSheet.varied(train, count, normalization, variation))
              : ContactSheet.of(train, count),
          sheet);
    }
    var answer =
        new Answer(
            set.name(),
            List.of(train.channels(), train.height(), train.width()),
            train.count(),
            validation == null ? 0 : validation.count(),
            set.test().count(),
            normalization.mean(),
            normalization.standardDeviation(),
            classes,
            summary == null ? null : Folder.of(summary),
            sheet == null ? null : sheet.toString());
    output.answer(answer, () -> show(answer));
  }

  private void show(Answer answer) {
    var out = output.out();
    out.println(
        "%s: %s images to train with%s and %s to test with, %s×%s×%s, %s classes"
            .formatted(
                answer.name,
                Count.exact(answer.train),
                answer.validation == 0
                    ? ""
                    : ", %s to validate epochs with".formatted(Count.exact(answer.validation)),
                Count.exact(answer.test),
                answer.size.get(0),
                answer.size.get(1),
                answer.size.get(2),
                answer.classes.size()));
    out.println(
        "mean %s, standard deviation %s"
            .formatted(each(answer.mean), each(answer.standardDeviation)));
    Folder files = answer.files;
    if (files != null) {
      show(files);
    }
    if (answer.classes.size() <= SHOWN) {
      out.println();
      boolean judged = answer.validation > 0;
      output.table(
          judged ? List.of("class", "train", "val", "test") : List.of("class", "train", "test"),
          answer.classes.stream()
              .map(c ->
                  judged
                      ? row(c.name, c.train, c.validation, c.test)
                      : row(c.name, c.train, c.test))
              .toList());
    } else {
      int least = answer.classes.stream().mapToInt(PerClass::train).min().orElse(0);
      int most = answer.classes.stream().mapToInt(PerClass::train).max().orElse(0);
      out.println("a class has %s to %s images to train with".formatted(least, most));
    }
    if (answer.sheet != null) {
      out.println();
      out.println(
          "%s: a row for each class%s, in this order"
              .formatted(
                  answer.sheet,
                  answer.classes.size() > ContactSheet.ROWS
                      ? ", the first " + ContactSheet.ROWS
                      : ""));
    }
  }

  private void show(Folder files) {
    var out = output.out();
    out.println(
        "files: %s; the smallest %s, the median %s, the largest %s"
            .formatted(
                files.formats.entrySet().stream()
                    .map(e -> Count.exact(e.getValue()) + " " + e.getKey())
                    .collect(Collectors.joining(", ")),
                sides(files.smallest),
                sides(files.median),
                sides(files.largest)));
    if (!files.others.isEmpty()) {
      out.println(
          "beside them files that are no images: "
              + files.others.entrySet().stream()
                  .map(e -> Count.exact(e.getValue()) + " " + e.getKey())
                  .collect(Collectors.joining(", ")));
    }
    files.notices.forEach(out::println);
    if (!files.skipped.isEmpty()) {
      out.println("skipped, because they cannot be decoded:");
      files.skipped.forEach(skipped -> out.println("  " + skipped.why()));
    }
    if (!files.damaged.isEmpty()) {
      out.println("damaged, so that another image of the class is seen in their place:");
      files.damaged.forEach(damaged -> out.println("  " + damaged.why()));
    }
  }

  private static String sides(List<Integer> size) {
    return size.get(0) + "×" + size.get(1);
  }

  private static List<String> row(String name, int... counts) {
    var row = new ArrayList<>(List.of(name));
    Arrays.stream(counts).mapToObj(Integer::toString).forEach(row::add);
    return row;
  }

  private static String each(float[] values) {
    var texts = new ArrayList<String>();
    for (float v : values) {
      texts.add(String.format(Locale.ROOT, "%.4f", v));
    }
    return String.join(",", texts);
  }

  private static int[] perClass(LabelledImages images, int classes) {
    int[] counts = new int[classes];
    for (int label : images.labels()) {
      counts[label]++;
    }
    return counts;
  }

  private static void write(BufferedImage image, Path file) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      try (var out = Files.newOutputStream(file)) {
        ImageIO.write(image, "png", out);
      }
    } catch (IOException e) {
      throw new BadFileException(
          file, "the contact sheet cannot be written: " + AtomicFile.reason(e), e);
    }
  }
}
