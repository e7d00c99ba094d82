package fathom.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.zip.CRC32;

/// The entries of a zip archive that is in memory or mapped, of any size (Zip64), as views of it.
///
/// Java's own reader makes streams; tensors are used where they lie, so entries must be stored as
/// they are. Layouts and numbers are those of PKWARE's APPNOTE 6.3.10, sections 4.3 and 4.5.
final class ZipDirectory {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int END = 0x06054b50;
  private static final int END_BYTES = 22;
  private static final int LOCATOR = 0x07064b50;
  private static final int LOCATOR_BYTES = 20;
  private static final int END_64 = 0x06064b50;
  private static final int END_64_BYTES = 56;
  private static final int ENTRY = 0x02014b50;
  private static final int ENTRY_BYTES = 46;
  private static final int LOCAL = 0x04034b50;
  private static final int LOCAL_BYTES = 30;
  private static final int LONGEST_COMMENT = 0xffff;
  private static final int ZIP_64_FIELD = 1;
  private static final int ENCRYPTED = 1;
  private static final long ELSEWHERE = 0xffffffffL;
  private static final int CHUNK = 1 << 30;

  /// The checksum that PyTorch writes if it was told to compute none.
  private static final int UNKNOWN = 0;

  private final Path file;
  private final MemorySegment all;
  private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();

  /// An entry's content and its stated checksum.
  private record Entry(MemorySegment content, int crc) {}

  private ZipDirectory(Path file, MemorySegment all) {
    this.file = file;
    this.all = all;
  }

  /// Reads the directory of the archive `all`. Throws [BadFileException] if it is damaged, or if an
  /// entry is compressed or encrypted.
  static ZipDirectory of(Path file, MemorySegment all) {
    var directory = new ZipDirectory(file, all);
    directory.read();
    return directory;
  }

  /// Returns the entries' names in their order.
  Iterable<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  boolean has(String name) {
    return entries.containsKey(name);
  }

  /// Returns the content of an entry. Throws [BadFileException] if there is none of this name, or
  /// if it does not have the checksum that the directory states.
  MemorySegment content(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw bad("entry %s is missing".formatted(Shown.name(name)));
    }
    if (entry.crc == UNKNOWN) {
      return entry.content;
    }
    var crc = new CRC32();
    for (long at = 0; at < entry.content.byteSize(); at += CHUNK) {
      long length = Math.min(CHUNK, entry.content.byteSize() - at);
      crc.update(entry.content.asSlice(at, length).asByteBuffer());
    }
    if ((int) crc.getValue() != entry.crc) {
      throw bad(
          "by its directory the CRC-32 of entry %s is %s, but it is %s"
              .formatted(
                  Shown.name(name),
                  HexFormat.of().toHexDigits(entry.crc),
                  HexFormat.of().toHexDigits((int) crc.getValue())));
    }
    return entry.content;
  }

  private void read() {
    long end = end();
    long count = Short.toUnsignedLong(all.get(SHORT, end + 10));
    long size = Integer.toUnsignedLong(all.get(INT, end + 12));
    long at = Integer.toUnsignedLong(all.get(INT, end + 16));
    long locator = end - LOCATOR_BYTES;
    if (locator >= 0 && all.get(INT, locator) == LOCATOR) {
      long end64 = all.get(LONG, locator + 8);
      check(end64, END_64_BYTES, locator, "its Zip64 end");
      if (all.get(INT, end64) != END_64) {
        throw bad("its Zip64 end is not at byte %s, as it says".formatted(end64));
      }
      count = all.get(LONG, end64 + 32);
      size = all.get(LONG, end64 + 40);
      at = all.get(LONG, end64 + 48);
      end = end64;
    }
    check(at, size, end, "its directory");
    if (count < 0 || count > Header.MAX_NAMES) {
      throw bad("it has %s entries, but at most %s are read".formatted(count, Header.MAX_NAMES));
    }
    long past = at + size;
    for (long i = 0; i < count; i++) {
      at += entry(at, past);
    }
  }

  /// Returns where the end record is: the last place that has its signature and a comment that
  /// reaches to the end of the file.
  private long end() {
    long last = all.byteSize() - END_BYTES;
    for (long at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
      if (all.get(INT, at) == END && Short.toUnsignedLong(all.get(SHORT, at + 20)) == last - at) {
        return at;
      }
    }
    throw bad("it has no end record of a zip archive; was it cut off?");
  }

  /// Reads the entry of the directory at `at`, and returns its length.
  private long entry(long at, long past) {
    check(at, ENTRY_BYTES, past, "an entry of its directory");
    if (all.get(INT, at) != ENTRY) {
      throw bad("its directory has no entry at byte " + at);
    }
    int nameBytes = Short.toUnsignedInt(all.get(SHORT, at + 28));
    int extraBytes = Short.toUnsignedInt(all.get(SHORT, at + 30));
    int commentBytes = Short.toUnsignedInt(all.get(SHORT, at + 32));
    long length = (long) ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    check(at, length, past, "an entry of its directory");
    String name =
        new String(
            all.asSlice(at + ENTRY_BYTES, nameBytes).toArray(ValueLayout.JAVA_BYTE),
            StandardCharsets.UTF_8);
    long[] sizes = sizes(at, at + ENTRY_BYTES + nameBytes, extraBytes, name);
    if ((all.get(SHORT, at + 8) & ENCRYPTED) != 0 || all.get(SHORT, at + 10) != 0) {
      throw bad(
          "entry %s is compressed or encrypted, and PyTorch stores entries as they are"
              .formatted(Shown.name(name)));
    }
    if (sizes[0] != sizes[1]) {
      throw bad(
          "entry %s is stored, but has %s bytes and takes %s"
              .formatted(Shown.name(name), sizes[0], sizes[1]));
    }
    var entry = new Entry(content(name, sizes[0], sizes[2]), all.get(INT, at + 16));
    if (entries.put(name, entry) != null) {
      throw bad("it has two entries " + Shown.name(name));
    }
    return length;
  }

  /// Returns the size, the compressed size and the place of the local header, which are in an extra
  /// field if they do not fit into 32 bits.
  private long[] sizes(long at, long extra, int extraBytes, String name) {
    long[] sizes = {
      Integer.toUnsignedLong(all.get(INT, at + 24)),
      Integer.toUnsignedLong(all.get(INT, at + 20)),
      Integer.toUnsignedLong(all.get(INT, at + 42))
    };
    long past = extra + extraBytes;
    for (long field = extra; field + 4 <= past; ) {
      int kind = Short.toUnsignedInt(all.get(SHORT, field));
      long next = field + 4 + Short.toUnsignedInt(all.get(SHORT, field + 2));
      if (kind == ZIP_64_FIELD && next <= past) {
        long value = field + 4;
        for (int i = 0; i < sizes.length; i++) {
          if (sizes[i] == ELSEWHERE && value + Long.BYTES <= next) {
            sizes[i] = all.get(LONG, value);
            value += Long.BYTES;
          }
        }
      }
      field = next;
    }
    check(sizes[2], LOCAL_BYTES, all.byteSize(), "entry " + Shown.name(name));
    return sizes;
  }

  private MemorySegment content(String name, long size, long local) {
    if (all.get(INT, local) != LOCAL) {
      throw bad("entry %s is not at byte %s, as it says".formatted(Shown.name(name), local));
    }
    long at =
        local
            + LOCAL_BYTES
            + Short.toUnsignedLong(all.get(SHORT, local + 26))
            + Short.toUnsignedLong(all.get(SHORT, local + 28));
    check(at, size, all.byteSize(), "entry " + Shown.name(name));
    return all.asSlice(at, size);
  }

  private void check(long at, long length, long past, String what) {
    if (at < 0 || length < 0 || at > past || length > past - at) {
      throw bad(
          "%s has %s bytes from byte %s on, but there are only %s"
              .formatted(what, Long.toUnsignedString(length), Long.toUnsignedString(at), past));
    }
  }

  private BadFileException bad(String problem) {
    return new BadFileException(
        file, "as a zip archive it is damaged: %s; use another copy".formatted(problem));
  }
}
