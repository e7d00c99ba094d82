package fathom.onnx;

import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.io.AtomicFile;
import fathom.io.Message;
import fathom.net.LanguageModel;
import fathom.nn.AnchoredNorm;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.DynamicTanh;
import fathom.nn.Flatten;
import fathom.nn.Gelu;
import fathom.nn.GlobalAveragePool;
import fathom.nn.GroupNorm;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.nn.MaxPool2d;
import fathom.nn.OverPositions;
import fathom.nn.PaddedSubsample;
import fathom.nn.Recompute;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.RmsNorm;
import fathom.nn.SelfAttention;
import fathom.nn.Sigmoid;
import fathom.nn.Tanh;
import fathom.nn.Upsample2d;
import fathom.nn.WeightNorm;
import fathom.nn.WithMoments;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.recurrent.LastState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes nets as ONNX models (opset 17), which ONNX Runtime and other programs run. A model
/// computes what the net predicts, with running statistics, in float32.
///
/// - A net for images has the input "pictures", N×C×H×W for any N, and the output "logits", N×K; a
///   net for masks takes any H and W that are multiples of its own, and its logits are N×K×H×W.
///   With a normalization inside ([ImageInput#asBytes]) the input is "bytes", uint8 of N×H×W×C, and
///   the output is "probabilities".
/// - A net for text has the inputs "tokens", int64 of N×T for any N and T, and "state", S×N×H,
///   which is zeros before a text begins; its outputs are "logits", N×T×K, and "next_state", which
///   is the state of the tokens that follow. A transformer has no state, and T is at most its
///   window.
///
/// Constants have the names of the net's parameters. Those of a recurrent layer without norms are
/// in the order of gates of ONNX's operation. Batch norm remains a separate operation, because
/// programs that run such models fold it into the convolution themselves; weight norm is multiplied
/// out.
public final class Onnx {
  /// The opset version, the first one with layer norm.
  public static final int OPSET = 17;

  /// The version of the file format that belongs to the opset.
  private static final int FORM = 8;

  private Onnx() {}

  /// Writes `net` for images of shape C×H×W, with metadata that other programs can read. The same
  /// arguments make the same bytes.
  ///
  /// Throws `IllegalArgumentException` if the shape does not have three dimensions or a layer
  /// cannot be expressed in ONNX, and [fathom.io.BadFileException] if the file cannot be written.
  /// In either case the previous file stays as it was.
  public static void write(Path file, Layer net, Shape image, Map<String, String> metadata) {
    write(file, net, ImageInput.of(image), metadata);
  }

  /// Writes `net` for these images. Throws as the method for one shape does, and
  /// `IllegalArgumentException` for images of any size if a layer needs one size.
  public static void write(Path file, Layer net, ImageInput input, Map<String, String> metadata) {
    try (var _ = Scope.open()) {
      var graph = new Graph(input.names());
      Port result = input.result(graph, value(graph, "", net, input.images(graph)));
      write(file, new Graph.Model(graph, List.of(input.port()), List.of(result)), metadata);
    }
  }

  /// Writes a net for text. Throws `IllegalArgumentException` if a part of it cannot be expressed
  /// in ONNX, and [fathom.io.BadFileException] if the file cannot be written. In either case the
  /// previous file stays as it was.
  public static void write(Path file, LanguageModel net, Map<String, String> metadata) {
    try (var _ = Scope.open()) {
      write(file, new TextModel(net).model(), metadata);
    }
  }

  private static void write(Path file, Graph.Model net, Map<String, String> metadata) {
    var model = new Message().integer(1, FORM).text(2, "fathom");
    model.message(7, net.graph().message("net", net.inputs(), net.outputs()));
    model.message(8, new Message().text(1, "").integer(2, OPSET));
    new TreeMap<>(metadata)
        .forEach((key, text) -> model.message(14, new Message().text(1, key).text(2, text)));
    AtomicFile.replace(file, model::writeTo);
  }

  /// Adds the layer at `path` and returns its output for `x`.
  static Value value(Graph graph, String path, Layer layer, Value x) {
    return switch (layer) {
      case Chain chain -> chain(graph, path, chain, x);
      case Residual residual -> residual(graph, path, residual, x);
      case Recompute recompute -> value(graph, path, recompute.layer(), x);
      case Identity _, Dropout _ -> x; // a model only predicts, where dropout is the identity
      case Relu _ -> graph.add(path, "Relu", x.one(), List.of(x.name()));
      case Sigmoid _ -> graph.add(path, "Sigmoid", x.one(), List.of(x.name()));
      case Tanh _ -> graph.add(path, "Tanh", x.one(), List.of(x.name()));
      case Gelu _ -> Attention.gelu(graph, path, x);
      case Flatten _ -> graph.add(path, "Flatten", Sizes.of(x.one().elements()), List.of(x.name()));
      case Conv2d conv -> conv(graph, path, conv, x);
      case Dense dense -> dense(graph, path, dense, x);
      case WeightNorm norm -> value(graph, path, norm.folded(), x);
      case Bias bias -> bias(graph, path, "bias", bias.bias(), x);
      case BatchNorm norm -> batchNorm(graph, path, norm, x);
      case LayerNorm norm -> layerNorm(graph, path, norm, x);
      case RmsNorm norm -> Norms.rms(graph, path, norm, x);
      case GroupNorm norm -> Norms.group(graph, path, norm, x);
      case AnchoredNorm norm ->
          value(graph, path, norm.norm(), bias(graph, path, "anchor", norm.anchor(), x));
      case WithMoments both ->
          Norms.joined(graph, path, both.norm(), layerNorm(graph, path, both.norm(), x), x);
      case DynamicTanh tanh -> Norms.tanh(graph, path, tanh, x);
      case MaxPool2d pool -> maxPool(graph, path, pool, x);
      case GlobalAveragePool _ -> average(graph, path, x);
      case PaddedSubsample shortcut -> paddedSubsample(graph, path, shortcut, x);
      case Upsample2d larger -> upsample(graph, path, larger, x);
      case OverPositions each ->
          Shaping.overRows(graph, path, x, rows -> value(graph, path, each.layer(), rows));
      case SelfAttention attention -> Attention.self(graph, path, attention, x);
      case LastState last -> Recurrences.last(graph, path, last, x);
      default -> throw Shaping.refused(path, layer);
    };
  }

  private static Value chain(Graph graph, String path, Chain chain, Value x) {
    Value y = x;
    for (Layer.Child child : chain.children()) {
      y = value(graph, Node.path(path, child.name()), child.layer(), y);
    }
    return y;
  }

  private static Value residual(Graph graph, String path, Residual residual, Value x) {
    Value f = value(graph, path, residual.branch(), x);
    Value s = value(graph, Node.path(path, residual.shortcutName()), residual.shortcut(), x);
    return graph.add(Node.path(path, "add"), "Add", f.one(), List.of(f.name(), s.name()));
  }

  private static Value conv(Graph graph, String path, Conv2d conv, Value x) {
    String weight = graph.constant(path, "weight", conv.weight());
    long size = conv.weight().value().shape().size(2);
    return graph.add(
        path,
        "Conv",
        windowed(
            x.one(), conv.weight().value().shape().size(0), size, conv.stride(), conv.padding()),
        List.of(x.name(), weight),
        Attribute.of("kernel_shape", size, size),
        Attribute.of("strides", conv.stride(), conv.stride()),
        padding(conv.padding()));
  }

  /// Returns the shape of the output of windows of this size over C×H×W, with this many channels.
  private static Sizes windowed(Sizes x, long channels, long size, int stride, int padding) {
    return Sizes.of(
        channels,
        positions(x.size(1), size, stride, padding),
        positions(x.size(2), size, stride, padding));
  }

  private static long positions(long side, long size, int stride, int padding) {
    return side == Sizes.ANY ? Sizes.ANY : (side + 2L * padding - size) / stride + 1;
  }

  private static Attribute padding(int padding) {
    return Attribute.of("pads", padding, padding, padding, padding);
  }

  /// Adds x·Wᵀ + b.
  private static Value dense(Graph graph, String path, Dense dense, Value x) {
    Param bias = dense.bias();
    return Shaping.linear(
        graph,
        path,
        x,
        graph.constant(path, "weight", dense.weight()),
        dense.weight().value().shape().size(0),
        bias == null ? null : graph.constant(path, "bias", bias));
  }

  /// Adds a bias in a shape that broadcasts against x.
  private static Value bias(Graph graph, String path, String name, Param bias, Value x) {
    String constant = Norms.perChannel(graph, path, name, bias, x);
    return graph.add(path, "Add", x.one(), List.of(x.name(), constant));
  }

  private static Value batchNorm(Graph graph, String path, BatchNorm norm, Value x) {
    return graph.add(
        path,
        "BatchNormalization",
        x.one(),
        List.of(
            x.name(),
            graph.constant(path, "weight", norm.weight()),
            graph.constant(path, "bias", norm.bias()),
            graph.constant(path, "running_mean", norm.runningMean()),
            graph.constant(path, "running_var", norm.runningVariance())),
        Attribute.of("epsilon", BatchNorm.EPSILON));
  }

  /// Adds a layer norm. ONNX normalises the last dimensions, so a norm over the channels of a pixel
  /// is transposed before and after.
  private static Value layerNorm(Graph graph, String path, LayerNorm norm, Value x) {
    if (norm.over() == LayerNorm.Over.POSITION && x.rank() == 4) {
      Value last =
          graph.add(
              Node.path(path, "channels_last"),
              "Transpose",
              Sizes.of(x.one().size(1), x.one().size(2), x.one().size(0)),
              List.of(x.name()),
              Attribute.of("perm", 0, 2, 3, 1));
      Value normed = layerNorm(graph, Node.path(path, "norm"), path, norm, 3, last);
      return graph.add(
          path, "Transpose", x.one(), List.of(normed.name()), Attribute.of("perm", 0, 3, 1, 2));
    }
    int axis = x.rank() - norm.features().rank();
    return layerNorm(graph, path, path, norm, axis, x);
  }

  private static Value layerNorm(
      Graph graph, String name, String path, LayerNorm norm, int axis, Value x) {
    var gain = norm.gain();
    var bias = norm.bias();
    String scale;
    if (gain == null) {
      Tensor ones = Tensor.zeros(DType.FLOAT32, norm.features().toArray()).plus(1);
      scale = graph.floats(Node.path(path, "ones"), ones);
    } else {
      scale = graph.constant(path, "weight", gain);
    }
    return graph.add(
        name,
        "LayerNormalization",
        x.one(),
        bias == null
            ? List.of(x.name(), scale)
            : List.of(x.name(), scale, graph.constant(path, "bias", bias)),
        Attribute.of("axis", axis),
        Attribute.of("epsilon", norm.epsilon()));
  }

  private static Value maxPool(Graph graph, String path, MaxPool2d pool, Value x) {
    return graph.add(
        path,
        "MaxPool",
        windowed(x.one(), x.one().size(0), pool.size(), pool.stride(), pool.padding()),
        List.of(x.name()),
        Attribute.of("kernel_shape", pool.size(), pool.size()),
        Attribute.of("strides", pool.stride(), pool.stride()),
        padding(pool.padding()));
  }

  private static Value average(Graph graph, String path, Value x) {
    long channels = x.one().size(0);
    Value pooled =
        graph.add(path, "GlobalAveragePool", Sizes.of(channels, 1, 1), List.of(x.name()));
    return graph.add(
        Node.path(path, "flat"), "Flatten", Sizes.of(channels), List.of(pooled.name()));
  }

  /// Adds a shortcut of option A: every stride-th pixel, then channels of zeros before and behind.
  private static Value paddedSubsample(
      Graph graph, String path, PaddedSubsample shortcut, Value x) {
    Value y = x;
    int stride = shortcut.stride();
    long height = every(x.one().size(1), stride);
    long width = every(x.one().size(2), stride);
    if (stride > 1) {
      String name = Node.path(path, "every");
      y =
          graph.add(
              name,
              "Slice",
              Sizes.of(x.one().size(0), height, width),
              List.of(
                  x.name(),
                  graph.integers(name + ".from", 0, 0),
                  graph.integers(name + ".to", Long.MAX_VALUE, Long.MAX_VALUE),
                  graph.integers(name + ".dimensions", 2, 3),
                  graph.integers(name + ".step", stride, stride)));
    }
    int more = shortcut.out() - shortcut.in();
    int before = more / 2;
    String amounts = graph.integers(path + ".pads", 0, before, 0, 0, 0, more - before, 0, 0);
    return graph.add(
        path, "Pad", Sizes.of(shortcut.out(), height, width), List.of(y.name(), amounts));
  }

  private static long every(long side, int stride) {
    return side == Sizes.ANY ? Sizes.ANY : Math.ceilDiv(side, stride);
  }

  /// Adds a repetition of every pixel: pixel i of the result is pixel ⌊i/factor⌋.
  private static Value upsample(Graph graph, String path, Upsample2d layer, Value x) {
    long factor = layer.factor();
    Sizes one = x.one();
    for (int side = 1; side <= 2; side++) {
      long size = one.size(side);
      one = one.with(side, size == Sizes.ANY ? size : factor * size);
    }
    String scales =
        graph.floats(path + ".scales", Tensor.of(new double[] {1, 1, factor, factor}, 4));
    return graph.add(
        path,
        "Resize",
        one,
        List.of(x.name(), "", scales),
        Attribute.of("mode", "nearest"),
        Attribute.of("coordinate_transformation_mode", "asymmetric"),
        Attribute.of("nearest_mode", "floor"));
  }
}
