package fathom.cli;

import fathom.RandomKey;
import fathom.data.Catalogue;
import fathom.data.DataSet;
import fathom.data.Fetch;
import fathom.data.ImageReadOptions;
import fathom.data.Images;
import fathom.data.Text;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/// The formats of data sets and texts, each with a second reading of what the first one took.
final class DataFiles {
  private DataFiles() {}

  static List<FileFormat> formats() {
    return List.of(idx(), cifar10(), cifar100(), archive(), shards(), text());
  }

  // ---- IDX

  private static final String IMAGES = "train-images-idx3-ubyte";
  private static final String LABELS = "train-labels-idx1-ubyte";

  private static FileFormat idx() {
    var files = new LinkedHashMap<String, byte[]>();
    for (String split : List.of("train", "t10k")) {
      int count = split.equals("train") ? 12 : 4;
      files.put(split + "-images-idx3-ubyte", idx(2051, random(count * 15), count, 3, 5));
      files.put(split + "-labels-idx1-ubyte", idx(2049, labels(count), count));
    }
    var ways = new ArrayList<FileFormat.Way>();
    files.forEach((name, content) -> {
      ways.add(FileFormat.Way.of(name, Mutation.BYTES, content));
      ways.add(FileFormat.Way.of(name, Mutation.BYTES, gzip(content)));
      ways.add(FileFormat.Way.of(name, Mutation.BYTES, content).sealed(DataFiles::gzip));
    });
    return new FileFormat(
        "idx",
        files,
        ways,
        FileFormat.Reading.of(folder -> {
          DataSet read = DataSet.open(folder.toString());
          checkIdx(folder, "train", read.train().images());
          checkIdx(folder, "t10k", read.test().images());
        }),
        List.of(
            refused("2^31 images", IMAGES, idx(2051, random(15), 1 << 31, 3, 5), "2147483648"),
            refused(
                "a gibibyte of one image, packed",
                IMAGES,
                gzip(idx(2051, random(15), 1, 1 << 15, 1 << 15)),
                "cannot hold them"),
            refused("no image", IMAGES, idx(2051, new byte[0], 0, 3, 5), "at least 1"),
            refused("empty", LABELS, new byte[0], "ends too early"),
            refused("half of gzip's header", LABELS, new byte[] {0x1f, (byte) 0x8b, 8}, "ends")));
  }

  private static byte[] idx(int magic, byte[] values, int... sizes) {
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * sizes.length + values.length).putInt(magic);
    for (int size : sizes) {
      file.putInt(size);
    }
    return file.put(values).array();
  }

  private static byte[] labels(int count) {
    byte[] labels = new byte[count];
    for (int i = 0; i < count; i++) {
      labels[i] = (byte) (i % 10);
    }
    return labels;
  }

  private static void checkIdx(Path folder, String split, Images read) throws IOException {
    ByteBuffer images = ByteBuffer.wrap(unpacked(folder.resolve(split + "-images-idx3-ubyte")));
    same(2051, images.getInt(), "magic number of images");
    same(read.count(), images.getInt(), "pictures");
    same(read.height(), images.getInt(), "height");
    same(read.width(), images.getInt(), "width");
    same(images.slice(), ByteBuffer.wrap(read.pixels()), "pixels");
    ByteBuffer labels = ByteBuffer.wrap(unpacked(folder.resolve(split + "-labels-idx1-ubyte")));
    same(2049, labels.getInt(), "magic number of labels");
    same(read.count(), labels.getInt(), "labels");
    for (int label : read.labels()) {
      same(label, Byte.toUnsignedInt(labels.get()), "label");
    }
    same(0, labels.remaining(), "bytes left");
  }

  /// Of a packed file the first member, whose sum has been compared; Java's reader leaves alone
  /// what follows and is no other member, as gzip does.
  private static byte[] unpacked(Path file) throws IOException {
    byte[] content = Files.readAllBytes(file);
    if (content.length < 2 || content[0] != 0x1f || content[1] != (byte) 0x8b) {
      return content;
    }
    content[3] &= 0x1f; // flags that are reserved, which the second reader refuses
    try (var in = new GzipCompressorInputStream(new ByteArrayInputStream(content))) {
      return in.readAllBytes();
    }
  }

  // ---- CIFAR

  private static final int VALUES = 3 * 32 * 32;

  private static FileFormat cifar10() {
    var files = new LinkedHashMap<String, byte[]>();
    for (int b = 1; b <= 5; b++) {
      files.put("data_batch_%s.bin".formatted(b), records(2, 10, 1));
    }
    files.put("test_batch.bin", records(1, 10, 1));
    String names = "batches.meta.txt";
    files.put(names, lines(10));
    return new FileFormat(
        "cifar10",
        files,
        List.of(
            FileFormat.Way.of("data_batch_3.bin", Mutation.BYTES, records(2, 10, 1)),
            FileFormat.Way.of("test_batch.bin", Mutation.BYTES, records(1, 10, 1)),
            FileFormat.Way.of(names, Mutation.text(), lines(10))),
        FileFormat.Reading.of(folder -> {
          DataSet read = DataSet.open(folder.toString());
          var train = IntStream.rangeClosed(1, 5).mapToObj("data_batch_%s.bin"::formatted).toList();
          checkCifar(folder, train, 1, read.train().images());
          checkCifar(folder, List.of("test_batch.bin"), 1, read.test().images());
          checkNames(folder.resolve(names), read.classes());
        }),
        List.of(
            refused("a label of 10", "test_batch.bin", records(1, 256, 1), "labels are 0 to 9"),
            refused("empty", "test_batch.bin", new byte[0], "but it has 0"),
            refused("a byte more", "test_batch.bin", new byte[3074], "3074"),
            refused(
                "a name that moves the cursor",
                names,
                "\u001b[2J\n".repeat(10).getBytes(StandardCharsets.UTF_8),
                "?[2J")));
  }

  private static FileFormat cifar100() {
    String names = "fine_label_names.txt";
    return new FileFormat(
        "cifar100",
        Map.of("train.bin", records(3, 100, 2), "test.bin", records(1, 100, 2), names, lines(100)),
        List.of(
            FileFormat.Way.of("train.bin", Mutation.BYTES, records(3, 100, 2)),
            FileFormat.Way.of("test.bin", Mutation.BYTES, records(1, 100, 2)),
            FileFormat.Way.of(names, Mutation.text(), lines(100))),
        FileFormat.Reading.of(folder -> {
          DataSet read = DataSet.open(folder.toString());
          checkCifar(folder, List.of("train.bin"), 2, read.train().images());
          checkCifar(folder, List.of("test.bin"), 2, read.test().images());
          checkNames(folder.resolve(names), read.classes());
        }),
        List.of(refused("of CIFAR-10", "train.bin", records(3, 10, 1), "3074")));
  }

  /// `labels` bytes of labels below `classes` in front of each image.
  private static byte[] records(int count, int classes, int labels) {
    byte[] records = random(count * (labels + VALUES));
    for (int i = 0; i < count; i++) {
      records[i * (labels + VALUES) + labels - 1] = (byte) (classes - 1 - i);
    }
    return records;
  }

  private static byte[] lines(int count) {
    return IntStream.range(0, count)
        .mapToObj("class %s\n"::formatted)
        .collect(Collectors.joining())
        .getBytes(StandardCharsets.UTF_8);
  }

  private static void checkCifar(Path folder, List<String> files, int labels, Images read)
      throws IOException {
    int i = 0;
    for (String file : files) {
      ByteBuffer records = ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file)));
      while (records.hasRemaining()) {
        records.position(records.position() + labels - 1);
        same(read.labels()[i], Byte.toUnsignedInt(records.get()), "label");
        same(
            records.slice(records.position(), VALUES),
            ByteBuffer.wrap(read.pixels(), i * VALUES, VALUES),
            "pixels");
        records.position(records.position() + VALUES);
        i++;
      }
    }
    same(read.count(), i, "pictures");
  }

  private static void checkNames(Path file, List<String> classes) throws IOException {
    List<String> expected =
        new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.isBlank())
            .map(String::strip)
            .toList();
    same(expected, classes, "names of classes");
  }

  // ---- What is fetched

  /// An archive that is here already and only has to be unpacked.
  private static FileFormat archive() {
    String name = "small.tar.gz";
    byte[] tar = tar("x/train.bin", "x/test.bin", "readme.html");
    byte[] away = tar("../../train.bin", "/tmp/test.bin");
    var entry =
        new Catalogue.Entry(
            "small",
            "four images",
            List.of(
                new Catalogue.Download(
                    URI.create("http://localhost:9/"),
                    List.of(new Catalogue.RemoteFile(name, 1, "")))));
    var nobody =
        new Fetch.Watcher() {
          @Override
          public void tries(Catalogue.Source source) {}

          @Override
          public void failed(Catalogue.Source source, String why) {}

          @Override
          public void at(String file, long bytes, long of) {}
        };
    return new FileFormat(
        "tar.gz",
        Map.of(".small.fetch/" + name, gzip(tar)),
        List.of(
            FileFormat.Way.of(".small.fetch/" + name, Mutation.BYTES, gzip(tar)),
            FileFormat.Way.of(".small.fetch/" + name, Mutation.BYTES, tar, away)
                .sealed(DataFiles::gzip),
            FileFormat.Way.of(".small.fetch/" + name, Mutation.BYTES, tar, away)
                .sealed(mutant -> gzip(withSums(mutant)))),
        folder -> {
          Path target = folder.resolve("small");
          try {
            return FileFormat.Reading.of(
                    f -> {
                      new Fetch(nobody).get(entry, f);
                      same(3, DataSet.open(target.toString()).train().channels(), "channels");
                      Files.createDirectories(f.resolve(".small.fetch"));
                    })
                .of(folder);
          } finally {
            deleteFiles(target);
            deleteFiles(folder.resolve(".small.fetch").resolve("content"));
          }
        },
        List.of(
            read("files of other folders", ".small.fetch/" + name, gzip(away)),
            refused(
                "an archive that is a bomb",
                ".small.fetch/" + name,
                gzip(withSums(withSize(tar, 1L << 33))),
                "more than 1 GiB"),
            refused(
                "a name twice",
                ".small.fetch/" + name,
                gzip(tar("train.bin", "x/train.bin", "test.bin")),
                "train.bin"),
            refused(
                "a name that is none",
                ".small.fetch/" + name,
                gzip(tar("x/train.bin", "x/..")),
                "")));
  }

  private static byte[] tar(String... names) {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes, 512, "UTF-8")) {
      for (String name : names) {
        byte[] content = records(name.contains("train") ? 3 : 1, 100, 2);
        var entry = new TarArchiveEntry(name, true);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  // ---- Shards

  private static FileFormat shards() {
    String name = "train/000000.tar";
    byte[] tar = shard(12);
    return new FileFormat(
        "shards",
        Map.of(name, tar, "test/000000.tar", tar),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, tar),
            FileFormat.Way.of(name, Mutation.BYTES, tar).sealed(DataFiles::withSums)),
        FileFormat.Reading.of(folder -> {
          DataSet read = DataSet.open("shards:" + folder, new ImageReadOptions(2, false));
          checkLabels(folder.resolve(name), read);
        }),
        List.of(
            refused("empty", name, new byte[0], "it is cut short"),
            refused("half", name, Arrays.copyOf(tar, tar.length / 2), "at byte"),
            refused("packed", name, gzip(tar), "at byte"),
            refused("a size beyond the end", name, withSums(withSize(tar, 1L << 30)), "at byte"),
            refused("a wrong sum", name, withSize(tar, 512), "wrong checksum")));
  }

  private static byte[] shard(int samples) {
    var image = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(bytes, 512, "UTF-8")) {
      for (int i = 0; i < samples; i++) {
        image.getRaster().setSample(i % 2, 0, 0, 10 * i);
        var png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        put(tar, i + ".png", png.toByteArray());
        put(tar, i + ".cls", Integer.toString(i % 3).getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void put(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    var entry = new TarArchiveEntry(name, true);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  /// No class has more images than the shard has labels of it, and the images that are missing were
  /// skipped.
  private static void checkLabels(Path shard, DataSet read) throws IOException {
    var labels = new TreeMap<Integer, Integer>();
    try (var in = new TarArchiveInputStream(Files.newInputStream(shard))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        if (entry.getName().endsWith(".cls")) {
          String text = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
          labels.merge(Integer.parseInt(text), 1, Integer::sum);
        }
      }
    }
    for (int label : read.train().labels()) {
      same(true, labels.merge(label, -1, Integer::sum) >= 0, "a label of the shard");
    }
    int left = labels.values().stream().mapToInt(n -> n).sum();
    same(left, Objects.requireNonNull(read.summary()).skipped().size(), "pictures left out");
  }

  /// With another size in the first header.
  private static byte[] withSize(byte[] tar, long size) {
    byte[] changed = tar.clone();
    byte[] octal = "%011o ".formatted(size).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(octal, 0, changed, 124, octal.length);
    return changed;
  }

  /// With the right sum in every header.
  private static byte[] withSums(byte[] tar) {
    byte[] sealed = tar.clone();
    for (int at = 0; at + 512 <= sealed.length; at += 512) {
      if (new String(sealed, at + 257, 5, StandardCharsets.US_ASCII).equals("ustar")) {
        Arrays.fill(sealed, at + 148, at + 156, (byte) ' ');
        int sum = 0;
        for (int i = at; i < at + 512; i++) {
          sum += Byte.toUnsignedInt(sealed[i]);
        }
        byte[] octal = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(octal, 0, sealed, at + 148, octal.length);
      }
    }
    return sealed;
  }

  private static void deleteFiles(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  // ---- Texts

  /// A text is read if and only if it is one, which Java's own lenient reading tells: what it
  /// cannot decode becomes other bytes on the way back.
  private static FileFormat text() {
    String name = "book.txt";
    byte[] plain =
        "To be, or not to be: that is the question.\r\n\t".getBytes(StandardCharsets.UTF_8);
    byte[] whole = "to be or not to be, größ".getBytes(StandardCharsets.UTF_8);
    byte[] cutOff = Arrays.copyOf(whole, whole.length - 1);
    byte[] wide = "\ufeffgrößer 重み 😀 — 'twas brillig, und\n".getBytes(StandardCharsets.UTF_8);
    return new FileFormat(
        "text",
        Map.of(name, plain),
        List.of(
            FileFormat.Way.of(name, Mutation.BYTES, plain, wide),
            FileFormat.Way.of(name, Mutation.text("\u0085", "\u007f", "ÿ"), plain, wide)),
        folder -> {
          byte[] bytes = Files.readAllBytes(folder.resolve(name));
          String lenient = new String(bytes, StandardCharsets.UTF_8);
          String content = lenient.startsWith("\ufeff") ? lenient.substring(1) : lenient;
          boolean right =
              Arrays.equals(bytes, lenient.getBytes(StandardCharsets.UTF_8))
                  && lenient
                      .chars()
                      .noneMatch(c -> (c < ' ' && "\t\n\u000b\f\r".indexOf(c) < 0) || c == 0x7f)
                  && content.codePointCount(0, content.length()) >= 20;
          String refused =
              FileFormat.Reading.of(
                      f -> {
                        Text read = Text.open("text:" + f.resolve(name));
                        same(
                            content,
                            read.vocabulary().decode(read.train())
                                + read.vocabulary().decode(read.validation()),
                            "text");
                      })
                  .of(folder);
          same(right, refused == null, "whether it is a text");
          return refused;
        },
        List.of(
            refused(
                "a byte of Latin-1",
                name,
                "grö\u00dfer".repeat(9).getBytes(StandardCharsets.ISO_8859_1),
                "byte 2"),
            refused("a character cut off", name, cutOff, "UTF-8")));
  }

  // ---- For all

  private static FileFormat.Case refused(String name, String file, byte[] content, String said) {
    return new FileFormat.Case(name, file, content, said);
  }

  private static FileFormat.Case read(String name, String file, byte[] content) {
    return new FileFormat.Case(name, file, content, null);
  }

  static void same(Object expected, Object found, String what) {
    if (!expected.equals(found)) {
      throw new AssertionError("%s: %s in the file, but %s read".formatted(what, expected, found));
    }
  }

  static byte[] random(int count) {
    byte[] bytes = new byte[count];
    RandomKey key = RandomKey.of(2, "content");
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) key.bits(i);
    }
    return bytes;
  }

  static byte[] gzip(byte[] content) {
    var packed = new ByteArrayOutputStream();
    try (var out = new GZIPOutputStream(packed)) {
      out.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }
}
