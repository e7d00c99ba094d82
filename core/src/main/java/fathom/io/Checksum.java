package fathom.io;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The checksum inside the safetensors files that Fathom writes: the SHA-256 digest of the whole
/// file, in which the 64 digits of the checksum itself are replaced by zeros.
///
/// It is at a fixed place, at the very start of the header. Its name appears twice more in the
/// metadata after it. So a file of Fathom whose damage hit the name can be told from another
/// program's file, which has no checksum.
final class Checksum {
  private static final String KEY = "fathom.sha256";
  private static final String ZEROS = "0".repeat(64);
  private static final String START = "{\"%s\":{\"%s\":\"".formatted(Header.METADATA, KEY);
  private static final int DIGITS_AT = Header.LENGTH_BYTES + START.length();
  private static final int CHUNK = 1 << 16;

  private Checksum() {}

  /// Returns the metadata that [#enter] needs at the start of a header.
  static SequencedMap<String, String> metadata() {
    SequencedMap<String, String> metadata = new LinkedHashMap<>();
    metadata.put(KEY, ZEROS);
    metadata.put(KEY + ".of", "the whole file, with zeros for the digits of " + KEY);
    return metadata;
  }

  /// Enters the checksum into `head`, the start of a file up to its first tensor; `data` are the
  /// bytes that follow.
  static void enter(byte[] head, List<MemorySegment> data) {
    List<MemorySegment> all = new ArrayList<>(data);
    all.addFirst(MemorySegment.ofArray(head));
    byte[] digits = sum(all).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, head, DIGITS_AT, digits.length);
  }

  /// Returns whether a file with this metadata has a checksum, or had one before it was damaged.
  static boolean isMentioned(Map<String, String> metadata) {
    return metadata.entrySet().stream()
        .anyMatch(entry -> entry.getKey().contains(KEY) || entry.getValue().contains(KEY));
  }

  /// Returns whether a metadata key is one of the checksum's own.
  static boolean isReserved(String key) {
    return metadata().containsKey(key);
  }

  /// Throws [BadFileException] unless the file, whose content is `all`, has the checksum that it
  /// states.
  static void verify(Path file, MemorySegment all) {
    if (!startsWithIt(all)) {
      throw new BadFileException(
          file,
          "the file is damaged: its metadata mention %s, but the header does not begin with it; use"
                  .formatted(KEY)
              + " another copy (if another program rewrote it on purpose, drop that metadata)");
    }
    MemorySegment before = all.asSlice(0, DIGITS_AT);
    MemorySegment zeros = MemorySegment.ofArray(ZEROS.getBytes(StandardCharsets.US_ASCII));
    MemorySegment after = all.asSlice(DIGITS_AT + ZEROS.length());
    String sum = sum(List.of(before, zeros, after));
    String found = text(all.asSlice(DIGITS_AT, ZEROS.length()));
    if (!sum.equals(found)) {
      throw new BadFileException(
          file,
          "the file is damaged: by its metadata its SHA-256 is %s, but it is %s; use another copy"
                  .formatted(Shown.name(found), sum)
              + " (if another program rewrote it on purpose, drop the metadata %s)".formatted(KEY));
    }
  }

  private static boolean startsWithIt(MemorySegment all) {
    return all.byteSize() >= DIGITS_AT + ZEROS.length()
        && text(all.asSlice(Header.LENGTH_BYTES, START.length())).equals(START);
  }

  private static String text(MemorySegment bytes) {
    return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
  }

  /// Copies memory of any kind in chunks, because not every segment can be viewed as a
  /// `ByteBuffer`.
  static void copy(MemorySegment from, OutputStream to) throws IOException {
    byte[] chunk = new byte[(int) Math.min(CHUNK, from.byteSize())];
    for (long at = 0; at < from.byteSize(); at += chunk.length) {
      int length = (int) Math.min(chunk.length, from.byteSize() - at);
      MemorySegment.copy(from, at, MemorySegment.ofArray(chunk), 0, length);
      to.write(chunk, 0, length);
    }
  }

  private static String sum(List<MemorySegment> file) {
    MessageDigest sha256 = sha256();
    try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), sha256)) {
      for (MemorySegment part : file) {
        copy(part, out);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
