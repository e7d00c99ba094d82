package fathom.net;

import fathom.Layer;
import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Embedding;
import fathom.nn.Identity;
import fathom.recurrent.Recurrent;
import fathom.recurrent.Recurrent.Predicted;
import fathom.recurrent.Sequences;
import fathom.recurrent.Stack;
import fathom.recurrent.State;
import fathom.recurrent.TimeDistributed;
import fathom.recurrent.TracedSequence;
import fathom.recurrent.WatchedSteps;
import java.util.List;
import java.util.function.Consumer;

/// A model that predicts the next token of a text. An embedding, a recurrent backbone and a dense
/// layer give, for each token, the logits of the K tokens that may follow. All texts of one call
/// have the same length.
///
/// @param context 0 if the state carries what the net knows of any number of earlier tokens;
///   otherwise the net has no state and sees at most this many last tokens
public record LanguageModel(Embedding embedding, Recurrent backbone, Layer head, int context)
    implements Node {
  /// The result of a forward pass: the logits of the token after each token, the state after the
  /// texts, and the pullback. The logits are (T·N)×K, where the rows of the N texts at one time
  /// step lie together.
  public record TracedText(Tensor logits, State end, Consumer<Tensor> pullback) {
    /// Adds the gradients of all parameters for the cotangent of the logits. The last state has no
    /// cotangent, and the gradient does not reach the texts before these (truncated backpropagation
    /// through time). It runs once. Throws `IllegalArgumentException` if `dlogits` does not have
    /// the shape and type of the logits.
    public void back(Tensor dlogits) {
      if (!dlogits.shape().equals(logits.shape()) || dlogits.type() != logits.type()) {
        throw new IllegalArgumentException(
            "a cotangent has the shape and type of its value, %s %s, but this one is %s %s"
                .formatted(logits.shape(), logits.type(), dlogits.shape(), dlogits.type()));
      }
      pullback.accept(dlogits);
    }
  }

  /// Runs the forward pass for T×N `tokens`; `tokens[t][n]` is the token of text n at time step t.
  /// Throws `IllegalArgumentException` for empty texts, texts of different lengths, a token outside
  /// 0..K−1, or a state of other shapes.
  public TracedText forward(int[][] tokens, State start) {
    int[] flat = flat(tokens);
    int n = tokens[0].length;
    Sequences x = Sequences.of(embedding.value(flat).reshape(tokens.length, n, embedding.width()));
    check(start, n);
    TracedSequence hidden = backbone.forward(x, start);
    Traced scores = head.forward(rows(hidden.value()));
    return new TracedText(
        scores.value(),
        hidden.end(),
        dlogits -> {
          try (var _ = Scope.open()) {
            Tensor dhidden = scores.back(dlogits).reshape(hidden.value().shape().toArray());
            Tensor dx = hidden.back(dhidden).dx();
            embedding.back(flat, dx.reshape(flat.length, embedding.width()));
          }
        });
  }

  /// Returns the logits, (T·N)×K, and the state after the texts, without a pullback. Throws as
  /// [#forward] does.
  public Predicted predict(int[][] tokens, State start) {
    int[] flat = flat(tokens);
    int n = tokens[0].length;
    try (var scope = Scope.open()) {
      check(start, n);
      Sequences x =
          Sequences.of(embedding.value(flat).reshape(tokens.length, n, embedding.width()));
      Predicted hidden = backbone.predict(x, start);
      return new Predicted(
          scope.keep(head.predict(rows(hidden.value()))), hidden.end().keptBy(scope));
    }
  }

  /// Returns the state before the first token of `count` texts.
  public State start(int count) {
    return backbone.start(embedding.weight().value().type(), count);
  }

  /// The size of the vocabulary, K.
  public int vocabulary() {
    return embedding.tokens();
  }

  /// Returns this net over the same weights with instruments that show the output and the cotangent
  /// of every layer to `observer`. Its parameters have other paths.
  public LanguageModel watched(WatchedSteps.Observer observer) {
    var embedded =
        new WatchedSteps("embedding", embedding, new TimeDistributed(new Identity()), observer);
    return new LanguageModel(
        embedding,
        new Stack(List.of(embedded, WatchedSteps.leaves("body", backbone, observer))),
        WatchedSteps.leaves("head", head, observer),
        context);
  }

  private static Tensor rows(Tensor values) {
    return values.reshape(values.shape().size(0) * values.shape().size(1), values.shape().size(2));
  }

  private static int[] flat(int[][] tokens) {
    if (tokens.length == 0 || tokens[0].length == 0) {
      throw new IllegalArgumentException(
          "a text has a token at least, but %s steps of %s texts were given"
              .formatted(tokens.length, tokens.length == 0 ? 0 : tokens[0].length));
    }
    int n = tokens[0].length;
    int[] flat = new int[Math.multiplyExact(tokens.length, n)];
    for (int t = 0; t < tokens.length; t++) {
      if (tokens[t].length != n) {
        throw new IllegalArgumentException(
            "all texts are equally long, but there are %s at time 0 and %s at time %s"
                .formatted(n, tokens[t].length, t));
      }
      System.arraycopy(tokens[t], 0, flat, t * n, n);
    }
    return flat;
  }

  private void check(State start, int count) {
    try (var _ = Scope.open()) {
      start(count).check(start);
    }
  }

  @Override
  public List<Part> parts() {
    return List.of(
        new Part("embedding", embedding), new Part("body", backbone), new Part("head", head));
  }

  @Override
  public String toString() {
    return "Language model of %s tokens, %s".formatted(vocabulary(), backbone);
  }
}
