package fathom.onnx;

import fathom.DType;
import fathom.net.LanguageModel;
import fathom.nn.Embedding;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.onnx.Port.Dimension;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Writes a [LanguageModel]: tokens and a state in, logits and the next state out.
final class TextModel {
  private static final String TOKENS = "tokens";
  private static final String STATE = "state";
  private static final String LOGITS = "logits";
  private static final String NEXT = "next_state";

  private final Graph graph = new Graph(List.of(TOKENS, STATE, LOGITS, NEXT));
  private final LanguageModel net;
  private final int states;

  TextModel(LanguageModel net) {
    this.net = net;
    this.states = net.backbone().states();
  }

  /// Adds the net, which can be done once.
  Graph.Model model() {
    long hidden = hidden();
    Value steps = Shaping.transposed(graph, "steps", new Value(TOKENS, Sizes.of(Sizes.ANY)), 1, 0);
    Embedding table = net.embedding();
    Value x =
        graph.add(
            "embedding",
            "Gather",
            Sizes.of(Sizes.ANY, table.width()),
            List.of(graph.constant("embedding", "weight", table.weight()), steps.name()));
    var body = new Recurrences(graph, start());
    Value y = body.value("body", net.backbone(), x);
    Value rows =
        Shaping.overRows(graph, "head", y, row -> Onnx.value(graph, "head", net.head(), row));
    graph.output(LOGITS, Shaping.transposed(graph, "texts", rows, 1, 0, 2).name());

    Dimension n = Dimension.any("N");
    Dimension t = Dimension.any("T");
    var in = new ArrayList<>(List.of(Port.of(TOKENS, Port.INT64, n, t)));
    var out =
        new ArrayList<>(
            List.of(Port.of(LOGITS, Port.FLOAT, n, t, Dimension.of(rows.one().size(1)))));
    if (states > 0) {
      Value end = graph.add("end", "Concat", Sizes.of(), body.end(), Attribute.of("axis", 0L));
      graph.output(NEXT, end.name());
      in.add(Port.of(STATE, Port.FLOAT, Dimension.of(states), n, Dimension.of(hidden)));
      out.add(Port.of(NEXT, Port.FLOAT, Dimension.of(states), n, Dimension.of(hidden)));
    }
    return new Graph.Model(graph, in, out);
  }

  /// Returns the units of the recurrent layers. Throws `IllegalArgumentException` if they differ,
  /// because all states are one tensor of the model.
  private long hidden() {
    List<Long> units =
        net.backbone().start(DType.FLOAT32, 1).tensors().stream()
            .map(state -> state.shape().size(1))
            .distinct()
            .toList();
    if (units.size() > 1) {
      throw new IllegalArgumentException(
          "the states of a model are one tensor, so its layers have one number of units, but they have %s; export the weights as safetensors"
              .formatted(units));
    }
    return units.isEmpty() ? 0 : units.getFirst();
  }

  /// Returns the state of each layer, 1×N×H.
  private List<String> start() {
    if (states < 2) {
      return states == 0 ? List.of() : List.of(STATE);
    }
    long[] ones = new long[states];
    Arrays.fill(ones, 1);
    return graph.addAll(
        IntStream.range(0, states).mapToObj(i -> "start." + i).toList(),
        "Split",
        List.of(STATE, graph.integers("start.sizes", ones)),
        Attribute.of("axis", 0L));
  }
}
