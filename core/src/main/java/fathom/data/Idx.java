package fathom.data;

import fathom.io.BadFileException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/// Reads the four IDX files in which MNIST and similar data sets are published, plain or as gzip.
///
/// All numbers are big-endian. A file of images is the magic number 2051, then N, H, W (32 bits
/// each), then `N×H×W` bytes. A file of labels is the magic number 2049, then N, then N bytes. The
/// format has no class names, so they are the numbers from 0 to 9, or up to the largest label.
/// Labels that exceed 9 and do not include 0 count from 1, as those of the letters of EMNIST do,
/// and so do the names.
final class Idx {
  private static final int IMAGES = 2051;
  private static final int LABELS = 2049;

  /// The largest factor by which gzip can shrink data: no stream of `n` bytes inflates to more than
  /// `n` times this.
  private static final long MOST_INFLATED = 1032;

  private Idx() {}

  /// Returns whether at least one of the four files is in the folder.
  static boolean isIn(Path folder) {
    for (String split : List.of("train", "t10k")) {
      if (find(folder, split, "images", 3) != null || find(folder, split, "labels", 1) != null) {
        return true;
      }
    }
    return false;
  }

  static DataSet read(String name, Path folder) {
    Images train = split(folder, "train");
    Images test = split(folder, "t10k");
    if (train.height() != test.height() || train.width() != test.width()) {
      throw new BadFileException(
          need(folder, "t10k", "images", 3),
          "the images are %s×%s, but those for training are %s×%s; do the files belong together?"
              .formatted(test.height(), test.width(), train.height(), train.width()));
    }
    int first = first(train.labels(), test.labels());
    int last = last(need(folder, "train", "labels", 1), train.labels(), first);
    for (int label : test.labels()) {
      if (label < first || label > last) {
        throw new BadFileException(
            need(folder, "t10k", "labels", 1),
            "there is a label %s, but training has the classes %s to %s; do the files belong together?"
                .formatted(label, first, last));
      }
    }
    return new DataSet(
        name,
        IntStream.rangeClosed(first, last).mapToObj(Integer::toString).toList(),
        from(first, train),
        from(first, test));
  }

  /// Returns the number from which both files count their classes. It is 1 if no label is 0 and the
  /// labels exceed 9; otherwise it is 0, because a small extract of ten digits may lack the 0.
  private static int first(int[] train, int[] test) {
    int smallest = IntStream.concat(IntStream.of(train), IntStream.of(test)).min().orElse(0);
    return smallest > 0 && IntStream.of(train).max().orElse(0) > 9 ? 1 : 0;
  }

  /// Returns the same images, with labels that are positions in a list of classes that begins with
  /// `first`.
  private static Images from(int first, Images images) {
    return new Images(
        images.channels(),
        images.height(),
        images.width(),
        images.pixels(),
        IntStream.of(images.labels()).map(label -> label - first).toArray());
  }

  private static Images split(Path folder, String split) {
    Path labelFile = need(folder, split, "labels", 1);
    Values images = values(need(folder, split, "images", 3), IMAGES, 3);
    Values labels = values(labelFile, LABELS, 1);
    int count = images.sizes[0];
    if (labels.sizes[0] != count) {
      throw new BadFileException(
          labelFile,
          "%s images need %s labels, but the file has %s; is it the file of the other split?"
              .formatted(count, count, labels.sizes[0]));
    }
    return new Images(
        1,
        images.sizes[1],
        images.sizes[2],
        images.bytes,
        IntStream.range(0, count).map(i -> Byte.toUnsignedInt(labels.bytes[i])).toArray());
  }

  /// Returns the largest class, at least 9, because a small extract of MNIST may lack some digits.
  /// Throws if the labels exceed 9 and a number up to the largest is missing: then a single large
  /// label is a damaged byte, or the file belongs to other data.
  private static int last(Path file, int[] labels, int first) {
    int[] images = new int[256];
    int largest = 9;
    for (int label : labels) {
      images[label]++;
      largest = Math.max(largest, label);
    }
    for (int label = first; label < largest && largest > 9; label++) {
      if (images[label] == 0) {
        throw new BadFileException(
            file,
            "classes are counted from 0, or all of them from 1, without a gap, but there is a label %s and none is %s; is the file damaged, or are the labels for testing of other data?"
                .formatted(largest, label));
      }
    }
    return largest;
  }

  private static Path need(Path folder, String split, String what, int dims) {
    Path file = find(folder, split, what, dims);
    if (file == null) {
      throw new BadFileException(
          folder,
          "an IDX data set is four files, but %s-%s-idx%s-ubyte (or .gz) is missing; add it"
              .formatted(split, what, dims));
    }
    return file;
  }

  private static @Nullable Path find(Path folder, String split, String what, int dims) {
    for (String separator : List.of("-", ".")) {
      for (String end : List.of("", ".gz")) {
        Path file = folder.resolve(split + "-" + what + separator + "idx" + dims + "-ubyte" + end);
        if (Files.exists(file)) {
          return file;
        }
      }
    }
    return null;
  }

  /// The content of a file: its sizes, outermost first, and as many bytes as their product.
  private record Values(int[] sizes, byte[] bytes) {}

  private static Values values(Path file, int magic, int dims) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(file, "an IDX file was expected, but this is no file; replace it");
    }
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      raw.mark(2);
      boolean gzip = raw.read() == 0x1f && raw.read() == 0x8b;
      raw.reset();
      DataInputStream in = new DataInputStream(gzip ? new GZIPInputStream(raw, 1 << 16) : raw);
      checkMagic(file, in.readInt(), magic);
      int[] sizes = new int[dims];
      for (int d = 0; d < dims; d++) {
        sizes[d] = in.readInt();
      }
      int length = length(file, sizes);
      checkFileSize(file, gzip, length + 4L + 4L * dims);
      byte[] bytes = new byte[length];
      in.readFully(bytes);
      if (in.read() >= 0) {
        throw new BadFileException(
            file,
            "the header promises %s values, but more follow; is it damaged?".formatted(length));
      }
      return new Values(sizes, bytes);
    } catch (EOFException e) {
      throw new BadFileException(file, "the file ends too early; copy it again", e);
    } catch (IOException e) {
      throw new BadFileException(
          file, "the file cannot be read (%s); is it damaged?".formatted(e.getMessage()), e);
    }
  }

  private static void checkMagic(Path file, int found, int magic) {
    if (found != magic) {
      throw new BadFileException(
          file,
          "IDX %s start with the number %s, but this file starts with %s; is it another file?"
              .formatted(magic == IMAGES ? "images" : "labels", magic, found));
    }
  }

  private static int length(Path file, int[] sizes) {
    long length = 1;
    for (int size : sizes) {
      // The length is below 2^31 before and after each factor, so the product cannot overflow.
      length = size < 1 ? Long.MAX_VALUE : length * size;
      if (length > Integer.MAX_VALUE - 8) {
        throw new BadFileException(
            file,
            "sizes must be at least 1 and their product below 2^31, but the header says %s"
                .formatted(
                    IntStream.of(sizes)
                        .mapToObj(Integer::toUnsignedString)
                        .collect(Collectors.joining("×"))));
      }
    }
    return (int) length;
  }

  private static void checkFileSize(Path file, boolean gzip, long expected) throws IOException {
    long size = Files.size(file);
    if (gzip ? expected > size * MOST_INFLATED : expected != size) {
      throw new BadFileException(
          file,
          "the header promises %s bytes, but the file has %s%s; is it damaged or cut short?"
              .formatted(expected, size, gzip ? " (gzip), which cannot hold them" : ""));
    }
  }
}
