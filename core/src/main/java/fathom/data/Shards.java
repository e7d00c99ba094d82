package fathom.data;

import fathom.RandomKey;
import fathom.data.FolderScan.Entry;
import fathom.data.ShardFile.Sample;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/// Packs a folder of images into shards: tar files as WebDataset has them, which many machines read
/// faster than a million files.
///
/// The images are put in a random order, the same each time, and their files are not changed. What
/// is written depends only on the images: owners, times and permissions of the files are left out.
public final class Shards {
  /// The bytes of a header of a member, and the unit in which members are stored.
  private static final int BLOCK = 512;

  /// The least size of a shard, in bytes.
  public static final long LEAST = 1 << 16;

  private static final int READABLE = 0644;

  private final List<String> classes;
  private final long most;

  private Shards(List<String> classes, long most) {
    this.classes = classes;
    this.most = most;
  }

  /// The packed shards of a part of the data.
  ///
  /// @param part `train`, `val` or `test`
  public record Part(String part, int shards, int images, long bytes) {}

  /// Packs the images of `data`, which were opened from a folder with a size, into the folder
  /// `out`, which must not exist: `out/train/000000.tar` and so on, and the same in `out/val` and
  /// `out/test`. The folder gets its name when everything is written.
  ///
  /// Throws `IllegalArgumentException` if the images have no files of their own or if `most` is
  /// less than [#LEAST], and [BadFileException] if a file cannot be read or written.
  ///
  /// @param most the size of a shard in bytes; a shard with a single image may be larger
  public static List<Part> pack(DataSet data, Path out, long most) {
    if (most < LEAST) {
      throw new IllegalArgumentException(
          "a shard has at least %s bytes, but %s were asked for".formatted(LEAST, most));
    }
    Photos train = photos(data, data.train());
    Photos test = photos(data, data.test());
    LabelledImages validation = data.validation();
    if (Files.exists(out)) {
      throw new BadFileException(out, "this is there already; name another folder, or remove it");
    }
    Path staging = staging(out);
    var shards = new Shards(data.classes(), most);
    try {
      deleteAll(staging);
      var written = new ArrayList<Part>();
      written.add(shards.write(FolderLayout.TRAIN, train, staging));
      if (validation != null) {
        written.add(
            shards.write(FolderLayout.VALIDATION.getFirst(), photos(data, validation), staging));
      }
      written.add(shards.write(FolderLayout.TEST, test, staging));
      Files.move(staging, out);
      return written;
    } catch (IOException e) {
      throw new BadFileException(out, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  private static Photos photos(DataSet data, LabelledImages part) {
    if (part instanceof Photos photos) {
      return photos;
    }
    throw new IllegalArgumentException(
        "images with files of their own are packed, but those of %s have none"
            .formatted(data.name()));
  }

  private static Path staging(Path out) {
    return out.resolveSibling("." + out.toAbsolutePath().getFileName() + ".pack");
  }

  private static void deleteAll(Path staging) throws IOException {
    if (Files.exists(staging)) {
      try (Stream<Path> files = Files.walk(staging)) {
        for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private Part write(String part, Photos photos, Path staging) throws IOException {
    Path folder = Files.createDirectories(staging.resolve(part));
    List<List<Sample>> shards = divided(samples(photos));
    long bytes = 0;
    for (int i = 0; i < shards.size(); i++) {
      Path file = folder.resolve(String.format(Locale.ROOT, "%06d.tar", i));
      ShardNote note = ShardNote.of(part, i, shards.size(), classes, shards.get(i));
      List<Sample> samples = shards.get(i);
      AtomicFile.replace(file, out -> write(out, note, samples));
      bytes += Files.size(file);
    }
    return new Part(part, shards.size(), photos.count(), bytes);
  }

  /// Returns the images in the order in which they are packed, each with the name of its member.
  private List<Sample> samples(Photos photos) {
    Set<String> taken = new HashSet<>();
    String[] names = new String[photos.count()];
    for (int i = 0; i < names.length; i++) {
      names[i] = name(photos.file(i), classes.get(photos.labels()[i]), taken);
    }
    var samples = new ArrayList<Sample>();
    for (int i : RandomKey.of(0, "pack").permutation(names.length)) {
      samples.add(new Sample(names[i], photos.file(i), photos.labels()[i]));
    }
    return samples;
  }

  /// Returns `CLASS/NAME.EXTENSION` with other dots as `_`, because a key ends at the first dot; of
  /// several images with one such key the second has `-2` at its end.
  private static String name(Entry file, String className, Set<String> taken) {
    String extension = FolderScan.extension(file.path());
    String name = file.name();
    String stem =
        extension.isEmpty() ? name : name.substring(0, name.length() - extension.length() - 1);
    String key = plain(className) + "/" + plain(stem);
    String unique = key;
    for (int n = 2; !taken.add(unique); n++) {
      unique = key + "-" + n;
    }
    return unique + "." + (ShardFile.isImage(extension) ? extension : "jpg");
  }

  private static String plain(String name) {
    String plain =
        name.codePoints()
            .map(c -> c == '.' || c == '/' || c == '\\' || Character.isISOControl(c) ? '_' : c)
            .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
            .toString();
    return plain.startsWith("__") ? "-" + plain : plain;
  }

  private List<List<Sample>> divided(List<Sample> samples) {
    var shards = new ArrayList<List<Sample>>();
    long bytes = most + 1;
    for (Sample sample : samples) {
      long size = BLOCK + padded(sample.image().bytes()) + 2 * BLOCK;
      if (bytes + size > most) {
        shards.add(new ArrayList<>());
        bytes = 0;
      }
      shards.getLast().add(sample);
      bytes += size;
    }
    return shards;
  }

  private static long padded(long bytes) {
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
  }

  private static void write(OutputStream to, ShardNote note, List<Sample> samples)
      throws IOException {
    // Its own blocks are of one record, so that no zeros but the end's are added.
    var buffered = new BufferedOutputStream(to, 1 << 16);
    var tar = new TarArchiveOutputStream(buffered, BLOCK, StandardCharsets.UTF_8.name());
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
    tar.setAddPaxHeadersForNonAsciiNames(true);
    put(tar, ShardNote.MEMBER, Json.text(note).getBytes(StandardCharsets.UTF_8));
    for (Sample sample : samples) {
      Entry image = sample.image();
      byte[] bytes = bytes(image);
      put(tar, sample.name(), bytes);
      String key = sample.name().substring(0, sample.name().lastIndexOf('.'));
      put(tar, key + ".cls", Integer.toString(sample.label()).getBytes(StandardCharsets.UTF_8));
    }
    tar.finish();
    buffered.flush(); // the tar stream does not pass a flush on
  }

  /// Returns the content of an image. Throws [BadFileException] if it cannot be read, or has
  /// changed since it was looked at.
  private static byte[] bytes(Entry image) {
    byte[] bytes;
    try (var in = image.source().stream()) {
      bytes = in.readAllBytes();
    } catch (IOException e) {
      throw new BadFileException(
          image.path(), "cannot be read (%s)".formatted(RegularFile.reason(e)), e);
    }
    if (bytes.length != image.bytes()) {
      throw new BadFileException(
          image.path(),
          "it had %s bytes and has %s now; pack again when nothing writes to the folder"
              .formatted(image.bytes(), bytes.length));
    }
    return bytes;
  }

  private static void put(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    var entry = new TarArchiveEntry(name, true);
    entry.setSize(content.length);
    entry.setMode(READABLE);
    entry.setModTime(0);
    entry.setIds(0, 0);
    entry.setNames("", "");
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }
}
