package fathom.data;

import fathom.BadFileException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/// The CIFAR-10 binary version: `data_batch_1.bin` to `data_batch_5.bin` for training and
/// `test_batch.bin`.
///
/// A file is a row of records of 3073 bytes: the label, 0 to 9, then 32×32 red, green and blue
/// values. `batches.meta.txt`, where there is one, has the ten class names, a line each.
final class Cifar10 {
  private static final List<String> TRAIN =
      IntStream.rangeClosed(1, 5).mapToObj("data_batch_%d.bin"::formatted).toList();
  private static final List<String> TEST = List.of("test_batch.bin");
  private static final List<String> CLASSES =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");
  private static final int SIDE = 32;
  private static final int SIZE = 3 * SIDE * SIDE;
  private static final int RECORD = 1 + SIZE;

  private Cifar10() {}

  /// Whether at least one of the six files is in the folder.
  static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(TEST.getFirst()))
        || TRAIN.stream().anyMatch(file -> Files.exists(folder.resolve(file)));
  }

  static DataSet read(String name, Path folder) {
    return new DataSet(name, classes(folder), images(folder, TRAIN), images(folder, TEST));
  }

  private static List<String> classes(Path folder) {
    Path file = folder.resolve("batches.meta.txt");
    if (!Files.exists(file)) {
      return CLASSES;
    }
    try {
      if (Files.size(file) > 1 << 16) {
        throw new BadFileException(file, "ten short lines were expected; remove or replace it");
      }
      List<String> lines = Files.readAllLines(file).stream().filter(s -> !s.isBlank()).toList();
      if (lines.size() != CLASSES.size() || lines.stream().distinct().count() != lines.size()) {
        throw new BadFileException(
            file,
            "ten different class names were expected, but the file has %s; remove or replace it"
                .formatted(lines));
      }
      return lines.stream().map(String::strip).toList();
    } catch (IOException e) {
      throw new BadFileException(
          file, "the class names cannot be read (%s); remove or replace it".formatted(e), e);
    }
  }

  private static Images images(Path folder, List<String> files) {
    long records = 0;
    for (String file : files) {
      records += records(folder.resolve(file));
    }
    if (records * SIZE > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most %d pictures fit into one array, but the files have %d; leave some out"
              .formatted((Integer.MAX_VALUE - 8) / SIZE, records));
    }
    byte[] pixels = new byte[(int) records * SIZE];
    int[] labels = new int[(int) records];
    int from = 0;
    for (String file : files) {
      Path path = folder.resolve(file);
      int to = from + records(path);
      read(path, pixels, labels, from, to);
      from = to;
    }
    return new Images(3, SIDE, SIDE, pixels, labels);
  }

  private static int records(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file, "the CIFAR-10 binary version is six .bin files, but this one is missing; add it");
    }
    try {
      long size = Files.size(file);
      if (size == 0 || size % RECORD != 0 || size / RECORD > Integer.MAX_VALUE) {
        throw new BadFileException(
            file,
            "a file is a row of records of %d bytes, but it has %d; is it damaged or cut short?"
                .formatted(RECORD, size));
      }
      return (int) (size / RECORD);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static void read(Path file, byte[] pixels, int[] labels, int from, int to) {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      for (int i = from; i < to; i++) {
        labels[i] = in.read();
        if (labels[i] < 0 || in.readNBytes(pixels, i * SIZE, SIZE) < SIZE) {
          throw new BadFileException(file, "the file became shorter while it was read; try again");
        }
        if (labels[i] >= CLASSES.size()) {
          throw new BadFileException(
              file,
              "labels are 0 to 9, but record %d has %d; is it the CIFAR-10 binary version, undamaged?"
                  .formatted(i - from, labels[i]));
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
