package fathom.data;

import fathom.BadFileException;
import fathom.Draw;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A folder per class: `DIR/train/CLASS/*` with `DIR/test/CLASS/*` (or `val` for `test`; where both
/// are there, those of `val` judge the epochs of a training), or `DIR/CLASS/*` only.
///
/// Classes are the names of the folders, sorted; pictures are sorted by name within their class.
/// Where there is no test folder, a fifth of each class is for testing. It is drawn by a key of its
/// own and not by the seed of a run: nothing may ever be tested with what another run trained on.
///
/// Pictures that have one size keep it, and without a size that is asked for others are scaled to
/// 32×32: the largest centred square of each. If all are grey they have one channel, otherwise all
/// have three. Files that cannot be decoded are left out after the split, so that one that is
/// mended moves no other.
final class ImageFolder {
  private static final int SIDE = 32;

  /// What the file managers of Windows leave behind. Names that start with a dot are skipped as
  /// well.
  private static final Set<String> LITTER = Set.of("thumbs.db", "desktop.ini");

  private ImageFolder() {}

  /// The picture files of each class, for each purpose.
  ///
  /// @param validation null where epochs are judged by what is for testing
  private record Layout(
      SortedMap<String, List<Path>> train,
      @Nullable SortedMap<String, List<Path>> validation,
      SortedMap<String, List<Path>> test) {
    List<SortedMap<String, List<Path>>> parts() {
      return validation == null ? List.of(train, test) : List.of(train, validation, test);
    }

    List<Path> files() {
      return parts().stream()
          .flatMap(part -> part.values().stream())
          .flatMap(List::stream)
          .toList();
    }

    Layout without(Set<Path> files) {
      return new Layout(
          without(train, files),
          validation == null ? null : without(validation, files),
          without(test, files));
    }

    private static SortedMap<String, List<Path>> without(
        SortedMap<String, List<Path>> part, Set<Path> files) {
      var rest = new TreeMap<String, List<Path>>();
      part.forEach(
          (label, of) -> rest.put(label, of.stream().filter(f -> !files.contains(f)).toList()));
      return rest;
    }
  }

  static DataSet read(String name, Path folder, Reading reading) {
    Layout all = layout(folder);
    var found = Found.in(all.files());
    if (reading.strict() && !found.damaged.isEmpty()) {
      throw found.damaged.firstEntry().getValue();
    }
    Layout whole = all.without(found.damaged.keySet());
    checkNoneIsEmpty(all, whole, found);
    Scaling.Target size = found.size(reading);
    SortedMap<String, List<Path>> validation = whole.validation;
    return new DataSet(
        name,
        List.copyOf(all.train.keySet()),
        pictures(folder, whole.train, size, reading),
        validation == null ? null : pictures(folder, validation, size, reading),
        pictures(folder, whole.test, size, reading),
        found.survey(),
        new Origin(
            folder,
            sources(folder, whole.train),
            validation == null ? List.of() : sources(folder, validation),
            sources(folder, whole.test)));
  }

  private static List<Origin.Source> sources(Path folder, SortedMap<String, List<Path>> classes) {
    return classes.values().stream()
        .flatMap(List::stream)
        .map(file -> Origin.Source.of(folder, file))
        .toList();
  }

  /// What was seen when every file was decoded.
  ///
  /// @param headers of those that can be decoded
  /// @param damaged the others, in the order of the files, and what is wrong with them
  private record Found(
      List<PictureFile.Header> headers, SequencedMap<Path, BadFileException> damaged) {
    static Found in(List<Path> files) {
      var headers = new PictureFile.@Nullable Header[files.size()];
      var failures = new @Nullable BadFileException[files.size()];
      IntStream.range(0, headers.length)
          .parallel()
          .forEach(i -> {
            try {
              headers[i] = PictureFile.whole(files.get(i));
            } catch (BadFileException e) {
              failures[i] = e;
            }
          });
      var damaged = new LinkedHashMap<Path, BadFileException>();
      for (int i = 0; i < failures.length; i++) {
        BadFileException failure = failures[i];
        if (failure != null) {
          damaged.put(files.get(i), failure);
        }
      }
      return new Found(
          Arrays.stream(headers).filter(Objects::nonNull).map(Objects::requireNonNull).toList(),
          damaged);
    }

    Scaling.Target size(Reading reading) {
      int channels = headers.stream().allMatch(PictureFile.Header::grey) ? 1 : 3;
      Survey.Size first = headers.getFirst().size();
      if (reading.size() == 0 && headers.stream().allMatch(h -> h.size().equals(first))) {
        return new Scaling.Target(channels, first.height(), first.width());
      }
      int side = reading.size() == 0 ? SIDE : reading.size();
      return new Scaling.Target(channels, side, side);
    }

    Survey survey() {
      var formats = new TreeMap<String, Integer>();
      headers.forEach(header -> formats.merge(header.format(), 1, Integer::sum));
      List<Survey.Size> sizes =
          headers.stream()
              .map(PictureFile.Header::size)
              .sorted(Comparator.comparingLong(Survey.Size::pixels))
              .toList();
      return new Survey(
          formats,
          sizes.getFirst(),
          sizes.get(sizes.size() / 2),
          sizes.getLast(),
          damaged.entrySet().stream()
              .map(e ->
                  new Survey.Skipped(
                      e.getKey().toString(), String.valueOf(e.getValue().getMessage())))
              .toList());
    }
  }

  /// A class that had pictures still has some.
  private static void checkNoneIsEmpty(Layout all, Layout whole, Found found) {
    for (int part = 0; part < all.parts().size(); part++) {
      SortedMap<String, List<Path>> left = whole.parts().get(part);
      all.parts()
          .get(part)
          .forEach((label, files) -> {
            if (!files.isEmpty() && left.getOrDefault(label, List.of()).isEmpty()) {
              Path first = files.getFirst();
              throw new BadFileException(
                  Objects.requireNonNullElse(first.getParent(), first),
                  "none of the %s pictures of the class %s can be decoded; the first: %s"
                      .formatted(
                          files.size(),
                          label,
                          Objects.requireNonNull(found.damaged.get(first)).getMessage()));
            }
          });
    }
  }

  private static Pictures pictures(
      Path folder, SortedMap<String, List<Path>> classes, Scaling.Target size, Reading reading) {
    List<Path> files = classes.values().stream().flatMap(List::stream).toList();
    var sizes = classes.values().stream().mapToInt(List::size).toArray();
    int[] labels =
        IntStream.range(0, sizes.length)
            .flatMap(label -> IntStream.generate(() -> label).limit(sizes[label]))
            .toArray();
    return reading.size() > 0
        ? new Photos(size.channels(), size.width(), files, labels)
        : inMemory(folder, files, labels, size);
  }

  private static Images inMemory(Path folder, List<Path> files, int[] labels, Scaling.Target size) {
    long bytes = (long) size.channels() * size.height() * size.width();
    if (bytes * labels.length > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most 2 GiB of pictures fit into one array, but there are %s of %s×%s×%s; make them smaller, or give --size to leave them in their files"
              .formatted(labels.length, size.channels(), size.height(), size.width()));
    }
    byte[] pixels = new byte[(int) bytes * labels.length];
    View view = View.largest(size.height(), size.width());
    IntStream.range(0, labels.length)
        .parallel()
        .forEach(i -> PictureFile.read(files.get(i), view, size, pixels, i * (int) bytes));
    return new Images(size.channels(), size.height(), size.width(), pixels, labels);
  }

  private static Layout layout(Path folder) {
    Path train = folder.resolve("train");
    Path validation = folder.resolve("val");
    boolean judged = Files.isDirectory(folder.resolve("test"));
    Path test = judged ? folder.resolve("test") : validation;
    if (Files.isDirectory(train) && Files.isDirectory(test)) {
      SortedMap<String, List<Path>> trainClasses = classes(train);
      return new Layout(
          trainClasses,
          judged && Files.isDirectory(validation) ? same(validation, trainClasses.keySet()) : null,
          same(test, trainClasses.keySet()));
    }
    // A folder called train may also be a class, next to car and ship; then pictures lie in it.
    if (Files.isDirectory(train) && list(train).stream().anyMatch(Files::isDirectory)) {
      throw new BadFileException(
          folder,
          "there is a folder train, but neither test nor val; add one with the same classes");
    }
    return split(folder, classes(folder));
  }

  private static Layout split(Path folder, SortedMap<String, List<Path>> classes) {
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
          "a fifth of each class is for testing, which needs a class of at least 3 pictures, but"
              + " the"
              + " largest has %s; add pictures, or make DIR/train and DIR/test"
                  .formatted(classes.values().stream().mapToInt(List::size).max().orElse(0)));
    }
    return new Layout(train, null, test);
  }

  private static List<Path> pick(List<Path> files, IntPredicate chosen) {
    return IntStream.range(0, files.size()).filter(chosen).mapToObj(files::get).toList();
  }

  /// The classes of `folder`, which must be these.
  private static SortedMap<String, List<Path>> same(Path folder, Set<String> trainClasses) {
    SortedMap<String, List<Path>> classes = classes(folder);
    checkSame(folder, trainClasses, classes.keySet());
    return classes;
  }

  private static void checkSame(Path here, Set<String> trainClasses, Set<String> classes) {
    Set<String> onlyTrain = new TreeSet<>(trainClasses);
    onlyTrain.removeAll(classes);
    Set<String> onlyHere = new TreeSet<>(classes);
    onlyHere.removeAll(trainClasses);
    if (!onlyTrain.isEmpty() || !onlyHere.isEmpty()) {
      throw new BadFileException(
          here,
          "it must have the same class folders as train, but only in train there are %s,"
                  .formatted(some(onlyTrain))
              + " only here %s; add or remove them".formatted(some(onlyHere)));
    }
  }

  private static String some(Set<String> names) {
    return names.size() <= 5
        ? names.toString()
        : names.stream().limit(5).toList() + " and %s more".formatted(names.size() - 5);
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
          "a folder per class was expected, with its pictures in it, but there is no folder (nor"
              + " the IDX files of MNIST, nor the CIFAR-10 binary version); give the folder above"
              + " them");
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
            "pictures must lie in their class folder itself, but this is no file; move it or give"
                + " the folder that has the class folders in it");
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
