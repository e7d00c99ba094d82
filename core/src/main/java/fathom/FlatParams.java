package fathom;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The trained parameters of a net as one block of values and one block of gradients, so that
/// workers share values, gradients are summed in one go and an optimizer is one loop.
///
/// The block lies outside any scope: it lives as long as somebody refers to it. Each parameter
/// starts at a multiple of 64 bytes; what lies between is zero and stays so.
public final class FlatParams {
  private static final int ALIGNMENT = 64;

  private final DType type;
  private final List<Slot> slots;
  private final MemorySegment values;
  private final MemorySegment gradients;

  private record Slot(long offset, Shape shape, boolean channelsLast) {}

  private FlatParams(DType type, List<Slot> slots, MemorySegment values, long bytes) {
    this.type = type;
    this.slots = slots;
    this.values = values;
    this.gradients = allocate(bytes);
  }

  /// Moves the values of `params`, which are of one type, into a new block, with gradients of zero.
  public static FlatParams of(List<Param> params) {
    if (params.isEmpty()) {
      throw new IllegalArgumentException("a net without parameters cannot be trained");
    }
    DType type = params.getFirst().value().type();
    var slots = new ArrayList<Slot>();
    long offset = 0;
    for (Param param : params) {
      Tensor value = param.value();
      if (value.type() != type) {
        throw new IllegalArgumentException(
            "parameters that are trained together have one type, but these are %s and %s"
                .formatted(type, value));
      }
      slots.add(
          new Slot(offset, value.shape(), !value.raw().is_contiguous() && value.isChannelsLast()));
      offset += roundUp(value.shape().elements() * type.bytes());
    }
    var flat = new FlatParams(type, List.copyOf(slots), allocate(offset), offset);
    try (var _ = Scope.open()) {
      for (int i = 0; i < slots.size(); i++) {
        flat.tensor(flat.values, slots.get(i)).copy_(params.get(i).value());
      }
    }
    flat.bind(params);
    return flat;
  }

  /// Makes the parameters of another tree of the same net use these values, with gradients of its
  /// own.
  public FlatParams shareWith(List<Param> twin) {
    if (twin.size() != slots.size()) {
      throw new IllegalArgumentException(
          "nets that share values have the same parameters, but they have %s and %s"
              .formatted(slots.size(), twin.size()));
    }
    var flat = new FlatParams(type, slots, values, gradients.byteSize());
    flat.bind(twin);
    return flat;
  }

  private void bind(List<Param> params) {
    for (int i = 0; i < slots.size(); i++) {
      Param param = params.get(i);
      Tensor value = tensor(values, slots.get(i));
      if (!value.shape().equals(param.value().shape())) {
        throw new IllegalArgumentException(
            "nets that share values have the same shapes, but parameter %s is %s and %s"
                .formatted(i, value.shape(), param.value().shape()));
      }
      param.value().release();
      param.grad().release();
      param.bind(value, tensor(gradients, slots.get(i)));
    }
    Torch.returnPages(); // thousands of small tensors leave holes that no activation fits in
  }

  private Tensor tensor(MemorySegment block, Slot slot) {
    long bytes = slot.shape.elements() * type.bytes();
    return Tensor.over(
        block.asSlice(slot.offset, bytes), type, slot.channelsLast, slot.shape.toArray());
  }

  public DType type() {
    return type;
  }

  /// The number of elements of each block, with the zeros in between.
  public long count() {
    return gradients.byteSize() / type.bytes();
  }

  public MemorySegment values() {
    return values;
  }

  public MemorySegment gradients() {
    return gradients;
  }

  /// All gradients as one tensor of the innermost scope, to be summed over workers.
  public Tensor gradient() {
    return Tensor.over(gradients, type, false, count());
  }

  /// A block of zeros laid out like these, for an optimizer's state.
  public MemorySegment zeros() {
    return allocate(gradients.byteSize());
  }

  /// The part of a block such as [#zeros()] that belongs to parameter `i`, shaped like it.
  public Tensor part(MemorySegment block, int i) {
    return tensor(block, slots.get(i));
  }

  private static MemorySegment allocate(long bytes) {
    return Arena.ofAuto().allocate(bytes, ALIGNMENT);
  }

  private static long roundUp(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
