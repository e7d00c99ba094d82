package fathom.onnx;

import fathom.Layer;
import fathom.Node;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Operations that arrange the elements of a tensor anew, and what is composed from them.
final class Shaping {
  private Shaping() {}

  /// Adds a reshape. A size of 0 keeps the size of x, and −1 stands for the remaining elements.
  static Value reshaped(Graph graph, String path, Value x, Sizes one, long... sizes) {
    String as = graph.integers(path + ".sizes", sizes);
    return graph.add(path, "Reshape", one, List.of(x.name(), as));
  }

  /// Adds a reshape to the sizes of `like`.
  static Value reshapedLike(Graph graph, String path, Value x, Value like) {
    if (like.one().known()) {
      long[] sizes = new long[like.rank()]; // 0, which keeps the first one
      System.arraycopy(like.one().toArray(), 0, sizes, 1, sizes.length - 1);
      return reshaped(graph, path, x, like.one(), sizes);
    }
    Value sizes = graph.add(path + ".sizes", "Shape", Sizes.of(), List.of(like.name()));
    return graph.add(path, "Reshape", like.one(), List.of(x.name(), sizes.name()));
  }

  /// Adds a reshape to the first two sizes of `like`, which are only known when the model runs,
  /// followed by `rest`.
  static Value reshapedBehind(Graph graph, String path, Value x, Value like, long... rest) {
    String two = range(graph, path + ".two", like, 0, 2);
    String all = joined(graph, path + ".sizes", two, graph.integers(path + ".rest", rest));
    long[] sizes = new long[rest.length + 1];
    sizes[0] = like.one().size(0);
    System.arraycopy(rest, 0, sizes, 1, rest.length);
    return graph.add(path, "Reshape", Sizes.of(sizes), List.of(x.name(), all));
  }

  /// Adds the sizes `from .. to-1` of x, its first one included, as a list of whole numbers.
  static String range(Graph graph, String path, Value x, long from, long to) {
    return graph
        .add(
            path,
            "Shape",
            Sizes.of(),
            List.of(x.name()),
            Attribute.of("start", from),
            Attribute.of("end", to))
        .name();
  }

  /// Joins lists of whole numbers.
  static String joined(Graph graph, String path, String... lists) {
    return graph.add(path, "Concat", Sizes.of(), List.of(lists), Attribute.of("axis", 0L)).name();
  }

  /// Adds a transpose; dimension i of the result is dimension `order[i]` of x.
  static Value transposed(Graph graph, String path, Value x, long... order) {
    long[] sizes = new long[order.length - 1];
    for (int i = 1; i < order.length; i++) {
      sizes[i - 1] = order[i] == 0 ? Sizes.ANY : x.one().size((int) order[i] - 1);
    }
    return graph.add(
        path, "Transpose", Sizes.of(sizes), List.of(x.name()), Attribute.of("perm", order));
  }

  /// Applies a layer for N×F to the last dimension of T×N×F, as to rows of their own.
  static Value overRows(Graph graph, String path, Value x, UnaryOperator<Value> layer) {
    long in = x.one().size(-1);
    Value rows = reshaped(graph, Node.path(path, "rows"), x, Sizes.of(in), -1, in);
    Value y = layer.apply(rows);
    return reshapedBehind(graph, Node.path(path, "steps"), y, x, y.one().size(0));
  }

  /// Adds x·Wᵀ + b over the last dimension of x.
  static Value linear(
      Graph graph, String path, Value x, String weight, long out, @Nullable String bias) {
    Sizes one = x.one().with(-1, out);
    if (x.rank() == 2) {
      return graph.add(
          path,
          "Gemm",
          one,
          bias == null ? List.of(x.name(), weight) : List.of(x.name(), weight, bias),
          Attribute.of("transB", 1L));
    }
    Value turned =
        graph.add(
            weight + ".transposed",
            "Transpose",
            Sizes.of(out),
            List.of(weight),
            Attribute.of("perm", 1, 0));
    String name = bias == null ? path : Node.path(path, "product");
    Value product = graph.add(name, "MatMul", one, List.of(x.name(), turned.name()));
    return bias == null ? product : graph.add(path, "Add", one, List.of(product.name(), bias));
  }

  /// Refuses a layer or a part of a net that has no form in ONNX.
  static IllegalArgumentException refused(String path, Node part) {
    return new IllegalArgumentException(
        "%s \"%s\" is %s, which Fathom cannot write as ONNX; its weights can be exported as safetensors"
            .formatted(part instanceof Layer ? "the layer" : "the part", path, part));
  }
}
