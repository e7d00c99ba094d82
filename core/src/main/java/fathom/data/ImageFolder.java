package fathom.data;

import fathom.BadFileException;
import fathom.Draw;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A folder per class: `DIR/train/CLASS/*` with `DIR/test/CLASS/*` (or `val` for `test`), or
/// `DIR/CLASS/*` only.
///
/// Classes are the names of the folders, sorted; pictures are sorted by name within their class.
/// Where there is no test folder, a fifth of each class is for testing. It is drawn by a key of its
/// own and not by the seed of a run: nothing may ever be tested with what another run trained on.
/// [Pictures] says which files are read and how sizes are made equal.
final class ImageFolder {
  /// What the file managers of Windows leave behind. Names that start with a dot are skipped as
  /// well.
  private static final Set<String> LITTER = Set.of("thumbs.db", "desktop.ini");

  private ImageFolder() {}

  static DataSet read(String name, Path folder) {
    Path train = folder.resolve("train");
    Path test = folder.resolve(Files.isDirectory(folder.resolve("test")) ? "test" : "val");
    if (Files.isDirectory(train) && Files.isDirectory(test)) {
      SortedMap<String, List<Path>> trainClasses = classes(train);
      SortedMap<String, List<Path>> testClasses = classes(test);
      checkSame(test, trainClasses.keySet(), testClasses.keySet());
      return decode(name, folder, trainClasses, testClasses);
    }
    // A folder called train may also be a class, next to car and ship; then pictures lie in it.
    if (Files.isDirectory(train) && list(train).stream().anyMatch(Files::isDirectory)) {
      throw new BadFileException(
          folder,
          "there is a folder train, but neither test nor val; add one with the same classes");
    }
    return split(name, folder, classes(folder));
  }

  private static DataSet split(String name, Path folder, SortedMap<String, List<Path>> classes) {
    SortedMap<String, List<Path>> train = new TreeMap<>();
    SortedMap<String, List<Path>> test = new TreeMap<>();
    classes.forEach((label, files) -> {
      int[] rank = Draw.of(0, "split").at(train.size()).permutation(files.size());
      long fifth = Math.round(files.size() / 5.0);
      train.put(label, pick(files, i -> rank[i] >= fifth));
      test.put(label, pick(files, i -> rank[i] < fifth));
    });
    if (test.values().stream().allMatch(List::isEmpty)) {
      throw new BadFileException(
          folder,
          "a fifth of each class is for testing, which needs a class of at least 3 pictures, but the"
              + " largest has %d; add pictures, or make DIR/train and DIR/test"
                  .formatted(classes.values().stream().mapToInt(List::size).max().orElse(0)));
    }
    return decode(name, folder, train, test);
  }

  private static List<Path> pick(List<Path> files, IntPredicate chosen) {
    return IntStream.range(0, files.size()).filter(chosen).mapToObj(files::get).toList();
  }

  private static DataSet decode(
      String name,
      Path folder,
      SortedMap<String, List<Path>> train,
      SortedMap<String, List<Path>> test) {
    Pictures.Form form =
        Pictures.form(
            Stream.of(train, test)
                .flatMap(split -> split.values().stream())
                .flatMap(List::stream)
                .toList());
    return new DataSet(
        name,
        List.copyOf(train.keySet()),
        Pictures.read(folder, List.copyOf(train.values()), form),
        Pictures.read(folder, List.copyOf(test.values()), form));
  }

  private static void checkSame(Path test, Set<String> trainClasses, Set<String> testClasses) {
    Set<String> onlyTrain = new TreeSet<>(trainClasses);
    onlyTrain.removeAll(testClasses);
    Set<String> onlyTest = new TreeSet<>(testClasses);
    onlyTest.removeAll(trainClasses);
    if (!onlyTrain.isEmpty() || !onlyTest.isEmpty()) {
      throw new BadFileException(
          test,
          "training and test must have the same class folders, but only for training there are %s,"
                  .formatted(some(onlyTrain))
              + " only for testing %s; add or remove them".formatted(some(onlyTest)));
    }
  }

  private static String some(Set<String> names) {
    return names.size() <= 5
        ? names.toString()
        : names.stream().limit(5).toList() + " and %d more".formatted(names.size() - 5);
  }

  /// The picture files of each class folder in `folder`.
  private static SortedMap<String, List<Path>> classes(Path folder) {
    SortedMap<String, List<Path>> classes = new TreeMap<>();
    for (Path path : list(folder)) {
      if (Files.isDirectory(path)) {
        classes.put(path.getFileName().toString(), pictures(path));
      }
    }
    if (classes.isEmpty()) {
      throw new BadFileException(
          folder,
          "a folder per class was expected, with its pictures in it, but there is no folder (nor the"
              + " IDX files of MNIST, nor the CIFAR-10 binary version); give the folder above them");
    }
    return classes;
  }

  private static List<Path> pictures(Path folder) {
    List<Path> files = list(folder);
    if (files.isEmpty()) {
      throw new BadFileException(
          folder, "this class folder has no pictures; add some, or remove the folder");
    }
    for (Path file : files) {
      if (!Files.isRegularFile(file)) {
        throw new BadFileException(
            file,
            "pictures must lie in their class folder itself, but this is no file; move it or give the"
                + " folder that has the class folders in it");
      }
    }
    return files;
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> paths = Files.list(folder)) {
      return paths
          .filter(path -> !skipped(path.getFileName().toString()))
          .sorted(Comparator.comparing(path -> path.getFileName().toString()))
          .toList();
    } catch (IOException e) {
      throw new BadFileException(folder, "the folder cannot be read (%s)".formatted(e), e);
    }
  }

  private static boolean skipped(String name) {
    return name.startsWith(".") || LITTER.contains(name.toLowerCase(Locale.ROOT));
  }
}
