package fathom.io;

import fathom.Shape;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// The header of a safetensors file: its tensors, in the order in which the header lists them, and
/// its metadata.
record Header(SequencedMap<String, Entry> tensors, SequencedMap<String, String> metadata) {
  /// The entry of one tensor. Its bytes are those from `begin` to before `end`, counted from the
  /// end of the header.
  record Entry(StoredType type, Shape shape, long begin, long end) {}

  /// The key of the metadata in the JSON; no tensor can have this name.
  static final String METADATA = "__metadata__";

  /// The size of the number before the JSON, which is the JSON's length.
  static final int LENGTH_BYTES = 8;

  /// The most bytes that the format allows for the JSON.
  static final int MAX_BYTES = 100_000_000;

  /// The limit on the number of tensors and metadata together, which is Fathom's own and not the
  /// format's.
  static final int MAX_NAMES = 250_000;

  private static final int ALIGNMENT = 8;

  private static final JsonFactory JSON = new JsonFactory();

  /// Returns the header of a file to be written. The tensors keep their order in the header, while
  /// their bytes are laid out by decreasing size of the elements, because readers in other
  /// languages want each tensor at a multiple of that size and the format allows no gaps. The
  /// metadata is sorted, because maps may have any order. Throws `IllegalArgumentException` for a
  /// name or text that the format cannot hold.
  static Header of(SequencedMap<String, StoredTensor> tensors, Map<String, String> metadata) {
    Map<String, Entry> placed = new LinkedHashMap<>();
    long begin = 0;
    for (var tensor : bySizeOfElements(tensors)) {
      StoredTensor stored = tensor.getValue();
      long end = begin + stored.bytes().byteSize();
      placed.put(
          tensor.getKey(), new Entry(StoredType.of(stored.type()), stored.shape(), begin, end));
      begin = end;
    }
    SequencedMap<String, Entry> entries = new LinkedHashMap<>(tensors.size());
    for (String name : tensors.sequencedKeySet()) {
      if (name.equals(METADATA)) {
        throw new IllegalArgumentException("no tensor can have the name " + METADATA);
      }
      checkUnicode(name);
      entries.put(name, placed.get(name));
    }
    metadata.keySet().forEach(Header::checkUnicode);
    metadata.values().forEach(Header::checkUnicode);
    return new Header(entries, new TreeMap<>(metadata));
  }

  /// Returns the tensors in the order in which [#of] lays out their bytes.
  static List<Map.Entry<String, StoredTensor>> bySizeOfElements(
      SequencedMap<String, StoredTensor> tensors) {
    return tensors.sequencedEntrySet().stream()
        .sorted(Comparator.comparingInt(tensor -> -tensor.getValue().type().bytes()))
        .toList();
  }

  private static void checkUnicode(String text) {
    if (!isUnicode(text)) {
      throw new IllegalArgumentException(
          "%s has half of a surrogate pair and no form in UTF-8".formatted(Shown.name(text)));
    }
  }

  /// Returns the tensors in the order of their bytes.
  List<Map.Entry<String, Entry>> inOrderOfBytes() {
    return tensors.sequencedEntrySet().stream()
        .sorted(
            Comparator.<Map.Entry<String, Entry>>comparingLong(tensor -> tensor.getValue().begin())
                .thenComparingLong(tensor -> tensor.getValue().end()))
        .toList();
  }

  /// Returns the start of the file, up to the first tensor: length, JSON, and spaces up to a
  /// multiple of 8 bytes. `first` is metadata that precedes everything else. Throws
  /// `IllegalArgumentException` if the header exceeds a limit.
  byte[] toBytes(SequencedMap<String, String> first) {
    int names = tensors.size() + metadata.size() + first.size();
    if (names >= MAX_NAMES) {
      throw new IllegalArgumentException(
          "a file has less than %s tensors and metadata, but this one would have %s"
              .formatted(MAX_NAMES, names));
    }
    byte[] json = toJson(first).getBytes(StandardCharsets.UTF_8);
    int length = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
    if (length > MAX_BYTES) {
      throw new IllegalArgumentException(
          "names, shapes and metadata take %s bytes, but a safetensors header has at most %s"
              .formatted(length, MAX_BYTES));
    }
    ByteBuffer bytes = ByteBuffer.allocate(LENGTH_BYTES + length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(length).put(json);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    return bytes.array();
  }

  private String toJson(SequencedMap<String, String> first) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeName(METADATA).writeStartObject();
      first.forEach(json::writeStringProperty);
      metadata.forEach(json::writeStringProperty);
      json.writeEndObject();
      tensors.forEach((name, entry) -> write(json, name, entry));
      json.writeEndObject();
    }
    return text.toString();
  }

  private static void write(JsonGenerator json, String name, Entry entry) {
    long[] shape = entry.shape().toArray();
    json.writeName(name).writeStartObject();
    json.writeStringProperty("dtype", entry.type().name());
    json.writeName("shape").writeArray(shape, 0, shape.length);
    json.writeName("data_offsets").writeArray(new long[] {entry.begin(), entry.end()}, 0, 2);
    json.writeEndObject();
  }

  /// Returns whether the text has a form in UTF-8, which it does not if it has half of a surrogate
  /// pair.
  static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }
}
