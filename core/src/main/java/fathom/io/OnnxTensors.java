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
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/// The initialisers of an ONNX model (onnx.ai, "onnx.proto"), open for reading: the constant
/// tensors of its graph, under their names in it. The graph itself is passed over, so whether these
/// are the weights of a net of ours is for their names and shapes to say.
///
/// Numbers may be raw or packed. Those in another file are refused: the name of that file is the
/// model's to choose. Opening checks that each tensor has as many numbers as its shape says.
public final class OnnxTensors implements TensorFile {
  private static final String ENDING = ".onnx";
  private static final int MOST_NAME = 1 << 12;
  private static final int MOST_TEXT = 1 << 26;

  // Fields of ModelProto, GraphProto, TensorProto and StringStringEntryProto.
  private static final int GRAPH = 7;
  private static final int METADATA = 14;
  private static final int INITIALIZER = 5;
  private static final int SPARSE_INITIALIZER = 15;
  private static final int DIMS = 1;
  private static final int DATA_TYPE = 2;
  private static final int SEGMENT = 3;
  private static final int FLOAT_DATA = 4;
  private static final int INT32_DATA = 5;
  private static final int STRING_DATA = 6;
  private static final int INT64_DATA = 7;
  private static final int NAME = 8;
  private static final int RAW_DATA = 9;
  private static final int DOUBLE_DATA = 10;
  private static final int UINT64_DATA = 11;
  private static final int EXTERNAL_DATA = 13;
  private static final int DATA_LOCATION = 14;
  private static final int KEY = 1;
  private static final int VALUE = 2;

  /// The tags that can follow the version with which every model begins: fields 2 to 8 and 14.
  private static final List<Integer> SECOND_TAGS =
      List.of(0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72);

  private static final int VERSION_TAG = 8;

  private final Path file;
  private final Arena arena;
  private final SequencedMap<String, Initializer> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  /// @param packed whether the numbers are whole ones of one to ten bytes each, rather than in
  ///   their type
  private record Initializer(StoredType type, Shape shape, MemorySegment bytes, boolean packed) {}

  private OnnxTensors(Path file, Arena arena, MemorySegment all) {
    this.file = file;
    this.arena = arena;
    boolean found = false;
    for (var model = new Fields(file, all); model.next(); ) {
      if (model.number() == GRAPH) {
        if (found) {
          throw bad("a model has one graph, but this has two");
        }
        found = true;
        graph(model.message());
      } else if (model.number() == METADATA) {
        entry(model.message());
      }
    }
    if (!found) {
      throw bad("it has no graph; is it cut off?");
    }
  }

  /// Returns whether the file begins as an ONNX model does, or is called one and begins as nothing
  /// else. Throws [BadFileException] if it is missing or cannot be read.
  static boolean isOne(Path file) {
    RegularFile.check(file);
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(Header.LENGTH_BYTES + 1);
      boolean begins =
          start.length > 2
              && start[0] == VERSION_TAG
              && start[1] > 0
              && SECOND_TAGS.contains((int) start[2]);
      boolean isHeader =
          start.length > Header.LENGTH_BYTES
              && start[Header.LENGTH_BYTES] == '{'
              && ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong()
                  <= Header.MAX_BYTES;
      boolean named = file.toString().toLowerCase(Locale.ROOT).endsWith(ENDING);
      return !isHeader && (begins || named);
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /// Opens and checks `file`. Throws [BadFileException] if it is missing, of another kind or
  /// damaged, or if a tensor is not in it.
  public static OnnxTensors open(Path file) {
    return RegularFile.mapped(file, OnnxTensors::new);
  }

  private void entry(Fields entry) {
    String key = "";
    String value = "";
    while (entry.next()) {
      if (entry.number() == KEY) {
        key = entry.text(MOST_NAME);
      } else if (entry.number() == VALUE) {
        value = entry.text(MOST_TEXT);
      }
    }
    metadata.put(key, value);
  }

  private void graph(Fields graph) {
    while (graph.next()) {
      if (graph.number() == SPARSE_INITIALIZER) {
        throw bad("it has sparse tensors, which are not read; export it without");
      }
      if (graph.number() == INITIALIZER) {
        if (tensors.size() == Header.MAX_NAMES) {
          throw bad("it has more than %s tensors".formatted(Header.MAX_NAMES));
        }
        new Tensor().read(graph.message());
      }
    }
  }

  private BadFileException bad(String problem) {
    return new BadFileException(file, "ONNX model: " + problem);
  }

  /// One initialiser while it is read.
  private final class Tensor {
    private final List<Long> sizes = new ArrayList<>();
    private String name = "";
    private int dataType;
    private @Nullable MemorySegment data;
    private int dataField;

    void read(Fields tensor) {
      while (tensor.next()) {
        switch (tensor.number()) {
          case DIMS -> sizes(tensor);
          case DATA_TYPE -> dataType = Math.clamp(tensor.value(), 0, Integer.MAX_VALUE);
          case NAME -> name = tensor.text(MOST_NAME);
          case FLOAT_DATA, DOUBLE_DATA, INT32_DATA, INT64_DATA, UINT64_DATA, RAW_DATA -> {
            if (data != null) {
              throw refused("its numbers are in several pieces; save it with raw_data");
            }
            dataField = tensor.number();
            data = tensor.bytes();
          }
          case EXTERNAL_DATA -> throw external();
          case DATA_LOCATION -> {
            if (tensor.value() != 0) {
              throw external();
            }
          }
          case STRING_DATA -> throw refused("it has texts, and weights are numbers");
          case SEGMENT -> throw refused("it is a segment of a tensor, which is not read");
          default -> {}
        }
      }
      if (tensors.putIfAbsent(name, initializer()) != null) {
        throw refused("there are two of this name");
      }
    }

    private void sizes(Fields tensor) {
      if (tensor.isNumber()) {
        add(tensor.value());
        return;
      }
      for (Fields packed = tensor.message(); !packed.isAtEnd(); ) {
        add(packed.varint());
      }
    }

    private void add(long size) {
      if (size < 0 || sizes.size() == StoredTensor.MAX_RANK) {
        throw refused(
            "it has the size %s in dimension %s, but at most %s sizes from 0 on are read"
                .formatted(size, sizes.size(), StoredTensor.MAX_RANK));
      }
      sizes.add(size);
    }

    private Initializer initializer() {
      StoredType type = type(dataType);
      if (type == null) {
        throw refused(
            "it has ONNX's data type %s, but numbers of whole bytes are read".formatted(dataType));
      }
      MemorySegment bytes = data == null ? MemorySegment.NULL : data;
      boolean packed =
          dataField == INT32_DATA || dataField == INT64_DATA || dataField == UINT64_DATA;
      boolean fits =
          switch (dataField) {
            case FLOAT_DATA -> type == StoredType.F32;
            case DOUBLE_DATA -> type == StoredType.F64;
            case INT64_DATA -> type == StoredType.I64;
            case UINT64_DATA -> type == StoredType.U32 || type == StoredType.U64;
            case INT32_DATA -> type.bytes(1) <= Integer.BYTES && type != StoredType.F32;
            default -> true;
          };
      if (!fits) {
        throw refused("its numbers are in field %s, but are %s".formatted(dataField, type));
      }
      Shape shape;
      try {
        shape = Shape.of(sizes.stream().mapToLong(Long::longValue).toArray());
        long found = packed ? count(bytes) : bytes.byteSize();
        long expected = packed ? Math.min(shape.elements(), type.bytes(shape)) : type.bytes(shape);
        if (found != expected) {
          throw refused(
              "its shape is %s, which takes %s %s of %s, but it has %s"
                  .formatted(shape, expected, packed ? "numbers" : "bytes", type, found));
        }
      } catch (IllegalArgumentException | ArithmeticException e) {
        throw refused("it has more numbers than can be counted");
      }
      return new Initializer(type, shape, bytes, packed);
    }

    private BadFileException external() {
      return refused(
          """
          its numbers are in another file (external data), which is not read. In Python (pip install onnx):
            import onnx; onnx.save_model(onnx.load("%s"), "whole.onnx", save_as_external_data=False)\
          """
              .formatted(file));
    }

    private BadFileException refused(String problem) {
      return bad("tensor %s: %s".formatted(Shown.name(name), problem));
    }
  }

  /// Returns the type of this number in TensorProto.DataType; null for texts and for numbers that
  /// do not fill whole bytes.
  private static @Nullable StoredType type(int dataType) {
    return switch (dataType) {
      case 1 -> StoredType.F32;
      case 2 -> StoredType.U8;
      case 3 -> StoredType.I8;
      case 4 -> StoredType.U16;
      case 5 -> StoredType.I16;
      case 6 -> StoredType.I32;
      case 7 -> StoredType.I64;
      case 9 -> StoredType.BOOL;
      case 10 -> StoredType.F16;
      case 11 -> StoredType.F64;
      case 12 -> StoredType.U32;
      case 13 -> StoredType.U64;
      case 16 -> StoredType.BF16;
      default -> null;
    };
  }

  /// Returns how many whole numbers there are.
  private long count(MemorySegment packed) {
    long count = 0;
    for (var numbers = new Fields(file, packed); !numbers.isAtEnd(); count++) {
      numbers.varint();
    }
    return count;
  }

  @Override
  public String format() {
    return "ONNX";
  }

  @Override
  public SequencedSet<String> names() {
    return Collections.unmodifiableSequencedSet(tensors.sequencedKeySet());
  }

  /// Returns the model's properties.
  @Override
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  private Initializer tensor(String name) {
    Initializer tensor = tensors.get(name);
    if (tensor == null) {
      throw MissingTensor.in(file, name, names());
    }
    return tensor;
  }

  @Override
  public String type(String name) {
    return tensor(name).type.name();
  }

  @Override
  public Shape shape(String name) {
    return tensor(name).shape;
  }

  @Override
  public StoredTensor widened(String name, SegmentAllocator memory) {
    Initializer tensor = tensor(name);
    MemorySegment bytes = tensor.packed ? unpacked(tensor, memory) : tensor.bytes;
    StoredTensor widened = Elements.rowMajor(tensor.type, tensor.shape, bytes).widened(memory);
    if (widened == null) {
      throw bad("tensor %s is %s, which is not read".formatted(Shown.name(name), tensor.type));
    }
    return widened;
  }

  /// Returns whole numbers in their type; of halves they are the bits.
  private MemorySegment unpacked(Initializer tensor, SegmentAllocator memory) {
    int size = (int) tensor.type.bytes(1);
    MemorySegment bytes = memory.allocate(tensor.type.bytes(tensor.shape), Long.BYTES);
    var numbers = new Fields(file, tensor.bytes);
    for (long at = 0; at < bytes.byteSize(); at += size) {
      long value = numbers.varint();
      for (int i = 0; i < size; i++) {
        bytes.set(ValueLayout.JAVA_BYTE, at + i, (byte) (value >>> (8 * i)));
      }
    }
    return bytes;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
