package fathom;

import java.util.ArrayList;
import java.util.List;

/// A function of one tensor that knows its own way back.
///
/// Four rules make layers compose. A layer never returns its argument and never writes into a
/// tensor that it did not make. [#forward] changes no state. [#predict] remembers nothing, uses
/// running statistics and no randomness. A layer starts no threads.
///
/// [#forward] is all that a new layer must have; with parameters it also has [#own()], with layers
/// inside it [#children()] and [#with].
public interface Layer extends Node, Predictor {
  /// A layer inside another, under its name. The empty name adds nothing to the path.
  record Child(String name, Layer layer) {}

  /// The value for training, and the way back.
  Traced forward(Tensor x);

  /// The value for use, without a way back.
  @Override
  default Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(forward(x).value());
    }
  }

  /// The shape of the value of an argument of this shape. Layers know it without computing; of one
  /// that does not, the value of zeros tells. Throws `IllegalArgumentException` where [#predict]
  /// would for the shape.
  default Shape shape(Shape x) {
    try (var _ = Scope.open()) {
      return predict(Tensor.zeros(DType.FLOAT32, x.toArray())).shape();
    }
  }

  /// The layers inside this one, in the order in which data flows.
  default List<Child> children() {
    return List.of();
  }

  @Override
  default List<Part> parts() {
    return children().stream().map(child -> new Part(child.name(), child.layer())).toList();
  }

  /// The same layer over other children, one for each of [#children()] in their order. With it,
  /// nets are rewritten: instruments, fusion and recomputation are functions from net to net.
  default Layer with(List<Layer> children) {
    if (!children.isEmpty()) {
      throw new IllegalArgumentException(
          this + " has no children, but was given " + children.size());
    }
    return this;
  }

  /// Multiplications with an addition that [#predict] needs from one shape to the other: those of
  /// convolutions and matrix products, as in the residual paper; everything else counts nothing.
  default long multiplyAdds(Shape in, Shape out) {
    return 0;
  }

  /// Rewrites a tree from the leaves up: children first, then `rule` on the layer over the new
  /// ones.
  static Layer map(Layer layer, Rule rule) {
    return map("", layer, rule);
  }

  private static Layer map(String path, Layer layer, Rule rule) {
    var children = new ArrayList<Layer>();
    for (Child child : layer.children()) {
      children.add(map(Node.path(path, child.name()), child.layer(), rule));
    }
    return rule.apply(path, children.isEmpty() ? layer : layer.with(children));
  }

  /// What to put in the place of a layer at a path.
  @FunctionalInterface
  interface Rule {
    Layer apply(String path, Layer layer);
  }
}
