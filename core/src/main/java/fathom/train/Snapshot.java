package fathom.train;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;

/// A copy of the parameters and buffers of a net, under their paths. The copy is outside any scope:
/// it lives as long as it is referenced.
record Snapshot(Map<String, Entry> entries) {
  private record Entry(DType type, Shape shape, MemorySegment bytes) {}

  static Snapshot of(Node net) {
    var entries = new LinkedHashMap<String, Entry>();
    net.state()
        .forEach((path, param) -> {
          try (var _ = Scope.open()) {
            Tensor dense = param.value().contiguous();
            MemorySegment from = dense.segment();
            MemorySegment bytes = Arena.ofAuto().allocate(from.byteSize(), 64);
            bytes.copyFrom(from);
            entries.put(path, new Entry(dense.type(), dense.shape(), bytes));
          }
        });
    return new Snapshot(entries);
  }

  /// Copies these parameters and buffers into a net of the same structure.
  void to(Node net) {
    for (Map.Entry<String, Param> each : net.state().entrySet()) {
      Entry entry = entries.get(each.getKey());
      if (entry == null) {
        throw new IllegalArgumentException(
            "the trained net has the parameters %s, but this one also has \"%s\""
                .formatted(entries.keySet(), each.getKey()));
      }
      try (var _ = Scope.open()) {
        each.getValue()
            .value()
            .copy_(Tensor.over(entry.bytes, entry.type, false, entry.shape.toArray()));
      }
    }
  }
}
