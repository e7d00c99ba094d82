package fathom;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/// A function of one tensor that knows its own way back.
///
/// Four rules make layers compose. A layer never returns its argument and never writes into a
/// tensor that it did not make. [#forward] changes no state. [#predict] remembers nothing, uses
/// running statistics and no randomness. A layer starts no threads.
///
/// [#forward] is all that a new layer must have; with parameters it also has [#own()], with layers
/// inside it [#children()] and [#with].
public interface Layer {
  /// A layer inside another, under its name. The empty name adds nothing to the path.
  record Child(String name, Layer layer) {}

  /// The value for training, and the way back.
  Traced forward(Tensor x);

  /// The value for use, without a way back.
  default Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(forward(x).value());
    }
  }

  /// This layer's own parameters and buffers by name, without those of its children.
  default Map<String, Param> own() {
    return Map.of();
  }

  /// The layers inside this one, in the order in which data flows.
  default List<Child> children() {
    return List.of();
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

  /// Every parameter and buffer of this tree under its path, `layer1.0.conv1.weight`; one that is
  /// used in several places appears once, under the first. Throws `IllegalStateException` if two
  /// differ but have one path.
  default SequencedMap<String, Param> state() {
    var byPath = new LinkedHashMap<String, Param>();
    collect("", this, byPath, Collections.newSetFromMap(new IdentityHashMap<>()));
    return byPath;
  }

  /// The trained parameters of this tree, each once.
  default List<Param> params() {
    return state().values().stream().filter(Param::trained).toList();
  }

  /// `a` and `b` as `a.b`; an empty one is left out.
  static String path(String parent, String name) {
    return parent.isEmpty() || name.isEmpty() ? parent + name : parent + "." + name;
  }

  private static void collect(
      String path, Layer layer, Map<String, Param> byPath, Set<Param> seen) {
    layer
        .own()
        .forEach((name, param) -> {
          if (seen.add(param) && byPath.put(path(path, name), param) != null) {
            throw new IllegalStateException(
                "two parameters have the path \"%s\"; give one of the layers another name"
                    .formatted(path(path, name)));
          }
        });
    for (Child child : layer.children()) {
      collect(path(path, child.name()), child.layer(), byPath, seen);
    }
  }

  /// Rewrites a tree from the leaves up: children first, then `rule` on the layer over the new
  /// ones.
  static Layer map(Layer layer, Rule rule) {
    return map("", layer, rule);
  }

  private static Layer map(String path, Layer layer, Rule rule) {
    var children = new ArrayList<Layer>();
    for (Child child : layer.children()) {
      children.add(map(path(path, child.name()), child.layer(), rule));
    }
    return rule.apply(path, children.isEmpty() ? layer : layer.with(children));
  }

  /// What to put in the place of a layer at a path.
  @FunctionalInterface
  interface Rule {
    Layer apply(String path, Layer layer);
  }
}
