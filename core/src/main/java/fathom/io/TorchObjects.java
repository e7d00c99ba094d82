package fathom.io;

import fathom.Shape;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The calls in a pickle that make tensors and dictionaries in PyTorch, by what they mean. The list
/// is closed. Any other call becomes an opaque value; a tensor that depends on such a value is
/// refused, because its numbers would be anything.
final class TorchObjects {
  /// The most items that dictionaries get from lists, because a pickle may name one list many
  /// times.
  private static final int MOST_COPIED = 1_000_000;

  private static final Map<String, StoredType> STORAGES =
      Map.ofEntries(
          Map.entry("FloatStorage", StoredType.F32),
          Map.entry("DoubleStorage", StoredType.F64),
          Map.entry("HalfStorage", StoredType.F16),
          Map.entry("BFloat16Storage", StoredType.BF16),
          Map.entry("LongStorage", StoredType.I64),
          Map.entry("IntStorage", StoredType.I32),
          Map.entry("ShortStorage", StoredType.I16),
          Map.entry("CharStorage", StoredType.I8),
          Map.entry("ByteStorage", StoredType.U8),
          Map.entry("BoolStorage", StoredType.BOOL),
          Map.entry("ComplexFloatStorage", StoredType.C64),
          Map.entry("UntypedStorage", StoredType.U8));

  private static final Map<String, StoredType> TYPES =
      Map.ofEntries(
          Map.entry("torch.float32", StoredType.F32),
          Map.entry("torch.float64", StoredType.F64),
          Map.entry("torch.float16", StoredType.F16),
          Map.entry("torch.bfloat16", StoredType.BF16),
          Map.entry("torch.int64", StoredType.I64),
          Map.entry("torch.int32", StoredType.I32),
          Map.entry("torch.int16", StoredType.I16),
          Map.entry("torch.int8", StoredType.I8),
          Map.entry("torch.uint8", StoredType.U8),
          Map.entry("torch.uint16", StoredType.U16),
          Map.entry("torch.uint32", StoredType.U32),
          Map.entry("torch.uint64", StoredType.U64),
          Map.entry("torch.bool", StoredType.BOOL),
          Map.entry("torch.complex64", StoredType.C64),
          Map.entry("torch.float8_e4m3fn", StoredType.F8_E4M3),
          Map.entry("torch.float8_e5m2", StoredType.F8_E5M2),
          Map.entry("torch.float8_e4m3fnuz", StoredType.F8_E4M3FNUZ),
          Map.entry("torch.float8_e5m2fnuz", StoredType.F8_E5M2FNUZ));

  private final Path file;

  /// The whole storages that were mentioned, by key.
  private final Map<String, Pickled.Storage> storages = new LinkedHashMap<>();

  private int copied;

  TorchObjects(Path file) {
    this.file = file;
  }

  /// Returns the storages that tensors use, by key.
  Map<String, Pickled.Storage> storages() {
    return storages;
  }

  /// Returns the value of a call. Throws [BadFileException] if a tensor is made of what is none.
  Pickled call(Pickled function, Pickled arguments) {
    if (!(function instanceof Pickled.Global global)
        || !(arguments instanceof Pickled.Tuple given)) {
      boolean ofTensors = function.ofTensors() || arguments.ofTensors();
      return new Pickled.Opaque("a call of " + function.described(), ofTensors);
    }
    List<Pickled> all = given.items();
    return switch (global.name()) {
      case "collections.OrderedDict" -> dictionary(all);
      case "torch.Size" ->
          all.size() == 1 && all.getFirst() instanceof Pickled.Tuple sizes ? sizes : given;
      case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2" ->
          tensor(global, all, null);
      case "torch._utils._rebuild_tensor_v3" -> tensor(global, all, typeOf(global, all));
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state" ->
          argument(global, all, 0, Pickled.Tensor.class);
      case "torch._tensor._rebuild_from_type_v2" -> ofType(given);
      default -> new Pickled.Opaque(global.name(), given.ofTensors());
    };
  }

  /// Returns a value after its state was set. A dictionary's attributes, such as the `_metadata` of
  /// a state dictionary, are no entries.
  Pickled built(Pickled value, Pickled state) {
    return value instanceof Pickled.Opaque opaque
        ? new Pickled.Opaque(opaque.what(), opaque.ofTensors() || state.ofTensors())
        : value;
  }

  /// Returns an opaque value after items were added to it.
  Pickled grown(Pickled.Opaque value, List<Pickled> items) {
    return new Pickled.Opaque(
        value.what(), value.ofTensors() || items.stream().anyMatch(Pickled::ofTensors));
  }

  private Pickled dictionary(List<Pickled> arguments) {
    var dictionary = new Pickled.Dictionary();
    if (!arguments.isEmpty() && arguments.getFirst() instanceof Pickled.Items pairs) {
      copied += pairs.items().size();
      if (copied > MOST_COPIED) {
        throw new BadFileException(
            file, "its dictionaries are made of more than %s items".formatted(MOST_COPIED));
      }
      for (Pickled pair : pairs.items()) {
        List<Pickled> both =
            pair instanceof Pickled.Items list
                ? list.items()
                : pair instanceof Pickled.Tuple tuple ? tuple.items() : List.of();
        if (both.size() != 2) {
          throw new BadFileException(
              file, "a dictionary is made of pairs, but has " + pair.described());
        }
        dictionary.put(both.getFirst(), both.getLast());
      }
    }
    return dictionary;
  }

  /// Makes the tensor of a subclass: its plain one, if it is a parameter or a tensor.
  private Pickled ofType(Pickled.Tuple given) {
    List<Pickled> all = given.items();
    if (all.size() >= 3
        && all.get(1) instanceof Pickled.Global type
        && List.of("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter")
            .contains(type.name())) {
      return call(all.getFirst(), all.get(2));
    }
    return new Pickled.Opaque(
        all.size() < 2 ? "_rebuild_from_type_v2" : all.get(1).described(), true);
  }

  private StoredType typeOf(Pickled.Global global, List<Pickled> arguments) {
    String name = argument(global, arguments, 6, Pickled.Global.class).name();
    StoredType type = TYPES.get(name);
    if (type == null) {
      throw new BadFileException(
          file, "a tensor has the type %s, which is not known here".formatted(Shown.name(name)));
    }
    return type;
  }

  private Pickled tensor(
      Pickled.Global global, List<Pickled> arguments, @Nullable StoredType type) {
    var storage = argument(global, arguments, 0, Pickled.Storage.class);
    long offset = argument(global, arguments, 1, Pickled.Whole.class).value();
    long[] sizes = numbers(global, argument(global, arguments, 2, Pickled.Tuple.class));
    long[] strides = numbers(global, argument(global, arguments, 3, Pickled.Tuple.class));
    Shape shape;
    try {
      shape = Shape.of(sizes);
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file, "a tensor is impossible: " + e.getMessage(), e);
    }
    if (strides.length != sizes.length) {
      throw new BadFileException(
          file,
          "a tensor has a stride for each dimension, but one has %s of %s"
              .formatted(strides.length, sizes.length));
    }
    return new Pickled.Tensor(
        type == null ? storage.type() : type, storage, offset, shape, strides);
  }

  private long[] numbers(Pickled.Global global, Pickled.Tuple tuple) {
    if (tuple.items().size() > StoredTensor.MAX_RANK) {
      throw new BadFileException(
          file,
          "a tensor in a file has at most %s dimensions, but one has %s"
              .formatted(StoredTensor.MAX_RANK, tuple.items().size()));
    }
    long[] numbers = new long[tuple.items().size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = argument(global, tuple.items(), i, Pickled.Whole.class).value();
      if (numbers[i] < 0) {
        throw new BadFileException(
            file, "sizes and strides are not negative, but a tensor has " + numbers[i]);
      }
    }
    return numbers;
  }

  private <T extends Pickled> T argument(
      Pickled.Global global, List<Pickled> arguments, int index, Class<T> type) {
    if (index < arguments.size() && type.isInstance(arguments.get(index))) {
      return type.cast(arguments.get(index));
    }
    throw new BadFileException(
        file,
        "argument %s of %s is %s, so a tensor would be made of what is not plain data; nothing but plain tensors is read"
            .formatted(
                index,
                Shown.name(global.name()),
                index < arguments.size() ? arguments.get(index).described() : "missing"));
  }

  /// Returns what an id stands for: `("storage", class, key, device, elements, view)`, where the
  /// last, which only the legacy form has, is None or `(key, offset, elements)`.
  Pickled persistent(Pickled id) {
    if (!(id instanceof Pickled.Tuple tuple)
        || tuple.items().size() < 5
        || !tuple.items().getFirst().equals(new Pickled.Text("storage"))) {
      return new Pickled.Opaque("a persistent id", true);
    }
    var what = new Pickled.Global("a storage");
    List<Pickled> all = tuple.items();
    String name = argument(what, all, 1, Pickled.Global.class).name();
    StoredType type = STORAGES.get(name.substring(name.lastIndexOf('.') + 1));
    if (type == null || !name.startsWith("torch.")) {
      return new Pickled.Opaque(name, true);
    }
    String key = argument(what, all, 2, Pickled.Text.class).value();
    long elements = argument(what, all, 4, Pickled.Whole.class).value();
    var whole = new Pickled.Storage(type, key, 0, elements);
    Pickled.Storage first = storages.putIfAbsent(key, whole);
    boolean isTooLarge = elements < 0 || elements > Long.MAX_VALUE / Long.BYTES;
    if (isTooLarge
        || (first != null && type.bytes(elements) > first.type().bytes(first.elements()))) {
      throw new BadFileException(
          file,
          "storage %s has %s elements of %s%s"
              .formatted(
                  Shown.name(key),
                  elements,
                  type,
                  first == null
                      ? ""
                      : " here, and %s of %s before".formatted(first.elements(), first.type())));
    }
    return all.size() > 5 && all.get(5) instanceof Pickled.Tuple view
        ? part(what, whole, view.items())
        : whole;
  }

  private Pickled part(Pickled.Global what, Pickled.Storage whole, List<Pickled> view) {
    long offset = argument(what, view, 1, Pickled.Whole.class).value();
    long elements = argument(what, view, 2, Pickled.Whole.class).value();
    if (offset < 0 || elements < 0 || elements > whole.elements() - offset) {
      throw new BadFileException(
          file,
          "a part of storage %s is the %s elements from %s, but it has %s"
              .formatted(Shown.name(whole.key()), elements, offset, whole.elements()));
    }
    return new Pickled.Storage(whole.type(), whole.key(), offset, elements);
  }
}
