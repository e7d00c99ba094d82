package fathom.data;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/// A cache of what is known about the image files of a folder from the last time that it was
/// opened, so that they need not be opened again. For a file of the same name, size and time of
/// change it holds what the header says, or what damage was seen.
///
/// It only saves time. Which images there are, and their order, follow from the files; a manifest
/// that is missing, damaged or cannot be written changes nothing else.
///
/// A manifest is one file for each folder: a magic number and a version, the entries, and a CRC-32
/// of all that.
public final class Manifest {
  /// The result of looking at a file.
  ///
  /// @param header null if not even the header can be read
  /// @param damage why the file cannot be decoded; null if no attempt failed
  record Seen(ImageFile.@Nullable Header header, @Nullable String damage) {}

  private record Line(long bytes, long modified, Seen seen) {}

  private static final int MAGIC = 0x4661_4d66;

  /// The version, which is raised when the format changes, or what [ImageFile] says of a file.
  private static final int VERSION = 1;

  /// The least age of a change. A file that was changed more recently is not recorded, because
  /// another change might get the same timestamp.
  private static final long SETTLED_MILLIS = 2000;

  private static final long MOST_BYTES = 1 << 30;

  private final Path folder;
  private final @Nullable Path file;
  private final Map<String, Line> known;
  private final Map<String, Line> now = new ConcurrentHashMap<>();
  private final long opened = System.currentTimeMillis();

  private Manifest(Path folder, @Nullable Path file, Map<String, Line> known) {
    this.folder = folder;
    this.file = file;
    this.known = known;
  }

  /// Returns the folder of a user's manifests: `$FATHOM_CACHE`, where all is written that no option
  /// names; `$XDG_CACHE_HOME/fathom`; or `.cache/fathom` in the home folder. It is null if none of
  /// these variables is set.
  ///
  /// @param environment returns the value of an environment variable, or null
  public static @Nullable Path place(Function<String, @Nullable String> environment) {
    String own = environment.apply("FATHOM_CACHE");
    if (own != null && !own.isBlank()) {
      return Path.of(own);
    }
    String cache = environment.apply("XDG_CACHE_HOME");
    String home = environment.apply("HOME");
    if (cache != null && !cache.isBlank()) {
      return Path.of(cache, "fathom");
    }
    return home == null || home.isBlank() ? null : Path.of(home, ".cache", "fathom");
  }

  /// Opens the manifest of `folder`, which is empty if there is none. With a null cache it knows
  /// nothing and is never written.
  static Manifest of(@Nullable Path cache, Path folder) {
    if (cache == null) {
      return new Manifest(folder, null, Map.of());
    }
    try {
      String name =
          UUID.nameUUIDFromBytes(folder.toRealPath().toString().getBytes(StandardCharsets.UTF_8))
              + ".manifest";
      Path file = cache.resolve("images").resolve(name);
      return new Manifest(folder, file, read(file));
    } catch (IOException e) {
      return new Manifest(folder, null, Map.of());
    }
  }

  /// Returns what is known of this file in its present state; null if it is new or has changed.
  @Nullable Seen get(FolderScan.Entry entry) {
    String name = name(entry);
    Line line = known.get(name);
    if (line == null || line.bytes != entry.bytes() || line.modified != entry.modified()) {
      return null;
    }
    now.put(name, line);
    return line.seen;
  }

  void put(FolderScan.Entry entry, Seen seen) {
    if (file != null && entry.modified() < opened - SETTLED_MILLIS) {
      now.put(name(entry), new Line(entry.bytes(), entry.modified(), seen));
    }
  }

  private String name(FolderScan.Entry entry) {
    return folder.relativize(entry.path()).toString();
  }

  /// Writes what is known of the files that were asked for or put, if that has changed.
  void write() {
    if (file == null || now.equals(known)) {
      return;
    }
    try {
      Path parent = Files.createDirectories(file.resolveSibling(""));
      Path next = Files.createTempFile(parent, "manifest", null);
      try {
        Files.write(next, bytes());
        Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(next);
      }
    } catch (IOException | RuntimeException e) {
      // Without the manifest, the next opening only takes longer.
    }
  }

  private byte[] bytes() throws IOException {
    var all = new ByteArrayOutputStream();
    var out = new DataOutputStream(all);
    out.writeInt(MAGIC);
    out.writeInt(VERSION);
    out.writeInt(now.size());
    for (Map.Entry<String, Line> each : now.entrySet()) {
      Line line = each.getValue();
      ImageFile.Header header = line.seen.header;
      String damage = line.seen.damage;
      out.writeUTF(each.getKey());
      out.writeLong(line.bytes);
      out.writeLong(line.modified);
      out.writeUTF(header == null ? "" : header.format());
      if (header != null) {
        out.writeInt(header.width());
        out.writeInt(header.height());
        out.writeBoolean(header.grey());
      }
      out.writeUTF(damage == null ? "" : damage);
    }
    out.writeLong(sum(all.toByteArray(), all.size()));
    return all.toByteArray();
  }

  private static long sum(byte[] bytes, int length) {
    var sum = new CRC32();
    sum.update(bytes, 0, length);
    return sum.getValue();
  }

  private static Map<String, Line> read(Path file) {
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
        return Map.of();
      }
      byte[] bytes = Files.readAllBytes(file);
      int length = bytes.length - Long.BYTES;
      if (length < 0 || ByteBuffer.wrap(bytes).getLong(length) != sum(bytes, length)) {
        return Map.of();
      }
      return read(new DataInputStream(new ByteArrayInputStream(bytes, 0, length)));
    } catch (IOException | RuntimeException e) {
      return Map.of(); // it will be written anew
    }
  }

  private static Map<String, Line> read(DataInputStream in) throws IOException {
    if (in.readInt() != MAGIC || in.readInt() != VERSION) {
      return Map.of();
    }
    var lines = new HashMap<String, Line>();
    for (int left = in.readInt(); left > 0; left--) {
      String name = in.readUTF();
      long bytes = in.readLong();
      long modified = in.readLong();
      String format = in.readUTF();
      ImageFile.Header header =
          format.isEmpty()
              ? null
              : new ImageFile.Header(format.intern(), in.readInt(), in.readInt(), in.readBoolean());
      String damage = in.readUTF();
      lines.put(
          name, new Line(bytes, modified, new Seen(header, damage.isEmpty() ? null : damage)));
    }
    return lines;
  }
}
