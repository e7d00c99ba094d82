package fathom.net;

import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/// A net as a tree with the shapes of one example's activations, found by arithmetic over shapes.
///
/// @param layers every layer of the tree, a parent before its children
/// @param params the number of elements of the trained parameters, each parameter counted once
/// @param multiplyAdds the multiply-adds of one prediction
public record Summary(List<Entry> layers, long params, long multiplyAdds) {
  /// One layer of the tree.
  ///
  /// @param depth its depth in the tree, 0 for the root
  /// @param value the shape of its output for one example, with a batch dimension of 1
  /// @param params the elements of its own trained parameters, without those of its children
  /// @param multiplyAdds its own multiply-adds, without those of its children
  public record Entry(
      int depth, String name, String layer, Shape value, long params, long multiplyAdds) {}

  /// Summarizes `net` for one example of this shape, which has no batch dimension. Nothing is
  /// computed, so the net may have been built in [fathom.Scope#ofShapes].
  public static Summary of(Layer net, Shape example) {
    Layer measured = Layer.map(net, (_, layer) -> new Measured(layer));
    long[] shape = new long[example.rank() + 1];
    shape[0] = 1;
    System.arraycopy(example.toArray(), 0, shape, 1, example.rank());
    measured.shape(Shape.of(shape));
    var entries = new ArrayList<Entry>();
    describe(0, "", measured, entries);
    return new Summary(
        List.copyOf(entries),
        trained(net, Collections.newSetFromMap(new IdentityHashMap<>())),
        entries.stream().mapToLong(Entry::multiplyAdds).sum());
  }

  /// Returns the elements of the trained parameters of a tree, each parameter counted once. It does
  /// not build the parameters' paths, which in deep nets would take longer than all else.
  private static long trained(Node node, Set<Param> seen) {
    long elements = 0;
    for (Param param : node.own().values()) {
      if (param.trained() && seen.add(param)) {
        elements += param.value().shape().elements();
      }
    }
    for (Node.Part part : node.parts()) {
      elements += trained(part.node(), seen);
    }
    return elements;
  }

  private static void describe(int depth, String name, Layer layer, List<Entry> entries) {
    if (!(layer instanceof Measured measured)) {
      throw new IllegalStateException("every layer of a measured net is measured");
    }
    entries.add(measured.entry(depth, name));
    for (Layer.Child child : measured.layer.children()) {
      describe(depth + 1, child.name(), child.layer(), entries);
    }
  }

  /// A layer that records the shapes of its input and its output.
  private static final class Measured implements Layer {
    private final Layer layer;
    private Shape in = Shape.of();
    private Shape out = Shape.of();

    Measured(Layer layer) {
      this.layer = layer;
    }

    @Override
    public Shape shape(Shape x) {
      in = x;
      out = layer.shape(x);
      return out;
    }

    Entry entry(int depth, String name) {
      long own =
          layer.own().values().stream()
              .filter(Param::trained)
              .mapToLong(p -> p.value().shape().elements())
              .sum();
      return new Entry(depth, name, layer.toString(), out, own, layer.multiplyAdds(in, out));
    }

    @Override
    public Traced forward(Tensor x) {
      return layer.forward(x);
    }
  }
}
