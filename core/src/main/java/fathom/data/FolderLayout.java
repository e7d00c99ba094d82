package fathom.data;

import fathom.data.FolderScan.Entry;
import fathom.io.BadFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The image files of each class, for each purpose. The layout is `DIR/train/CLASS/*` with
/// `DIR/test/CLASS/*`, with `DIR/val/CLASS/*` (also called `valid` or `validation`) in its place or
/// in addition; or `DIR/CLASS/*` alone, of which [TestShare] draws a part for testing.
///
/// Names of classes are compared in the Unicode form NFC and shown as they are on disk. Every class
/// has images to train with. A class may have none to test with, which the caller reports. Files
/// and folders beside the expected ones are ignored, and a notice says so.
///
/// @param classes the names on disk, in the order of the labels
/// @param train the files of each class, a list for each label
/// @param validation the same for validation; null if the epochs are validated with the test images
/// @param test the same for testing
/// @param others the number of files that are plainly no images, by extension
/// @param notices sentences about what was ignored
record FolderLayout(
    List<String> classes,
    List<List<Entry>> train,
    @Nullable List<List<Entry>> validation,
    List<List<Entry>> test,
    NavigableMap<String, Integer> others,
    List<String> notices) {
  static final String TRAIN = "train";
  static final String TEST = "test";

  /// The possible names of the folder with the validation data.
  static final List<String> VALIDATION = List.of("val", "valid", "validation");

  /// The number of names that a message lists.
  private static final int NAMED = 5;

  /// Returns the parts that exist, in the order train, validation, test.
  List<List<List<Entry>>> parts() {
    List<List<Entry>> judges = validation;
    return judges == null ? List.of(train, test) : List.of(train, judges, test);
  }

  /// Finds the files in `folder`. Throws [BadFileException] if the folder has another layout.
  ///
  /// @param split how the images are divided if the folder has no part for testing
  static FolderLayout of(Path folder, ImageReadOptions.Split split) {
    return new Finder().layout(folder, split);
  }

  /// Returns `[a, b, c]`; of many names the first five, and how many more there are.
  static String some(Collection<String> names) {
    return names.size() <= NAMED
        ? names.toString()
        : names.stream().limit(NAMED).toList() + " and %s more".formatted(names.size() - NAMED);
  }

  private record ClassFolder(String name, Path path) {}

  private static final class Finder {
    private final List<String> notices = new ArrayList<>();
    private final NavigableMap<String, Integer> others = new TreeMap<>();

    FolderLayout layout(Path folder, ImageReadOptions.Split split) {
      FolderScan top = FolderScan.of(folder);
      Path train = named(top, TRAIN);
      Path test = named(top, TEST);
      Path validation = validation(folder, top);
      if (train != null && (test != null || validation != null)) {
        notices.addAll(top.notices());
        return given(folder, top, train, validation, test);
      }
      // A folder called train may also be a class next to car and ship; it then has images in it.
      if (train != null && !FolderScan.of(train).folders().isEmpty()) {
        throw new BadFileException(
            folder,
            "there is a folder train, but neither test nor val (or valid, validation); add one with"
                + " the same classes");
      }
      return drawn(folder, split);
    }

    private static @Nullable Path named(FolderScan scan, String name) {
      return scan.folders().stream()
          .filter(path -> FolderScan.name(path).equals(name))
          .findFirst()
          .orElse(null);
    }

    private static @Nullable Path validation(Path folder, FolderScan top) {
      List<Path> there =
          VALIDATION.stream().flatMap(name -> Stream.ofNullable(named(top, name))).toList();
      if (there.size() > 1 && named(top, TRAIN) != null) {
        throw new BadFileException(
            folder,
            "one folder has the validation data, but there are %s; put them together, or rename one"
                .formatted(there.stream().map(FolderScan::name).toList()));
      }
      return there.isEmpty() ? null : there.getFirst();
    }

    private FolderLayout given(
        Path folder, FolderScan top, Path train, @Nullable Path validation, @Nullable Path test) {
      Set<Path> known = new TreeSet<>();
      Stream.of(train, validation, test).flatMap(Stream::ofNullable).forEach(known::add);
      passedOver(
          Stream.concat(
                  top.folders().stream().filter(path -> !known.contains(path)),
                  Stream.concat(top.files().stream(), top.others().stream()).map(Entry::path))
              .toList(),
          folder,
          "beside " + known.stream().map(FolderScan::name).toList());
      NavigableMap<String, ClassFolder> classes = classes(train);
      List<String> forms = List.copyOf(classes.keySet());
      return new FolderLayout(
          names(classes),
          classes.values().stream().map(each -> notEmpty(each, looked(each.path))).toList(),
          test == null || validation == null ? null : part(validation, forms),
          part(test == null ? Objects.requireNonNull(validation) : test, forms),
          others,
          notices);
    }

    private static List<String> names(NavigableMap<String, ClassFolder> classes) {
      return classes.values().stream().map(ClassFolder::name).toList();
    }

    private FolderLayout drawn(Path folder, ImageReadOptions.Split split) {
      NavigableMap<String, ClassFolder> classes = classes(folder);
      List<String> onDisk = names(classes).stream().sorted().toList();
      var train = new ArrayList<List<Entry>>();
      var test = new ArrayList<List<Entry>>();
      int largest = 0;
      for (ClassFolder each : classes.values()) {
        FolderScan scan = looked(each.path);
        List<Entry> files = notEmpty(each, scan);
        Set<Entry> tested = TestShare.of(split, onDisk.indexOf(each.name), each.name, scan);
        train.add(files.stream().filter(file -> !tested.contains(file)).toList());
        test.add(files.stream().filter(tested::contains).toList());
        largest = Math.max(largest, files.size());
      }
      if (test.stream().allMatch(List::isEmpty)) {
        throw new BadFileException(
            folder,
            "a fifth of each class is for testing, which needs a class of at least 3 images, but"
                + " the"
                + " largest has %s; add images, or make DIR/train and DIR/test".formatted(largest));
      }
      return new FolderLayout(names(classes), train, null, test, others, notices);
    }

    /// Returns the files in `part` of each of the classes `trained`; a class without a folder has
    /// none.
    private List<List<Entry>> part(Path part, List<String> trained) {
      NavigableMap<String, ClassFolder> classes = classes(part);
      Set<String> more = new TreeSet<>(classes.keySet());
      trained.forEach(more::remove);
      if (!more.isEmpty()) {
        Set<String> missing = new TreeSet<>(trained);
        missing.removeAll(classes.keySet());
        throw new BadFileException(
            part,
            "its class folders must be among those of train, but only here there are %s, and only in train %s; add, rename or remove them"
                .formatted(some(more), some(missing)));
      }
      List<List<Entry>> files =
          trained.stream()
              .map(classes::get)
              .map(each -> each == null ? List.<Entry>of() : looked(each.path).files())
              .toList();
      if (files.stream().allMatch(List::isEmpty)) {
        throw new BadFileException(part, "none of its class folders has images; add some");
      }
      return files;
    }

    /// Returns the class folders in `folder`, by their names in NFC.
    private NavigableMap<String, ClassFolder> classes(Path folder) {
      FolderScan scan = FolderScan.of(folder);
      notices.addAll(scan.notices());
      var classes = new TreeMap<String, ClassFolder>();
      for (Path path : scan.folders()) {
        String name = FolderScan.name(path);
        ClassFolder same = classes.put(FolderScan.form(name), new ClassFolder(name, path));
        if (same != null) {
          throw new BadFileException(
              folder,
              "two class folders have one name, '%s', composed in one and decomposed in the other (Unicode forms NFC and NFD); put them together"
                  .formatted(name));
        }
      }
      if (classes.isEmpty()) {
        throw new BadFileException(
            folder,
            "a folder per class was expected, with its images in it, but there is no folder (nor"
                + " the IDX files of MNIST, nor the CIFAR-10 binary version); give the folder above"
                + " them");
      }
      passedOver(
          Stream.concat(scan.files().stream(), scan.others().stream()).map(Entry::path).toList(),
          folder,
          "beside the class folders");
      return classes;
    }

    private static List<Entry> notEmpty(ClassFolder of, FolderScan scan) {
      if (scan.files().isEmpty()) {
        throw new BadFileException(
            of.path,
            "this class folder has no images%s; add some, or remove the folder"
                .formatted(
                    scan.others().isEmpty()
                        ? ""
                        : " (only %s)"
                            .formatted(
                                some(
                                    scan.others().stream()
                                        .map(file -> FolderScan.name(file.path()))
                                        .toList()))));
      }
      return scan.files();
    }

    private FolderScan looked(Path classFolder) {
      FolderScan scan = FolderScan.of(classFolder);
      if (!scan.folders().isEmpty()) {
        throw new BadFileException(
            scan.folders().getFirst(),
            "images must lie in their class folder itself, but this is a folder in it; move it or"
                + " give the folder that has the class folders in it");
      }
      notices.addAll(scan.notices());
      scan.others()
          .forEach(file -> others.merge(FolderScan.extension(file.path()), 1, Integer::sum));
      return scan;
    }

    private void passedOver(List<Path> paths, Path folder, String where) {
      if (!paths.isEmpty()) {
        notices.add(
            "%s: %s passed over %s: %s"
                .formatted(
                    folder,
                    paths.size(),
                    where,
                    some(paths.stream().map(FolderScan::name).toList())));
      }
    }
  }
}
