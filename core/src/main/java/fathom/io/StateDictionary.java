package fathom.io;

import fathom.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// A state dictionary of PyTorch in a file of `torch.save`, open for reading; such files are called
/// `.pt`, `.pth`, `.th`, `.bin` or `.ckpt`. Both forms are read, the zip archive and the legacy
/// one.
///
/// Such a file is a program for Python's pickle machine. Here it is only read ([Unpickler]): what
/// it names is not looked up, and what is no plain tensor stays opaque. If the dictionary is inside
/// another one, as in checkpoints, [StateSearch] finds it, and names lose what wrappers put before
/// them ([#plain]).
///
/// Opening checks the whole form, that each tensor lies inside of its storage, and the CRC-32 of
/// the archive's entries, except where it is 0: PyTorch writes that if it was told to compute none.
/// The legacy form has no checksums.
public final class StateDictionary implements TensorFile {
  private static final byte[] ZIP = {'P', 'K', 3, 4};
  private static final int PICKLE = 0x80;
  private static final int OLDEST = 2;
  private static final int NEWEST = 5;

  private final Path file;
  private final Arena arena;
  private final String format;
  private final SequencedMap<String, Elements> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata;

  private StateDictionary(Path file, Arena arena, MemorySegment all) {
    this.file = file;
    this.arena = arena;
    boolean zip = all.byteSize() >= ZIP.length && all.get(ValueLayout.JAVA_BYTE, 0) == ZIP[0];
    TorchContent content = zip ? TorchContent.ofZip(file, all) : TorchLegacy.read(file, all);
    this.format = content.format();
    StateSearch found = StateSearch.in(file, content.value());
    this.metadata = found.metadata();
    var storages = new HashMap<String, MemorySegment>();
    found
        .tensors()
        .forEach((name, tensor) -> {
          MemorySegment whole =
              storages.computeIfAbsent(tensor.storage().key(), content.storages());
          tensors.put(name, elements(name, tensor, whole, all.byteSize()));
        });
  }

  /// Returns whether the file begins as one of `torch.save` does. Throws [BadFileException] if it
  /// is missing or cannot be read.
  static boolean isOne(Path file) {
    RegularFile.check(file);
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(Header.LENGTH_BYTES + 1);
      if (start.length <= Header.LENGTH_BYTES) {
        return false;
      }
      long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
      boolean isHeader =
          length >= 0 && length <= Header.MAX_BYTES && start[Header.LENGTH_BYTES] == '{';
      boolean isZip = start[0] == ZIP[0] && start[1] == ZIP[1] && start[2] == ZIP[2];
      return !isHeader
          && (isZip
              || (Byte.toUnsignedInt(start[0]) == PICKLE
                  && start[1] >= OLDEST
                  && start[1] <= NEWEST));
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /// Opens and checks `file`. Throws [BadFileException] if it is missing, of another kind or
  /// damaged, or if a tensor in it is not plain data.
  public static StateDictionary open(Path file) {
    return RegularFile.mapped(file, StateDictionary::over);
  }

  /// Returns the file whose content is `all`, which lives as long as `arena`; the path is used in
  /// messages only.
  static StateDictionary over(Path file, Arena arena, MemorySegment all) {
    return new StateDictionary(file, arena, all);
  }

  /// Returns a tensor's name without what wrappers put before it: `module.` of data parallel
  /// training, `_orig_mod.` of `torch.compile`.
  public static String plain(String name) {
    String plain = name;
    while (plain.startsWith("module.") || plain.startsWith("_orig_mod.")) {
      plain = plain.substring(plain.indexOf('.') + 1);
    }
    return plain.replace("._orig_mod.", ".");
  }

  private Elements elements(
      String name, Pickled.Tensor tensor, MemorySegment whole, long fileBytes) {
    Pickled.Storage storage = tensor.storage();
    StoredType type = tensor.type();
    if (tensor.shape().elements() > fileBytes) {
      throw bad(
          name,
          "its %s repeat what is in the file, which has %s bytes; save tensor.contiguous()"
              .formatted(tensor.shape(), fileBytes));
    }
    long begin;
    long length;
    try {
      begin =
          Math.addExact(
              storage.type().bytes(storage.offset()),
              Math.multiplyExact(tensor.offset(), type.bytes(1)));
      length = Math.multiplyExact(Elements.extent(tensor.shape(), tensor.strides()), type.bytes(1));
    } catch (ArithmeticException e) {
      throw new BadFileException(
          file,
          "tensor %s: its strides reach beyond what can be counted".formatted(Shown.name(name)),
          e);
    }
    long room =
        Math.min(whole.byteSize(), storage.type().bytes(storage.offset() + storage.elements()));
    if (begin < 0 || begin > room || length > room - begin) {
      throw bad(
          name,
          "its %s of %s take %s bytes from byte %s on, but storage %s has %s"
              .formatted(tensor.shape(), type, length, begin, Shown.name(storage.key()), room));
    }
    return new Elements(type, tensor.shape(), tensor.strides(), whole.asSlice(begin, length));
  }

  private BadFileException bad(String tensor, String problem) {
    return new BadFileException(file, "tensor %s: %s".formatted(Shown.name(tensor), problem));
  }

  @Override
  public String format() {
    return format;
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  /// Returns the texts and numbers that stand beside the state dictionary, such as `epoch`.
  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  @Override
  public String type(String name) {
    return tensor(name).type().name();
  }

  @Override
  public Shape shape(String name) {
    return tensor(name).shape();
  }

  private Elements tensor(String name) {
    Elements tensor = tensors.get(name);
    if (tensor == null) {
      throw MissingTensor.in(file, name, names());
    }
    return tensor;
  }

  @Override
  public StoredTensor widened(String name, SegmentAllocator memory) {
    Elements elements = tensor(name);
    StoredTensor tensor = elements.widened(memory);
    if (tensor == null) {
      throw bad(
          name,
          "it has dtype %s, which is neither a real number of 16 to 64 bits nor a whole one"
              .formatted(elements.type()));
    }
    return tensor;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
