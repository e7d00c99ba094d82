package fathom.io;

import fathom.DType;
import fathom.Shape;
import java.io.Reader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// A safetensors file that is open for reading, and a method to write one.
///
/// The file is mapped and not copied to memory: a tensor is a read-only view of it, and files may
/// be larger than the memory or than 2 GiB. All views end with [#close], whichever thread calls it.
/// Another program must not change an open file in place; replacing it, as [#write] does, is safe
/// (except on Windows, where an open file cannot be replaced).
///
/// Opening checks everything except the numbers: the header's form, that each byte of the data
/// belongs to exactly one tensor of fitting type and shape, and the checksum if the file has one,
/// that is, if Fathom wrote it.
public final class SafeTensors implements TensorFile {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private final Path file;
  private final Arena arena;
  private final Header header;
  private final MemorySegment data;

  private SafeTensors(Path file, Arena arena, Header header, MemorySegment data) {
    this.file = file;
    this.arena = arena;
    this.header = header;
    this.data = data;
  }

  /// Opens and checks `file`. Throws [BadFileException] if the file is missing, of another kind or
  /// damaged.
  public static SafeTensors open(Path file) {
    return RegularFile.mapped(file, SafeTensors::over);
  }

  /// Returns the file whose content is `all`, which lives as long as `arena`; the path is used in
  /// messages only.
  static SafeTensors over(Path file, Arena arena, MemorySegment all) {
    MemorySegment json = json(file, all);
    MemorySegment data = all.asSlice(Header.LENGTH_BYTES + json.byteSize());
    Reader text = new Utf8Reader(file, Header.LENGTH_BYTES, json.asByteBuffer());
    Header header = HeaderReader.read(file, text, data.byteSize());
    if (Checksum.isMentioned(header.metadata())) {
      Checksum.verify(file, all);
    }
    return new SafeTensors(file, arena, header, data);
  }

  private static MemorySegment json(Path file, MemorySegment all) {
    if (all.byteSize() < Header.LENGTH_BYTES) {
      throw new BadFileException(
          file,
          "a safetensors file has at least 10 bytes, but this file has %s%s"
              .formatted(all.byteSize(), all.byteSize() == 0 ? ": it is empty" : ""));
    }
    long length = all.get(LONG, 0);
    long room = all.byteSize() - Header.LENGTH_BYTES;
    if (length < 0 || length > Math.min(room, Header.MAX_BYTES)) {
      throw new BadFileException(
          file,
          "no safetensors file, or cut off: its first 8 bytes announce a header of %s bytes, but %s bytes"
                  .formatted(Long.toUnsignedString(length), room)
              + " follow and a header has at most %s%s"
                  .formatted(Header.MAX_BYTES, FileKind.hint(file, all)));
    }
    if (length == 0 || all.get(ValueLayout.JAVA_BYTE, Header.LENGTH_BYTES) != '{') {
      throw new BadFileException(
          file,
          "no safetensors file: a header of %s bytes must begin with '{', but does not%s"
              .formatted(length, FileKind.hint(file, all)));
    }
    return all.asSlice(Header.LENGTH_BYTES, length);
  }

  @Override
  public String format() {
    return "safetensors";
  }

  /// Returns the tensors' names in the order of the header.
  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(header.tensors().sequencedKeySet());
  }

  /// Returns the metadata, without the checksum's own entries.
  @Override
  public SequencedMap<String, String> metadata() {
    SequencedMap<String, String> metadata = new LinkedHashMap<>(header.metadata());
    metadata.keySet().removeIf(Checksum::isReserved);
    return Collections.unmodifiableSequencedMap(metadata);
  }

  /// Returns whether the file has a checksum, which was correct when the file was opened.
  public boolean isChecksummed() {
    return Checksum.isMentioned(header.metadata());
  }

  @Override
  public String type(String name) {
    return entry(name).type().name();
  }

  /// Returns the shape of a tensor. Throws [BadFileException] if the file has no tensor of this
  /// name.
  @Override
  public Shape shape(String name) {
    return entry(name).shape();
  }

  /// Returns a tensor without copying it. Throws [BadFileException] if the file has no tensor of
  /// this name, or if its type is not F32, F64 or I64.
  public StoredTensor tensor(String name) {
    Header.Entry entry = entry(name);
    DType type = entry.type().type();
    if (type == null) {
      throw new BadFileException(
          file,
          "tensor %s has dtype %s, but must be F32, F64 or I64 (also F16, BF16, and whole numbers up to 32 bits where weights are imported);"
                  .formatted(Shown.name(name), entry.type())
              + " convert it with the program that wrote the file");
    }
    return new StoredTensor(type, entry.shape(), bytes(entry));
  }

  /// Does the same as [#tensor], and also reads F16 and BF16 tensors, which become FLOAT32, and
  /// whole numbers and truths, which become INT64, in memory from `memory`.
  @Override
  public StoredTensor widened(String name, SegmentAllocator memory) {
    Header.Entry entry = entry(name);
    StoredTensor tensor =
        Elements.rowMajor(entry.type(), entry.shape(), bytes(entry)).widened(memory);
    return tensor == null ? tensor(name) : tensor; // which says that the type is not read
  }

  private Header.Entry entry(String name) {
    Header.Entry entry = header.tensors().get(name);
    if (entry == null) {
      throw MissingTensor.in(file, name, names());
    }
    return entry;
  }

  private MemorySegment bytes(Header.Entry entry) {
    return data.asSlice(entry.begin(), entry.end() - entry.begin());
  }

  /// Ends all views of the file. A second call does nothing.
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  /// Writes a file with a checksum and puts it in the place of `file`, completely or not at all, as
  /// [AtomicFile] does. The same arguments produce the same bytes.
  ///
  /// Tensors keep their order. Throws [BadFileException] if the file cannot be written, and
  /// `IllegalArgumentException` for a name that the format or the checksum uses itself or that
  /// cannot be stored, and for a header that exceeds the limits of the format.
  public static void write(
      Path file, SequencedMap<String, StoredTensor> tensors, Map<String, String> metadata) {
    for (String key : metadata.keySet()) {
      if (Checksum.isReserved(key)) {
        throw new IllegalArgumentException(
            "the metadata key %s is for the checksum".formatted(key));
      }
    }
    Header header = Header.of(tensors, metadata);
    byte[] head = header.toBytes(Checksum.metadata());
    List<MemorySegment> data =
        Header.bySizeOfElements(tensors).stream().map(tensor -> tensor.getValue().bytes()).toList();
    Checksum.enter(head, data);
    AtomicFile.replace(
        file,
        out -> {
          out.write(head);
          for (MemorySegment bytes : data) {
            Checksum.copy(bytes, out);
          }
        });
  }
}
