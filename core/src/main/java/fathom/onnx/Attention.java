package fathom.onnx;

import fathom.Node;
import fathom.nn.SelfAttention;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.recurrent.Encoder;
import java.util.List;

/// Writes transformers: positions, self-attention and the activation between the dense layers, for
/// which ONNX has no operations at this version.
final class Attention {
  private Attention() {}

  /// Adds a transformer over T×N×E. A sequence longer than its window makes the model fail, because
  /// there are no positions to gather.
  static Value encoder(Graph graph, String path, Encoder encoder, Value x) {
    Value cases = Shaping.transposed(graph, Node.path(path, "cases"), x, 1, 0, 2);
    String table = graph.constant(path, "positions", encoder.positions());
    String name = Node.path(path, "steps");
    String steps = scalar(graph, name, cases, 1);
    String zero = graph.index(name + ".first", 0);
    String one = graph.index(name + ".step", 1);
    Value order = graph.add(name, "Range", Sizes.of(), List.of(zero, steps, one));
    Value here =
        graph.add(
            Node.path(path, "here"),
            "Gather",
            Sizes.of(x.one().size(1)),
            List.of(table, order.name()));
    Value placed =
        graph.add(
            Node.path(path, "placed"), "Add", cases.one(), List.of(cases.name(), here.name()));
    Value blocks = Onnx.value(graph, Node.path(path, "blocks"), encoder.blocks(), placed);
    Value normed = Onnx.value(graph, Node.path(path, "norm"), encoder.norm(), blocks);
    return Shaping.transposed(graph, path, normed, 1, 0, 2);
  }

  /// Adds size `dim` of x, the first being 0, as a number without a dimension.
  private static String scalar(Graph graph, String path, Value x, long dim) {
    String list = Shaping.range(graph, path + ".count", x, dim, dim + 1);
    String axis = graph.integers(path + ".dimension", 0);
    return graph.add(path + ".number", "Squeeze", Sizes.of(), List.of(list, axis)).name();
  }

  /// Adds self-attention over N×T×E, with the names of the equation in [SelfAttention].
  static Value self(Graph graph, String path, SelfAttention layer, Value x) {
    long width = layer.outBias().value().shape().size(0);
    int heads = layer.heads();
    long each = width / heads;
    Value packed =
        Shaping.linear(
            graph,
            Node.path(path, "in_proj"),
            x,
            graph.constant(path, "in_proj_weight", layer.inWeight()),
            3 * width,
            graph.constant(path, "in_proj_bias", layer.inBias()));
    Value parts =
        Shaping.reshaped(
            graph,
            Node.path(path, "heads"),
            packed,
            Sizes.of(Sizes.ANY, 3, heads, each),
            0,
            0,
            3,
            heads,
            each);
    Value q = part(graph, path, "q", parts, 0, 0, 2, 1, 3);
    Value k = part(graph, path, "k", parts, 1, 0, 2, 3, 1); // transposed, as the product takes it
    Value v = part(graph, path, "v", parts, 2, 0, 2, 1, 3);
    Sizes square = Sizes.of(heads, Sizes.ANY, Sizes.ANY);
    Value products = plain(graph, path, "products", "MatMul", square, q.name(), k.name());
    String root = graph.number(Node.path(path, "root"), Math.sqrt((double) each));
    Value scores = plain(graph, path, "scores", "Div", square, products.name(), root);
    if (layer.causal()) {
      scores = plain(graph, path, "causal", "Add", square, scores.name(), future(graph, path, x));
    }
    Value shares =
        graph.add(
            Node.path(path, "shares"),
            "Softmax",
            square,
            List.of(scores.name()),
            Attribute.of("axis", -1L));
    Value attended = plain(graph, path, "attended", "MatMul", q.one(), shares.name(), v.name());
    Value together = Shaping.transposed(graph, Node.path(path, "together"), attended, 0, 2, 1, 3);
    Value joined =
        Shaping.reshaped(graph, Node.path(path, "joined"), together, x.one(), 0, 0, width);
    return Shaping.linear(
        graph,
        path,
        joined,
        graph.constant(path, "out_proj.weight", layer.outWeight()),
        width,
        graph.constant(path, "out_proj.bias", layer.outBias()));
  }

  /// Adds one of the three parts of N×T×3×heads×d, N×T×heads×d, with its dimensions in this order.
  private static Value part(
      Graph graph, String path, String name, Value parts, long i, long... order) {
    String index = graph.index(Node.path(path, name + ".index"), i);
    Value part =
        graph.add(
            Node.path(path, name + ".apart"),
            "Gather",
            Sizes.of(Sizes.ANY, parts.one().size(2), parts.one().size(3)),
            List.of(parts.name(), index),
            Attribute.of("axis", 2L));
    return Shaping.transposed(graph, Node.path(path, name), part, order);
  }

  /// Adds a matrix T×T that is −∞ above the diagonal, where a position would see later ones, and 0
  /// elsewhere.
  private static String future(Graph graph, String path, Value x) {
    String name = Node.path(path, "future");
    String steps = Shaping.range(graph, name + ".steps", x, 1, 2);
    Value full =
        graph.add(
            name + ".full",
            "ConstantOfShape",
            Sizes.of(Sizes.ANY),
            List.of(Shaping.joined(graph, name + ".sizes", steps, steps)),
            Attribute.number("value", Float.NEGATIVE_INFINITY));
    String next = graph.index(name + ".next", 1);
    return graph
        .add(name, "Trilu", full.one(), List.of(full.name(), next), Attribute.of("upper", 1L))
        .name();
  }

  /// Adds x·Φ(x) = x·(1 + erf(x/√2))/2.
  static Value gelu(Graph graph, String path, Value x) {
    String root = graph.number(Node.path(path, "root"), Math.sqrt(2));
    Value scaled = plain(graph, path, "scaled", "Div", x.one(), x.name(), root);
    Value erf = graph.add(Node.path(path, "erf"), "Erf", x.one(), List.of(scaled.name()));
    String one = graph.number(Node.path(path, "one"), 1);
    Value sum = plain(graph, path, "sum", "Add", x.one(), erf.name(), one);
    String half = graph.number(Node.path(path, "half"), 0.5);
    Value share = plain(graph, path, "share", "Mul", x.one(), sum.name(), half);
    return graph.add(path, "Mul", x.one(), List.of(x.name(), share.name()));
  }

  private static Value plain(
      Graph graph, String path, String name, String type, Sizes one, String a, String b) {
    return graph.add(Node.path(path, name), type, one, List.of(a, b));
  }
}
