package fathom.data;

import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Reads the binary versions of CIFAR-10 (`data_batch_1.bin` to `data_batch_5.bin` for training and
/// `test_batch.bin`) and of CIFAR-100 (`train.bin` and `test.bin`).
///
/// A file is a sequence of records. A record of CIFAR-10 is the label, then 32×32 red, green and
/// blue values. A record of CIFAR-100 begins with the label of one of 20 groups, which is not used,
/// followed by the label of one of 100 classes. A file of class names, one per line, may lie beside
/// them.
///
/// @param train the names of the files for training
/// @param test the names of the files for testing
/// @param labels the number of label bytes before the pixels, of which the last is the class
/// @param classes the number of classes
/// @param names the name of the file of class names
/// @param usual the class names that are used where there is no such file
record Cifar(
    String title,
    List<String> train,
    List<String> test,
    int labels,
    int classes,
    String names,
    List<String> usual) {
  private static final int LONGEST_NAMES = 1 << 16;
  private static final int SIDE = 32;
  private static final int SIZE = 3 * SIDE * SIDE;

  private static final Cifar TEN =
      new Cifar(
          "CIFAR-10",
          IntStream.rangeClosed(1, 5).mapToObj("data_batch_%s.bin"::formatted).toList(),
          List.of("test_batch.bin"),
          1,
          10,
          "batches.meta.txt",
          List.of(
              "airplane",
              "automobile",
              "bird",
              "cat",
              "deer",
              "dog",
              "frog",
              "horse",
              "ship",
              "truck"));

  private static final Cifar HUNDRED =
      new Cifar(
          "CIFAR-100",
          List.of("train.bin"),
          List.of("test.bin"),
          2,
          100,
          "fine_label_names.txt",
          IntStream.range(0, 100).mapToObj(Integer::toString).toList());

  /// Returns the version of which at least one file is in the folder, or empty.
  static Optional<Cifar> in(Path folder) {
    return Stream.of(TEN, HUNDRED)
        .filter(version ->
            Stream.concat(version.train.stream(), version.test.stream())
                .anyMatch(file -> Files.exists(folder.resolve(file))))
        .findFirst();
  }

  DataSet read(String name, Path folder) {
    return new DataSet(name, classNames(folder), images(folder, train), images(folder, test));
  }

  private int record() {
    return labels + SIZE;
  }

  private List<String> classNames(Path folder) {
    Path file = folder.resolve(names);
    if (!Files.exists(file)) {
      return usual;
    }
    List<String> lines =
        RegularFile.text(file, LONGEST_NAMES).lines().filter(s -> !s.isBlank()).toList();
    if (lines.size() != classes || lines.stream().distinct().count() != lines.size()) {
      throw new BadFileException(
          file,
          "%s different class names were expected, but the file has %s lines, %s; remove or replace it"
              .formatted(
                  classes,
                  lines.size(),
                  lines.stream().limit(10).toList() + (lines.size() > 10 ? " and more" : "")));
    }
    return lines.stream().map(String::strip).toList();
  }

  private Images images(Path folder, List<String> files) {
    long records = 0;
    for (String file : files) {
      records += records(folder.resolve(file));
    }
    if (records * SIZE > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most %s images fit into one array, but the files have %s; leave some out"
              .formatted((Integer.MAX_VALUE - 8) / SIZE, records));
    }
    byte[] pixels = new byte[(int) records * SIZE];
    int[] of = new int[(int) records];
    int from = 0;
    for (String file : files) {
      Path path = folder.resolve(file);
      int to = from + records(path);
      read(path, pixels, of, from, to);
      from = to;
    }
    return new Images(3, SIDE, SIDE, pixels, of);
  }

  private int records(Path file) {
    if (!Files.exists(file)) {
      throw new BadFileException(
          file,
          "the %s binary version is %s .bin files, but this one is missing; add it"
              .formatted(title, train.size() + test.size()));
    }
    RegularFile.check(file);
    try {
      long size = Files.size(file);
      if (size == 0 || size % record() != 0 || size / record() > Integer.MAX_VALUE) {
        throw new BadFileException(
            file,
            "a file is a row of records of %s bytes, but it has %s; is it damaged or cut short?"
                .formatted(record(), size));
      }
      return (int) (size / record());
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private void read(Path file, byte[] pixels, int[] of, int from, int to) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      for (int i = from; i < to; i++) {
        byte[] given = in.readNBytes(labels);
        if (given.length < labels || in.readNBytes(pixels, i * SIZE, SIZE) < SIZE) {
          throw new BadFileException(file, "the file became shorter while it was read; try again");
        }
        of[i] = Byte.toUnsignedInt(given[labels - 1]);
        if (of[i] >= classes) {
          throw new BadFileException(
              file,
              "labels are 0 to %s, but record %s has %s; is it the %s binary version, undamaged?"
                  .formatted(classes - 1, i - from, of[i], title));
        }
      }
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static BadFileException unreadable(Path file, IOException e) {
    return new BadFileException(file, "the file cannot be read (%s)".formatted(e.getMessage()), e);
  }
}
