package fathom;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/// An element of a tree that holds parameters. Its parts have names, so that every parameter has a
/// path.
///
/// [Layer] and `Recurrent` are nodes; they differ in the data that flows through them.
public interface Node {
  /// A node inside another, with its name. An empty name adds nothing to the path.
  record Part(String name, Node node) {}

  /// This node's own parameters and buffers by name, without those of its parts.
  default Map<String, Param> own() {
    return Map.of();
  }

  /// The nodes inside this one, in the order in which data flows.
  default List<Part> parts() {
    return List.of();
  }

  /// Returns every parameter and buffer of this tree under its path, such as
  /// `layer1.0.conv1.weight`. A parameter that is used in several places appears once, under the
  /// first path. Throws `IllegalStateException` if two different parameters have the same path.
  default SequencedMap<String, Param> state() {
    var byPath = new LinkedHashMap<String, Param>();
    collect("", this, byPath, Collections.newSetFromMap(new IdentityHashMap<>()));
    return byPath;
  }

  /// The trained parameters of this tree, each once.
  default List<Param> params() {
    return state().values().stream().filter(Param::trained).toList();
  }

  /// Joins `a` and `b` to `a.b`; an empty name is left out.
  static String path(String parent, String name) {
    return parent.isEmpty() || name.isEmpty() ? parent + name : parent + "." + name;
  }

  private static void collect(String path, Node node, Map<String, Param> byPath, Set<Param> seen) {
    node.own()
        .forEach((name, param) -> {
          if (seen.add(param) && byPath.put(path(path, name), param) != null) {
            throw new IllegalStateException(
                "two parameters have the path \"%s\"; give one of the layers another name"
                    .formatted(path(path, name)));
          }
        });
    for (Part part : node.parts()) {
      collect(path(path, part.name()), part.node(), byPath, seen);
    }
  }
}
