package fathom.data;

import fathom.BadFileException;
import fathom.Draw;
import fathom.Spelling;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Pictures to train with and pictures to test with, of the same size and the same classes.
///
/// @param name what the user called it: `digits` or a path
/// @param classes the name of each class; a label is a position in this list
public record DataSet(String name, List<String> classes, Images train, Images test)
    implements Data {
  private static final String UNDERSTOOD =
      """
      DATA is one of
        digits        1797 handwritten digits of 8×8, which come with Fathom
        images:DIR    a folder per class: DIR/train/CLASS/* and DIR/test/CLASS/*, or DIR/CLASS/*
        text:FILE     a text in UTF-8, for the nets that learn characters
        mnist, fashion-mnist, cifar10, cifar100
                      a folder of this name below $FATHOM_DATA, $XDG_DATA_HOME/fathom or
                      ~/.local/share/fathom; "fathom data get NAME" fetches it
        a path        a folder with the four IDX files of MNIST (train-images-idx3-ubyte, ...), with the
                      binary version of CIFAR-10 or CIFAR-100, or with a folder per class\
      """;

  private static final List<String> NAMES =
      Stream.concat(Stream.of("digits"), Catalogue.entries().stream().map(Catalogue.Entry::name))
          .toList();

  public DataSet {
    classes = List.copyOf(classes);
    if (train.channels() != test.channels()
        || train.height() != test.height()
        || train.width() != test.width()) {
      throw new IllegalArgumentException(
          "training and test pictures must have one size, but they are %s and %s"
              .formatted(train, test));
    }
    checkLabels("training", train, classes.size());
    checkLabels("test", test, classes.size());
  }

  /// `count` training pictures, drawn by `seed`, in place of the test pictures, and the others to
  /// train with; both in the order in which they are. Throws `IllegalArgumentException` unless
  /// pictures to train with are left.
  public DataSet validation(int count, long seed) {
    int all = train.count();
    if (count < 1 || count >= all) {
      throw new IllegalArgumentException(
          "of %d training pictures 1 to %d can be kept for validation, but %d were asked for"
              .formatted(all, all - 1, count));
    }
    int[] drawn = Draw.of(seed, "validation").permutation(all);
    int[] rest = Arrays.copyOf(drawn, all - count);
    int[] kept = Arrays.copyOfRange(drawn, all - count, all);
    Arrays.sort(rest);
    Arrays.sort(kept);
    return new DataSet(name, classes, train.select(rest), train.select(kept));
  }

  private static void checkLabels(String split, Images images, int classes) {
    for (int label : images.labels()) {
      if (label >= classes) {
        throw new IllegalArgumentException(
            "%d classes have the labels 0 to %d, but a %s picture has %d"
                .formatted(classes, classes - 1, split, label));
      }
    }
  }

  /// Reads the data set that `spec` names: `digits`, `images:DIR`, the path of a folder, or a
  /// well-known name such as `mnist` whose folder lies where data is kept.
  ///
  /// A folder is recognised by the files in it: the four IDX files of MNIST, the binary versions of
  /// CIFAR, or else a folder per class. A name of Fathom's own wins over a folder that is called
  /// the same: write `./digits` for the folder.
  ///
  /// Throws `IllegalArgumentException` for a name that means nothing here and [BadFileException]
  /// for a path that is missing or whose content is not what it should be.
  public static DataSet open(String spec) {
    return open(spec, System::getenv);
  }

  static DataSet open(String spec, Function<String, @Nullable String> environment) {
    if (spec.equals("digits")) {
      return Digits.read();
    }
    if (spec.startsWith("images:") && spec.length() > "images:".length()) {
      return ImageFolder.read(spec, folder(path(spec, spec.substring("images:".length()))));
    }
    if (Data.isText(spec)) {
      throw new IllegalArgumentException(
          "pictures are needed, but %s is a text; give digits or a folder of pictures"
              .formatted(spec));
    }
    Optional<Catalogue.Entry> known = Catalogue.find(spec);
    if (known.isPresent()) {
      return named(spec, known.get(), Catalogue.places(environment));
    }
    Path path = path(spec, spec);
    if (spec.isBlank() || !(Files.exists(path) || looksLikePath(spec))) {
      throw new IllegalArgumentException(unknown(spec));
    }
    return read(spec, folder(path));
  }

  private static DataSet named(String spec, Catalogue.Entry entry, List<Path> places) {
    Optional<Path> there = Catalogue.folder(entry, places);
    if (there.isPresent()) {
      return read(spec, there.get());
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

  private static DataSet read(String name, Path folder) {
    if (Idx.isIn(folder)) {
      return Idx.read(name, folder);
    }
    return Cifar.in(folder)
        .map(cifar -> cifar.read(name, folder))
        .orElseGet(() -> ImageFolder.read(name, folder));
  }

  private static Path path(String spec, String path) {
    try {
      return Path.of(path);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(unknown(spec), e);
    }
  }

  private static Path folder(Path path) {
    if (!Files.isDirectory(path)) {
      throw new BadFileException(
          path,
          Files.exists(path)
              ? "a data set is a folder, but this is a file; give the folder that it lies in"
              : "there is no such folder; check the path");
    }
    return path;
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
