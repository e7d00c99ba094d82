package fathom;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntToDoubleFunction;

/// The trained parameters of a net in one block of memory for the values and one for the gradients.
/// With this layout, workers share the values, one pass sums the gradients of all parameters, and
/// an optimizer step is a single loop.
///
/// The blocks lie outside any scope and live as long as something refers to them. Each parameter
/// starts at a multiple of 64 bytes; the padding between parameters is zero and stays zero.
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

  /// Moves the values of `params` into a new block and binds the parameters to it, with gradients
  /// of zero. Throws `IllegalArgumentException` if there are no parameters or if they have more
  /// than one type.
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

  /// Binds the parameters of a second copy of the net to the values of this block and to a new
  /// block of gradients. Each worker has such a copy. Throws `IllegalArgumentException` if the
  /// parameters of the copy differ in number or shape.
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
    Torch.returnPages(); // thousands of small tensors leave gaps too small for an activation
  }

  private Tensor tensor(MemorySegment block, Slot slot) {
    long bytes = slot.shape.elements() * type.bytes();
    return Tensor.over(
        block.asSlice(slot.offset, bytes), type, slot.channelsLast, slot.shape.toArray());
  }

  /// The element type of all parameters.
  public DType type() {
    return type;
  }

  /// The number of elements of each block, padding included.
  public long count() {
    return gradients.byteSize() / type.bytes();
  }

  /// The block of the parameters' values.
  public MemorySegment values() {
    return values;
  }

  /// The block of the parameters' gradients.
  public MemorySegment gradients() {
    return gradients;
  }

  /// A stretch of each block with the parameters that have one value of a setting, such as the
  /// learning rate.
  ///
  /// @param from the first element
  /// @param to the element after the last one
  /// @param value the setting
  public record Stretch(long from, long to, double value) {}

  /// Returns the blocks cut at the parameters where a setting changes, in order. Together the
  /// stretches cover everything, padding included; with one value for all there is one stretch.
  ///
  /// @param setting the value for each parameter, by its position
  public List<Stretch> stretches(IntToDoubleFunction setting) {
    var stretches = new ArrayList<Stretch>();
    long from = 0;
    for (int i = 0; i < slots.size(); i++) {
      double value = setting.applyAsDouble(i);
      boolean last = i + 1 == slots.size();
      if (last || setting.applyAsDouble(i + 1) != value) {
        long to = last ? count() : slots.get(i + 1).offset / type.bytes();
        stretches.add(new Stretch(from, to, value));
        from = to;
      }
    }
    return stretches;
  }

  /// All values as one flat tensor in the innermost scope, so that a collective can spread them.
  public Tensor value() {
    return Tensor.over(values, type, false, count());
  }

  /// All gradients as one flat tensor in the innermost scope, so that a collective can sum them
  /// over the workers.
  public Tensor gradient() {
    return Tensor.over(gradients, type, false, count());
  }

  /// Returns a new block of zeros with the same layout, for an optimizer's state.
  public MemorySegment zeros() {
    return allocate(gradients.byteSize());
  }

  /// Returns the part of a block such as [#zeros()] that belongs to parameter `i`, as a tensor with
  /// that parameter's shape.
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
