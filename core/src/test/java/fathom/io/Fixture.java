package fathom.io;

import fathom.DType;
import fathom.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Files and tensors for the tests of this package.
final class Fixture {
  private Fixture() {}

  /// A safetensors file from its header's JSON and its data in hexadecimal, blanks ignored.
  static byte[] file(String json, String hex) {
    byte[] head = json.getBytes(StandardCharsets.UTF_8);
    byte[] data = HexFormat.of().parseHex(hex.replace(" ", ""));
    return ByteBuffer.allocate(8 + head.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(head.length)
        .put(head)
        .put(data)
        .array();
  }

  static StoredTensor tensor(DType type, Shape shape, byte[] bytes) {
    return new StoredTensor(type, shape, MemorySegment.ofArray(bytes));
  }

  static StoredTensor floats(Shape shape, float... values) {
    return new StoredTensor(DType.FLOAT32, shape, MemorySegment.ofArray(values));
  }

  /// One tensor of each type, a scalar, two empty ones, names beyond ASCII, texts to be escaped.
  static SequencedMap<String, StoredTensor> tensors() {
    SequencedMap<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("odd", floats(Shape.of(3), 1, -0f, Float.NaN));
    tensors.put(
        "double",
        new StoredTensor(
            DType.FLOAT64, Shape.of(1, 2), MemorySegment.ofArray(new double[] {0.1, -1e300})));
    tensors.put("none", floats(Shape.of(2, 0, 3)));
    tensors.put(
        "step",
        new StoredTensor(
            DType.INT64, Shape.of(), MemorySegment.ofArray(new long[] {Long.MIN_VALUE})));
    tensors.put("größe/重み/😀", floats(Shape.of(), 42));
    tensors.put("\"quoted\\\n\u001b", floats(Shape.of(1), 7));
    tensors.put("", new StoredTensor(DType.INT64, Shape.of(0), MemorySegment.ofArray(new long[0])));
    return tensors;
  }

  static Map<String, String> metadata() {
    return Map.of("format", "pt", "note", "line\nline \"ü\" \u001f 😀", "", "");
  }

  /// All that a file says, in a form that can be compared.
  static List<Object> content(SafeTensors file) {
    List<Object> content = new ArrayList<>();
    content.add(List.copyOf(file.metadata().entrySet()));
    for (String name : file.names()) {
      content.add(name);
      content.addAll(content(file.tensor(name)));
    }
    return content;
  }

  static List<Object> content(StoredTensor tensor) {
    byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
    return List.of(tensor.type(), tensor.shape(), HexFormat.of().formatHex(bytes));
  }

  static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
