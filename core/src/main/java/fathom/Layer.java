package fathom;

import java.util.ArrayList;
import java.util.List;

/// A differentiable function of one tensor, which returns its output together with its pullback.
///
/// Four rules make layers compose:
///
/// - A layer never returns its argument and never writes into a tensor that it did not make.
/// - [#forward] changes no state.
/// - [#predict] stores nothing, uses running statistics and draws no random numbers.
/// - A layer starts no threads.
///
/// A new layer must implement only [#forward]. A layer with parameters also implements [#own()],
/// and a layer with layers inside it also implements [#children()] and [#with].
public interface Layer extends Node, Predictor {
  /// A layer inside another, with its name. An empty name adds nothing to the path.
  record Child(String name, Layer layer) {}

  /// Runs the forward pass for training: returns the output and its pullback.
  Traced forward(Tensor x);

  /// Returns the output for prediction, without a pullback.
  @Override
  default Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(forward(x).value());
    }
  }

  /// Returns the shape of the output for an input of shape `x`. Layers override this to compute the
  /// shape alone; the default predicts an input of zeros and reads the shape of its output. Throws
  /// `IllegalArgumentException` if [#predict] would throw it for an input of this shape.
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

  /// Returns the same layer over other children, one for each of [#children()] in their order. Net
  /// rewrites such as instrumentation, fusion and recomputation are functions from net to net that
  /// use this method. A layer without children throws `IllegalArgumentException` if it is given
  /// any.
  default Layer with(List<Layer> children) {
    if (!children.isEmpty()) {
      throw new IllegalArgumentException(
          this + " has no children, but was given " + children.size());
    }
    return this;
  }

  /// The number of multiply-adds of [#predict] for an input of shape `in` and an output of shape
  /// `out`. Only convolutions and matrix products count, as in the residual paper; all other
  /// operations count as zero.
  default long multiplyAdds(Shape in, Shape out) {
    return 0;
  }

  /// Rewrites a tree from the leaves up: first the children, then `rule` is applied to the layer
  /// over the rewritten children.
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

  /// Decides which layer replaces the layer at a path.
  @FunctionalInterface
  interface Rule {
    /// Returns the replacement of `layer`, which may be `layer` itself.
    Layer apply(String path, Layer layer);
  }
}
