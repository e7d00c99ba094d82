package fathom.data;

import fathom.RandomKey;
import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.Spelling;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Labelled images to train with and to test with, all of one size and with the same classes.
///
/// @param name the specification by which the user named it, such as `digits` or a path
/// @param classes the name of each class; a label is a position in this list
/// @param validation the images that each epoch of a training is validated with, so that `test` is
///   used only at the end; null if `test` serves for both
/// @param summary what was found in a folder of images; null for other data
/// @param origin where the images were read; null for data that comes with Fathom or was made in
///   memory
public record DataSet(
    String name,
    List<String> classes,
    LabelledImages train,
    @Nullable LabelledImages validation,
    LabelledImages test,
    @Nullable FolderSummary summary,
    @Nullable Origin origin)
    implements Data {
  /// The prefix that marks a specification of data as the path of a folder of images.
  public static final String IMAGES = "images:";

  /// The prefix that marks a specification of data as the path of a folder of shards.
  public static final String SHARDS = "shards:";

  private static final String UNDERSTOOD =
      """
      DATA is one of
        digits        1797 handwritten digits of 8×8, which come with Fathom
        images:DIR    a folder per class: DIR/train/CLASS/* and DIR/test/CLASS/* (DIR/val/CLASS/*,
                      also valid or validation, judges the epochs where it is), or DIR/CLASS/*
        shards:DIR    tar files of images and labels as WebDataset has them, DIR/train/*.tar and
                      DIR/test/*.tar; "fathom data pack" makes them of a folder of images; or
        shards:FILE   a list of such files, a path in each line
        text:FILE     a text in UTF-8, for the nets that learn characters
        mnist, fashion-mnist, cifar10, cifar100
                      a folder of this name below $FATHOM_DATA, $XDG_DATA_HOME/fathom or
                      ~/.local/share/fathom; "fathom data get NAME" fetches it
        a path        a folder with the four IDX files of MNIST (train-images-idx3-ubyte, ...), with the
                      binary version of CIFAR-10 or CIFAR-100, or with a folder per class\
      """;

  private static final Pattern ARCHIVE =
      Pattern.compile("\\.(zip|tar|tgz|tbz2?|txz|7z|rar|tar\\.\\w+)$");

  private static final List<String> NAMES =
      Stream.concat(Stream.of("digits"), Catalogue.entries().stream().map(Catalogue.Entry::name))
          .toList();

  /// Throws `IllegalArgumentException` if the sizes of the images differ, or if a label has no
  /// class.
  public DataSet {
    classes = List.copyOf(classes);
    checkSize(train, test);
    checkLabels("training", train, classes.size());
    checkLabels("test", test, classes.size());
    if (validation != null) {
      checkSize(train, validation);
      checkLabels("validation", validation, classes.size());
    }
  }

  /// Makes a data set without validation data, summary and origin.
  public DataSet(String name, List<String> classes, LabelledImages train, LabelledImages test) {
    this(name, classes, train, null, test, null, null);
  }

  @Override
  public List<Integer> input() {
    return List.of(train.channels(), train.height(), train.width());
  }

  @Override
  public DataIdentity identity() {
    return DataIdentity.of(this);
  }

  @Override
  public @Nullable Path place() {
    return origin == null ? null : origin.place();
  }

  /// Returns this data set with `folder` as its origin, for images that share files.
  DataSet from(Path folder) {
    return new DataSet(name, classes, train, validation, test, summary, Origin.of(folder));
  }

  private static void checkSize(LabelledImages train, LabelledImages other) {
    if (train.channels() != other.channels()
        || train.height() != other.height()
        || train.width() != other.width()) {
      throw new IllegalArgumentException(
          "all images of a data set must have one size, but they are %s and %s"
              .formatted(train, other));
    }
  }

  /// Returns this data set with `count` validation images. If the data already has that many, they
  /// are used as they are. Otherwise `seed` decides which training images become validation data;
  /// the others are left to train with, and both keep their order. With a count of 0 there is no
  /// validation data.
  ///
  /// Images with files of their own are drawn by file name: each name gets a number that depends on
  /// the name and the seed alone, and the images with the smallest numbers are drawn, except for
  /// the last image of a class. So adding or removing an image moves no other image, or a single
  /// one to keep the count; adding the second image of a class may move two. Other images, and
  /// those of runs that were begun by position, are drawn by position.
  ///
  /// Throws `IllegalArgumentException` if the data has validation images of its own in another
  /// number, if `count` is negative, or if it leaves too few images: none to train with or, when
  /// they are drawn by name, a class without one.
  public DataSet judgedBy(int count, long seed) {
    int all = train.count();
    if (count == 0 || (validation != null && validation.count() == count)) {
      return new DataSet(
          name, classes, train, count == 0 ? null : validation, test, summary, origin);
    }
    if (validation != null) {
      throw new IllegalArgumentException(
          "%s has %s images in its folder val to validate epochs with, but %s were asked for; leave out `validation`"
              .formatted(name, validation.count(), count));
    }
    if (count < 0 || count >= all) {
      throw new IllegalArgumentException(
          "of %s training images 1 to %s can be kept for validation, but %s were asked for"
              .formatted(all, all - 1, count));
    }
    Drawn drawn = drawn(count, seed);
    return new DataSet(
        name,
        classes,
        apart(train.select(drawn.rest)),
        apart(train.select(drawn.kept)),
        test,
        summary,
        origin == null ? null : origin.judgedBy(drawn.rest, drawn.kept));
  }

  /// Returns this data set with only the test images at these positions, and adds `notice`, the
  /// sentence that says why, to the summary. Throws [BadFileException] if `positions` is empty.
  public DataSet testedBy(int[] positions, String notice) {
    if (positions.length == 0) {
      throw new BadFileException(
          origin == null ? Path.of(name) : origin.place(),
          "nothing is left to be tested with: " + notice);
    }
    return new DataSet(
        name,
        classes,
        train,
        validation,
        test.select(positions),
        summary == null ? null : summary.with(notice),
        origin == null ? null : origin.testedBy(positions));
  }

  /// Returns the origin that the images of [#judgedBy] would have, without copying the images.
  public @Nullable Origin originJudgedBy(int count, long seed) {
    if (origin == null || validation != null || count == 0) {
      return origin;
    }
    Drawn drawn = drawn(count, seed);
    return origin.judgedBy(drawn.rest, drawn.kept);
  }

  /// Returns how many images of each class [#judgedBy] leaves to train with, without copying the
  /// images.
  public List<Integer> classCounts(int validation, long seed) {
    int[] counts = BalancedOrder.counts(train.labels(), classes.size());
    if (this.validation == null && validation > 0 && validation < train.count()) {
      for (int kept : drawn(validation, seed).kept) {
        counts[train.labels()[kept]]--;
      }
    }
    return Arrays.stream(counts).boxed().toList();
  }

  private Drawn drawn(int count, long seed) {
    return origin != null && origin.drawnByName()
        ? byName(origin.train(), train.labels(), count, seed)
        : Drawn.of(RandomKey.of(seed, "validation").permutation(train.count()), count);
  }

  /// Draws the images with the smallest numbers, but leaves the last image of each class to train
  /// with.
  private static Drawn byName(List<Origin.Source> files, int[] labels, int count, long seed) {
    double[] numbers =
        files.stream()
            .mapToDouble(file -> RandomKey.of(seed, "validation " + file.name()).uniform(0))
            .toArray();
    var left = new HashMap<Integer, Integer>();
    for (int label : labels) {
      left.merge(label, 1, Integer::sum);
    }
    int most = labels.length - left.size();
    if (count > most) {
      throw new IllegalArgumentException(
          "of %s training images of %s classes at most %s can be kept for validation, so that each class has one to train with, but %s were asked for"
              .formatted(labels.length, left.size(), most, count));
    }
    boolean[] kept = new boolean[numbers.length];
    List<Integer> byNumber =
        IntStream.range(0, numbers.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> numbers[i]))
            .toList();
    int drawn = 0;
    for (int i : byNumber) {
      int ofClass = left.getOrDefault(labels[i], 0);
      if (drawn < count && ofClass > 1) {
        left.put(labels[i], ofClass - 1);
        kept[i] = true;
        drawn++;
      }
    }
    return new Drawn(
        IntStream.range(0, kept.length).filter(i -> !kept[i]).toArray(),
        IntStream.range(0, kept.length).filter(i -> kept[i]).toArray());
  }

  /// The positions of the training images that are left to train with, and of those kept for
  /// validation.
  private record Drawn(int[] rest, int[] kept) {
    /// Keeps the last `count` of a random order for validation.
    static Drawn of(int[] drawn, int count) {
      int all = drawn.length;
      int[] rest = Arrays.copyOf(drawn, all - count);
      int[] kept = Arrays.copyOfRange(drawn, all - count, all);
      Arrays.sort(rest);
      Arrays.sort(kept);
      return new Drawn(rest, kept);
    }
  }

  private static LabelledImages apart(LabelledImages part) {
    return part instanceof Photos photos ? photos.apart() : part;
  }

  /// Registers `listener`, which is told of every file that turns out to be damaged when it is
  /// decoded from now on, so that another image of its class is used in its place. Any thread may
  /// call the listener, once for each file.
  public void onDamage(Consumer<FolderSummary.Skipped> listener) {
    for (LabelledImages part : List.of(train, test)) { // validation shares its listener with train
      if (part instanceof Photos photos) {
        photos.onDamage(listener);
      }
    }
  }

  /// Returns the same data set, whose photos `decoders` decode ahead.
  public DataSet decodedBy(Decoders decoders) {
    return new DataSet(
        name,
        classes,
        train.decodedBy(decoders),
        validation == null ? null : validation.decodedBy(decoders),
        test.decodedBy(decoders),
        summary,
        origin);
  }

  /// Returns the same data set, whose photos are seen in tests as weights from elsewhere want it;
  /// images in memory stay as they are.
  public DataSet croppedBy(CentreCrop crop) {
    LabelledImages seen = test instanceof Photos photos ? photos.croppedBy(crop) : test;
    return new DataSet(name, classes, train, validation, seen, summary, origin);
  }

  private static void checkLabels(String split, LabelledImages images, int classes) {
    for (int label : images.labels()) {
      if (label >= classes) {
        throw new IllegalArgumentException(
            "%s classes have the labels 0 to %s, but a %s image has %s"
                .formatted(classes, classes - 1, split, label));
      }
    }
  }

  /// Reads the data set that `spec` names: `digits`, `images:DIR`, `shards:DIR`, the path of a
  /// folder, or a well-known name such as `mnist` whose folder lies where data sets are kept.
  ///
  /// The kind of a folder is recognised by the files in it: the four IDX files of MNIST, the binary
  /// versions of CIFAR, or else a folder per class. One of Fathom's own names takes precedence over
  /// a folder of the same name; `./digits` means the folder.
  ///
  /// Throws `IllegalArgumentException` for an unknown name, and [BadFileException] for a path that
  /// is missing or whose content is not as expected.
  public static DataSet open(String spec) {
    return open(spec, ImageReadOptions.USUAL);
  }

  /// Does the same as [#open(String)], with the options by which the images of a folder are read.
  public static DataSet open(String spec, ImageReadOptions reading) {
    return open(spec, reading, System::getenv);
  }

  static DataSet open(
      String spec, ImageReadOptions reading, Function<String, @Nullable String> environment) {
    if (spec.equals("digits")) {
      return Digits.read();
    }
    if (spec.startsWith(IMAGES) && spec.length() > IMAGES.length()) {
      return ImageFolder.read(spec, folder(path(spec, spec.substring(IMAGES.length()))), reading);
    }
    if (spec.startsWith(SHARDS) && spec.length() > SHARDS.length()) {
      Path place = shards(path(spec, spec.substring(SHARDS.length())));
      return ImageFolder.read(
          spec, ShardLayout.folder(place), ShardLayout.of(place, reading.split()), reading);
    }
    if (spec.startsWith(TEXT) || MaskSet.isNamedBy(spec)) {
      throw new IllegalArgumentException(
          "images with a class each are needed, but %s is a text or has masks; give digits or a folder of images"
              .formatted(spec));
    }
    Optional<Catalogue.Entry> known = Catalogue.find(spec);
    if (known.isPresent()) {
      return named(spec, known.get(), Catalogue.places(environment), reading);
    }
    Path path = path(spec, spec);
    if (spec.isBlank() || !(Files.exists(path) || looksLikePath(spec))) {
      throw new IllegalArgumentException(unknown(spec));
    }
    return read(spec, folder(path), reading);
  }

  private static DataSet named(
      String spec, Catalogue.Entry entry, List<Path> places, ImageReadOptions reading) {
    Optional<Path> there = Catalogue.folder(entry, places);
    if (there.isPresent()) {
      return read(spec, there.get(), reading);
    }
    throw new IllegalArgumentException(
        "the data set %s is not here (looked for %s): fathom data get %s (a folder of this name here: ./%s)"
            .formatted(
                spec,
                Catalogue.folders(entry, places).stream()
                    .map(Path::toString)
                    .collect(Collectors.joining(", ")),
                entry.name(),
                spec));
  }

  private static DataSet read(String name, Path folder, ImageReadOptions reading) {
    if (Idx.isIn(folder)) {
      return Idx.read(name, folder).from(folder);
    }
    return Cifar.in(folder)
        .map(cifar -> cifar.read(name, folder).from(folder))
        .orElseGet(() -> ImageFolder.read(name, folder, reading));
  }

  private static Path path(String spec, String path) {
    try {
      return HomeFolder.path(path);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(unknown(spec), e);
    }
  }

  private static Path folder(Path path) {
    if (!Files.isDirectory(path)) {
      throw new BadFileException(
          path, Files.exists(path) ? noFolder(path) : "there is no such folder; check the path");
    }
    return path;
  }

  private static Path shards(Path place) {
    if (!Files.exists(place)) {
      throw new BadFileException(
          place, "there is no such folder or list of shards; check the path");
    }
    if (FolderScan.extension(place).equals("tar")) {
      throw new BadFileException(
          place, "shards are given as their folder, or as a file that lists them, not one by one");
    }
    return place;
  }

  /// Says what to do with a file where a folder is needed, depending on what the file is.
  private static String noFolder(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    if (ARCHIVE.matcher(name).find()) {
      return "a data set is a folder, but this is an archive; unpack it and give the folder";
    }
    return Text.looksLikeOne(file)
        ? "a data set is a folder, but this is a file with text; to learn a text, write text:"
            + file
        : "a data set is a folder, but this is a file; give the folder that it lies in";
  }

  private static boolean looksLikePath(String spec) {
    return spec.contains("/") || spec.contains("\\") || spec.startsWith(".");
  }

  private static String unknown(String spec) {
    return "unknown data set '%s'%s%n%s"
        .formatted(
            spec,
            Spelling.nearest(spec, NAMES).map(": did you mean %s?"::formatted).orElse(""),
            UNDERSTOOD);
  }
}
