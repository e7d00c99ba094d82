package fathom.io;

import fathom.Shape;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// A value that a pickle describes. There is one kind for each value that a state dictionary needs;
/// everything else is [Opaque], of which nothing is known but where it came from.
///
/// Containers are compared by identity, because a pickle may put one into itself.
sealed interface Pickled {
  /// The value `None`.
  enum Nothing implements Pickled {
    NOTHING
  }

  record Text(String value) implements Pickled {}

  record Truth(boolean value) implements Pickled {}

  record Whole(long value) implements Pickled {}

  /// A whole number beyond 64 bits.
  record Huge(BigInteger value) implements Pickled {}

  record Real(double value) implements Pickled {}

  /// A class or function by its full name. It is a name only: nothing is ever looked up.
  record Global(String name) implements Pickled {}

  /// A value of which nothing is known.
  ///
  /// @param what the global that makes it, or another description
  /// @param ofTensors whether tensors went into it, so that it may be one itself
  record Opaque(String what, boolean ofTensors) implements Pickled {}

  /// Elements in a file, or a part of them, which several tensors may share.
  ///
  /// @param type of the elements; bytes if the tensor that uses them says what they are
  /// @param key the name of the whole
  /// @param offset of the part in the whole, in elements
  /// @param elements the number of elements of the part
  record Storage(StoredType type, String key, long offset, long elements) implements Pickled {}

  /// A tensor over a storage. Element `i, j, ...` lies at `offset + i·strides[0] + j·strides[1] +
  /// ...`, counted in elements from the storage's first.
  record Tensor(StoredType type, Storage storage, long offset, Shape shape, long[] strides)
      implements Pickled {}

  /// A tuple, which is complete when it is made.
  final class Tuple implements Pickled {
    private final List<Pickled> items;
    private final boolean ofTensors;

    Tuple(List<Pickled> items) {
      this.items = items;
      this.ofTensors = items.stream().anyMatch(Pickled::ofTensors);
    }

    List<Pickled> items() {
      return items;
    }
  }

  /// A list or a set, to which items are added.
  final class Items implements Pickled {
    private final List<Pickled> items = new ArrayList<>();
    private boolean ofTensors;

    void add(List<Pickled> more) {
      items.addAll(more);
      ofTensors |= more.stream().anyMatch(Pickled::ofTensors);
    }

    List<Pickled> items() {
      return items;
    }
  }

  /// A dictionary, whose keys are texts, numbers or anything else.
  final class Dictionary implements Pickled {
    private final SequencedMap<Pickled, Pickled> entries = new LinkedHashMap<>();
    private boolean ofTensors;

    void put(Pickled key, Pickled value) {
      entries.put(key, value);
      ofTensors |= value.ofTensors();
    }

    SequencedMap<Pickled, Pickled> entries() {
      return entries;
    }
  }

  /// Returns whether the value is a tensor, or had one in it or in what it was made of when it was
  /// made or filled.
  default boolean ofTensors() {
    return switch (this) {
      case Tensor _, Storage _ -> true;
      case Opaque opaque -> opaque.ofTensors;
      case Tuple tuple -> tuple.ofTensors;
      case Items list -> list.ofTensors;
      case Dictionary dictionary -> dictionary.ofTensors;
      default -> false;
    };
  }

  /// Returns what the value is, for messages.
  default String described() {
    return switch (this) {
      case Nothing _ -> "None";
      case Text text -> Shown.name(text.value);
      case Truth truth -> truth.value ? "True" : "False";
      case Whole whole -> Long.toString(whole.value);
      case Huge _ -> "a huge number";
      case Real real -> Double.toString(real.value);
      case Global global -> Shown.name(global.name);
      case Opaque opaque -> "a value of " + Shown.name(opaque.what);
      case Storage _ -> "a storage";
      case Tensor _ -> "a tensor";
      case Tuple _ -> "a tuple";
      case Items _ -> "a list";
      case Dictionary _ -> "a dictionary";
    };
  }
}
