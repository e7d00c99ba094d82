package fathom.onnx;

import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.onnx.Port.Dimension;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.RecurrentLayer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Writes a [RecurrentLayer], whose equations stand there. One without norms is the operation RNN,
/// LSTM or GRU of ONNX. One with norms is a `Scan`, a loop over the steps, because no operation has
/// norms inside. As in [RecurrentLayer], products with the input are computed for all steps before
/// the loop, norms of them included.
final class Cell {
  private final Graph graph;
  private final String path;
  private final RecurrentLayer layer;
  private final Map<String, Param> params;
  private final int hidden;

  Cell(Graph graph, String path, RecurrentLayer layer) {
    this.graph = graph;
    this.path = path;
    this.layer = layer;
    this.params = layer.own();
    this.hidden = layer.hidden();
  }

  /// Returns the outputs T×N×H for T×N×I, and adds the states after them to `end`. States are
  /// 1×N×H.
  Value value(Value x, List<String> start, List<String> end) {
    return layer.norm() == GateNorm.NONE ? operation(x, start, end) : loop(x, start, end);
  }

  private String at(String name) {
    return Node.path(path, name);
  }

  private Param param(String name) {
    return Objects.requireNonNull(params.get(name), name);
  }

  // ---- Without norms

  private Value operation(Value x, List<String> start, List<String> end) {
    int gates = layer.kind().gates();
    Tensor zeros = Tensor.zeros(param("weight_x").value().type(), (long) gates * hidden);
    boolean gru = layer.kind() == Kind.GRU; // whose recurrent bias is inside the product with r
    Tensor biasX = reordered(param(gru ? "bias_x" : "bias").value());
    Tensor biasH = gru ? reordered(param("bias_h").value()) : zeros;
    Tensor bias = Tensor.concatenated(0, List.of(biasX, biasH));
    var inputs = new ArrayList<String>();
    inputs.add(x.name());
    inputs.add(weight("weight_x"));
    inputs.add(weight("weight_h"));
    inputs.add(graph.floats(at("bias"), bias.reshape(1, 2L * gates * hidden)));
    inputs.add(""); // all sequences have T steps
    inputs.addAll(start);
    var outputs = new ArrayList<>(List.of(at("directions"), at("end.h")));
    if (layer.states() > 1) {
      outputs.add(at("end.c"));
    }
    var attributes = new ArrayList<>(List.of(Attribute.of("hidden_size", hidden)));
    if (gru) {
      attributes.add(Attribute.of("linear_before_reset", 1L));
    }
    List<String> made =
        graph.addAll(outputs, layer.kind().name(), inputs, attributes.toArray(new Attribute[0]));
    end.addAll(made.subList(1, made.size()));
    String first = graph.integers(at("direction"), 1);
    return graph.add(path, "Squeeze", Sizes.of(Sizes.ANY, hidden), List.of(made.getFirst(), first));
  }

  /// Adds a weight in the operation's order of gates, with a dimension for its one direction.
  private String weight(String name) {
    Tensor own = reordered(param(name).value());
    return graph.floats(at(name), own.reshape(1, own.shape().size(0), own.shape().size(1)));
  }

  /// Returns the rows of the gates in ONNX's order: i, o, f, g of an LSTM. A GRU of ONNX keeps the
  /// share σ(z) of the old state where ours takes it of the new one; as 1 − σ(z) = σ(−z), its rows
  /// of z are ours with the other sign.
  private Tensor reordered(Tensor rows) {
    return switch (layer.kind()) {
      case RNN -> rows;
      case LSTM ->
          Tensor.concatenated(
              0, List.of(gate(rows, 0), gate(rows, 2), gate(rows, 1), gate(rows, 3)));
      case GRU ->
          Tensor.concatenated(0, List.of(gate(rows, 0).times(-1), gate(rows, 1), gate(rows, 2)));
    };
  }

  private Tensor gate(Tensor rows, int gate) {
    return rows.narrow(0, (long) gate * hidden, (gate + 1L) * hidden);
  }

  // ---- With norms

  private Value loop(Value x, List<String> start, List<String> end) {
    int states = layer.states();
    long width = (long) layer.kind().gates() * hidden;
    Value product =
        Shaping.linear(
            graph,
            at("from_input"),
            x,
            graph.constant(path, "weight_x", param("weight_x")),
            width,
            null);
    String axis = graph.integers(at("state.axis"), 0);
    var inputs = new ArrayList<String>();
    for (String state : start) {
      inputs.add(op(graph, "Squeeze", state, axis));
    }
    inputs.add(fromInput(product.name()));

    Graph body = graph.inner();
    var before = new ArrayList<String>();
    var outputs = new ArrayList<String>();
    for (int i = 0; i < states; i++) {
      before.add(body.unique(at("step.before")));
      outputs.add(at("end"));
    }
    outputs.add(path);
    String ax = body.unique(at("step.from_input"));
    List<String> after = step(body, ax, before);
    var in = new ArrayList<>(before.stream().map(name -> port(name, hidden)).toList());
    in.add(port(ax, width));
    var out = new ArrayList<>(after.stream().map(name -> port(name, hidden)).toList());
    out.add(port(op(body, "Identity", after.getFirst()), hidden));
    List<String> made =
        graph.addAll(
            outputs,
            "Scan",
            inputs,
            Attribute.of("num_scan_inputs", 1L),
            Attribute.graph("body", body.body(at("step"), in, out)));
    for (String state : made.subList(0, states)) {
      end.add(op(graph, "Unsqueeze", state, axis));
    }
    return new Value(made.getLast(), Sizes.of(Sizes.ANY, hidden));
  }

  private static Port port(String name, long size) {
    return Port.of(name, Port.FLOAT, Dimension.any("N"), Dimension.of(size));
  }

  /// Returns what the input adds to the gates at every step; the norm of an RNN is of the sum.
  private String fromInput(String product) {
    if (layer.kind() == Kind.RNN) {
      return product;
    }
    String normed = normed(graph, product, "gain_x", "bias_x");
    return layer.kind() == Kind.LSTM
        ? op(graph, "Add", normed, graph.constant(path, "bias", param("bias")))
        : normed;
  }

  /// Adds a step and returns the states after it.
  private List<String> step(Graph body, String ax, List<String> before) {
    String h = before.getFirst();
    String weight = graph.constant(path, "weight_h", param("weight_h"));
    String ah =
        body.add(
                at("step.from_state"),
                "Gemm",
                Sizes.of((long) layer.kind().gates() * hidden),
                List.of(h, weight),
                Attribute.of("transB", 1L))
            .name();
    return switch (layer.kind()) {
      case RNN -> {
        String sum = op(body, "Add", ax, ah);
        yield List.of(op(body, "Tanh", normed(body, sum, "gain_x", "bias_x")));
      }
      case LSTM -> {
        String sum = op(body, "Add", ax, normed(body, ah, "gain_h", "bias_h"));
        List<String> gates = parts(body, sum, equal(4));
        String i = op(body, "Sigmoid", gates.get(0));
        String f = op(body, "Sigmoid", gates.get(1));
        String o = op(body, "Sigmoid", gates.get(2));
        String g = op(body, "Tanh", gates.get(3));
        String kept = op(body, "Mul", f, before.get(1));
        String c = op(body, "Add", kept, op(body, "Mul", i, g));
        String read = op(body, "Tanh", normedTogether(body, c, "gain_c", "bias_c"));
        yield List.of(op(body, "Mul", o, read), c);
      }
      case GRU -> {
        List<String> x = parts(body, ax, equal(3));
        List<String> own = parts(body, normed(body, ah, "gain_h", "bias_h"), equal(3));
        String z = op(body, "Sigmoid", op(body, "Add", x.get(0), own.get(0)));
        String r = op(body, "Sigmoid", op(body, "Add", x.get(1), own.get(1)));
        String inner = op(body, "Add", x.get(2), op(body, "Mul", r, own.get(2)));
        String candidate = op(body, "Tanh", inner);
        String change = op(body, "Mul", z, op(body, "Sub", candidate, h));
        yield List.of(op(body, "Add", h, change));
      }
    };
  }

  /// Normalises the gates, each range that has a norm of its own by itself.
  private String normed(Graph in, String x, String gain, String bias) {
    int[] ends = layer.norm().ends(layer.kind());
    var sizes = new ArrayList<Integer>();
    for (int gate = 0; gate < ends.length; gate = ends[gate]) {
      sizes.add((ends[gate] - gate) * hidden);
    }
    if (sizes.size() == 1) {
      return normedTogether(in, x, gain, bias);
    }
    var normed = new ArrayList<String>();
    long from = 0;
    List<String> parts = parts(in, x, sizes.stream().mapToLong(Integer::longValue).toArray());
    for (int i = 0; i < sizes.size(); i++) {
      long to = from + sizes.get(i);
      String part = "." + i;
      normed.add(
          layerNorm(
              in,
              parts.get(i),
              graph.floats(at(gain + part), param(gain).value().narrow(0, from, to)),
              graph.floats(at(bias + part), param(bias).value().narrow(0, from, to))));
      from = to;
    }
    return in.add(at("normed"), "Concat", Sizes.of(), normed, Attribute.of("axis", -1L)).name();
  }

  private String normedTogether(Graph in, String x, String gain, String bias) {
    return layerNorm(
        in, x, graph.constant(path, gain, param(gain)), graph.constant(path, bias, param(bias)));
  }

  private String layerNorm(Graph in, String x, String gain, String bias) {
    return in.add(
            at("normed"),
            "LayerNormalization",
            Sizes.of(),
            List.of(x, gain, bias),
            Attribute.of("axis", -1L),
            Attribute.of("epsilon", layer.epsilon()))
        .name();
  }

  private List<String> parts(Graph in, String x, long... sizes) {
    String split = graph.integers(at("part.sizes"), sizes);
    var names = IntStream.range(0, sizes.length).mapToObj(i -> at("part." + i)).toList();
    return in.addAll(names, "Split", List.of(x, split), Attribute.of("axis", -1L));
  }

  private long[] equal(int gates) {
    return LongStream.generate(() -> hidden).limit(gates).toArray();
  }

  /// Adds an operation whose sizes nobody asks for, and returns its name.
  private String op(Graph in, String type, String... inputs) {
    String name = at(type.toLowerCase(Locale.ROOT));
    return in.add(name, type, Sizes.of(), List.of(inputs)).name();
  }
}
