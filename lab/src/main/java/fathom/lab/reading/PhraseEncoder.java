package fathom.lab.reading;

import fathom.Node;
import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import fathom.nn.Embedding;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.State;
import java.util.List;
import java.util.function.Consumer;

/// A phrase as a point of the positive orthant: |h| of the last state h of a GRU that reads its
/// words, as Vendrov et al. 2016 encode captions (section 5.2) and their published code takes
/// absolute values. So the origin is the most general point.
record PhraseEncoder(Embedding embedding, Recurrent body) implements Node {
  /// N×H, and the way back to the parameters.
  record Encoded(Tensor points, Consumer<Tensor> pullback) {}

  static PhraseEncoder of(Init init, GateNorm norm, int vocabulary, int width, int hidden) {
    return new PhraseEncoder(
        Embedding.of(init, "embedding", vocabulary, width),
        RecurrentLayer.of(init, "body", Kind.GRU, norm, width, hidden));
  }

  Encoded forward(int[][] phrases) {
    Tokens tokens = Tokens.of(phrases);
    var read = body.forward(tokens.in(embedding), start(phrases));
    Tensor h = read.end().tensors().getFirst();
    Tensor above = h.relu();
    Tensor below = h.times(-1).relu();
    return new Encoded(
        above.plus(below),
        d -> {
          try (var _ = Scope.open()) {
            Tensor dh = Torch.reluBackward(d, above).minus(Torch.reluBackward(d, below));
            tokens.back(embedding, read.back(read.value().zerosLike(), State.of(dh)).dx());
          }
        });
  }

  /// The same without a way back.
  Tensor predict(int[][] phrases) {
    try (var scope = Scope.open()) {
      var read = body.predict(Tokens.of(phrases).in(embedding), start(phrases));
      Tensor h = read.end().tensors().getFirst();
      return scope.keep(h.relu().plus(h.times(-1).relu()));
    }
  }

  private State start(int[][] phrases) {
    return body.start(embedding.weight().value().type(), phrases.length);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("embedding", embedding), new Part("body", body));
  }

  @Override
  public String toString() {
    return "Phrase encoder, " + body;
  }
}
