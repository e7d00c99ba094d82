package fathom.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// The form that `torch.save` wrote before version 1.6, and still writes if asked: five pickles one
/// after the other (a magic number, a protocol, the sizes of the writer's types, the value, the
/// keys of its storages), and then each storage, as its number of elements and their bytes.
final class TorchLegacy {
  private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  private static final long PROTOCOL = 1001;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment all;
  private final TorchObjects objects;
  private long at;

  private TorchLegacy(Path file, MemorySegment all) {
    this.file = file;
    this.all = all;
    this.objects = new TorchObjects(file);
  }

  /// Reads a whole file. Throws [BadFileException] if it is damaged or of another kind.
  static TorchContent read(Path file, MemorySegment all) {
    return new TorchLegacy(file, all).read();
  }

  private TorchContent read() {
    if (!(pickle() instanceof Pickled.Huge magic) || !magic.value().equals(MAGIC)) {
      throw new BadFileException(
          file,
          "it is a Python pickle, but not of torch.save: it does not begin with the magic number; save a state dictionary with torch.save");
    }
    if (!pickle().equals(new Pickled.Whole(PROTOCOL))) {
      throw new BadFileException(file, "its form of torch.save is not version " + PROTOCOL);
    }
    if (!(pickle() instanceof Pickled.Dictionary machine)
        || !new Pickled.Truth(true)
            .equals(machine.entries().get(new Pickled.Text("little_endian")))) {
      throw new BadFileException(
          file, "it was not written on a little-endian machine; save it again on one");
    }
    Pickled value = pickle();
    if (!(pickle() instanceof Pickled.Items keys)) {
      throw new BadFileException(file, "it has no list of its storages; is it damaged?");
    }
    var storages = new HashMap<String, MemorySegment>();
    for (Pickled key : keys.items()) {
      if (!(key instanceof Pickled.Text text)) {
        throw new BadFileException(file, "the key of a storage is a text, not " + key.described());
      }
      storage(text.value(), storages);
    }
    if (at != all.byteSize()) {
      throw new BadFileException(
          file,
          "its storages end at byte %s, but it has %s; is it damaged?"
              .formatted(at, all.byteSize()));
    }
    return new TorchContent("PyTorch, legacy form", value, key -> found(storages, key));
  }

  private MemorySegment found(Map<String, MemorySegment> storages, String key) {
    MemorySegment found = storages.get(key);
    if (found == null) {
      throw new BadFileException(
          file, "storage %s is missing; was it cut off?".formatted(Shown.name(key)));
    }
    return found;
  }

  private void storage(String key, Map<String, MemorySegment> storages) {
    Pickled.Storage known = objects.storages().get(key);
    if (known == null) {
      throw new BadFileException(
          file, "storage %s belongs to no tensor; is it damaged?".formatted(Shown.name(key)));
    }
    if (all.byteSize() - at < Long.BYTES) {
      throw cutOff(key, Long.BYTES);
    }
    long elements = all.get(LONG, at);
    at += Long.BYTES;
    if (elements != known.elements()) {
      throw new BadFileException(
          file,
          "storage %s has %s elements, but its tensors need %s; is it damaged?"
              .formatted(Shown.name(key), elements, known.elements()));
    }
    long bytes = known.type().bytes(elements);
    if (bytes > all.byteSize() - at) {
      throw cutOff(key, bytes);
    }
    if (storages.put(key, all.asSlice(at, bytes)) != null) {
      throw new BadFileException(file, "storage %s is there twice".formatted(Shown.name(key)));
    }
    at += bytes;
  }

  private BadFileException cutOff(String key, long bytes) {
    return new BadFileException(
        file,
        "storage %s takes %s bytes from byte %s on, but the file ends at %s; was it cut off?"
            .formatted(Shown.name(key), bytes, at, all.byteSize()));
  }

  private Pickled pickle() {
    var reader = new Unpickler(file, all, at, objects);
    Pickled value = reader.read();
    at = reader.end();
    return value;
  }
}
