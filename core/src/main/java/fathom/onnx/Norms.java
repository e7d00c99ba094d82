package fathom.onnx;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.nn.DynamicTanh;
import fathom.nn.GroupNorm;
import fathom.nn.LayerNorm;
import fathom.nn.RmsNorm;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import java.util.List;
import java.util.stream.LongStream;

/// Composes norms and dynamic tanh, for which ONNX has no operation at this version, from several
/// operations.
final class Norms {
  private Norms() {}

  /// Adds a parameter with an element for each channel, in a shape that broadcasts against x.
  static String perChannel(Graph graph, String path, String name, Param param, Value x) {
    long channels = param.value().shape().size(0);
    Shape shape = x.rank() == 4 ? Shape.of(channels, 1, 1) : Shape.of(channels);
    return graph.constant(path, name, param, shape);
  }

  private static Value plain(Graph graph, String path, String type, Value x, String with) {
    return graph.add(path, type, x.one(), List.of(x.name(), with));
  }

  /// Adds x/√(mean(x²) + ε), times the gain if there is one.
  static Value rms(Graph graph, String path, RmsNorm norm, Value x) {
    Value squares = plain(graph, Node.path(path, "squares"), "Mul", x, x.name());
    long[] axes =
        switch (norm.over()) {
          case FEATURES -> LongStream.range(1, x.rank()).toArray();
          case POSITION -> new long[] {1};
          case LAST -> new long[] {x.rank() - 1};
        };
    Value root = root(graph, path, squares, axes, norm.epsilon());
    Value y = graph.add(Node.path(path, "normed"), "Div", x.one(), List.of(x.name(), root.name()));
    Param gain = norm.gain();
    if (gain == null) {
      return y;
    }
    String weight =
        norm.over() == LayerNorm.Over.POSITION
            ? perChannel(graph, path, "weight", gain, x)
            : graph.constant(path, "weight", gain);
    return plain(graph, path, "Mul", y, weight);
  }

  /// Adds √(mean(squares) + ε) over these dimensions, which remain with size 1.
  private static Value root(Graph graph, String path, Value squares, long[] axes, double epsilon) {
    Value mean = mean(graph, Node.path(path, "mean_square"), squares, axes);
    String e = graph.number(Node.path(path, "epsilon"), epsilon);
    Value sum = plain(graph, Node.path(path, "variance"), "Add", mean, e);
    return graph.add(Node.path(path, "standard_deviation"), "Sqrt", sum.one(), List.of(sum.name()));
  }

  private static Value mean(Graph graph, String path, Value x, long[] axes) {
    Sizes one = x.one();
    for (long axis : axes) {
      one = one.with((int) axis - 1, 1);
    }
    return graph.add(
        path,
        "ReduceMean",
        one,
        List.of(x.name()),
        Attribute.of("axes", axes),
        Attribute.of("keepdims", 1L));
  }

  /// Adds a group norm: an instance norm with the groups as its channels, then the gain and bias of
  /// each channel.
  static Value group(Graph graph, String path, GroupNorm norm, Value x) {
    int groups = norm.groups();
    Value grouped =
        Shaping.reshaped(
            graph, Node.path(path, "grouped"), x, Sizes.of(groups, Sizes.ANY), 0, groups, -1);
    Tensor zeros = Tensor.zeros(DType.FLOAT32, groups);
    Value normed =
        graph.add(
            Node.path(path, "normed"),
            "InstanceNormalization",
            grouped.one(),
            List.of(
                grouped.name(),
                graph.floats(Node.path(path, "ones"), zeros.plus(1)),
                graph.floats(Node.path(path, "zeros"), zeros)),
            Attribute.of("epsilon", norm.epsilon()));
    Value back = Shaping.reshapedLike(graph, Node.path(path, "apart"), normed, x);
    String gain = perChannel(graph, path, "weight", norm.gain(), x);
    Value scaled = plain(graph, Node.path(path, "scaled"), "Mul", back, gain);
    return plain(graph, path, "Add", scaled, perChannel(graph, path, "bias", norm.bias(), x));
  }

  /// Adds the mean and the standard deviation of x to the normalised x as two more features or
  /// channels.
  static Value joined(Graph graph, String path, LayerNorm norm, Value normed, Value x) {
    long[] axes = LongStream.range(1, x.rank()).toArray();
    Value mean = mean(graph, Node.path(path, "mean"), x, axes);
    Value apart =
        graph.add(Node.path(path, "apart"), "Sub", x.one(), List.of(x.name(), mean.name()));
    Value squares = plain(graph, Node.path(path, "squares"), "Mul", apart, apart.name());
    Value root = root(graph, path, squares, axes, norm.epsilon());
    return graph.add(
        Node.path(path, "joined"),
        "Concat",
        x.one().with(0, x.one().size(0) + 2),
        List.of(
            normed.name(),
            spread(graph, Node.path(path, "mean_spread"), mean, x).name(),
            spread(graph, Node.path(path, "standard_deviation_spread"), root, x).name()),
        Attribute.of("axis", 1L));
  }

  /// Repeats a statistic of each case at every pixel.
  private static Value spread(Graph graph, String path, Value each, Value x) {
    Sizes one = x.one().with(0, 1);
    String zeros = graph.floats(path + ".zeros", Tensor.zeros(DType.FLOAT32, one.toArray()));
    return graph.add(path, "Add", one, List.of(each.name(), zeros));
  }

  /// Adds g·tanh(α·x) + b.
  static Value tanh(Graph graph, String path, DynamicTanh layer, Value x) {
    String alpha = graph.constant(path, "alpha", layer.alpha());
    Value inside = plain(graph, Node.path(path, "inside"), "Mul", x, alpha);
    Value bent = graph.add(Node.path(path, "bent"), "Tanh", x.one(), List.of(inside.name()));
    String gain = perChannel(graph, path, "weight", layer.gain(), x);
    Value scaled = plain(graph, Node.path(path, "scaled"), "Mul", bent, gain);
    return plain(graph, path, "Add", scaled, perChannel(graph, path, "bias", layer.bias(), x));
  }
}
