package fathom.lab.reading;

import fathom.DType;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import fathom.nn.Dense;
import fathom.nn.Embedding;
import fathom.nn.Init;
import fathom.recurrent.GateNorm;
import fathom.recurrent.Kind;
import fathom.recurrent.Recurrent;
import fathom.recurrent.RecurrentLayer;
import fathom.recurrent.Sequences;
import fathom.recurrent.State;
import fathom.recurrent.TracedSequence;
import java.util.List;

/// The attentive reader (Hermann et al. 2015, section 3), with one LSTM from the front over the
/// text, as Ba et al. 2016 have it, instead of one from either side: from its states y(t) and the
/// last state u of an LSTM over the question
///
/// - m(t) = tanh(W y(t) + U u), s(t) ∝ exp(w · m(t)): where it looks,
/// - r = Σ s(t) y(t): what it sees there,
/// - g = tanh(V r + Z u): text and question together,
/// - p ∝ exp(A g) over the markers of the text.
record AttentiveReader(
    Embedding embedding,
    Recurrent document,
    Recurrent question,
    Dense lookAtText,
    Dense lookByQuestion,
    Dense look,
    Dense joinText,
    Dense joinQuestion,
    Dense answer)
    implements ClozeReader {

  /// @param gain at which the gains of the LSTMs' norms begin
  static AttentiveReader of(
      Init init, GateNorm norm, double gain, ClozeTokens tokens, int width, int hidden) {
    Recurrent document = RecurrentLayer.of(init, "document", Kind.LSTM, norm, width, hidden);
    Recurrent question = RecurrentLayer.of(init, "question", Kind.LSTM, norm, width, hidden);
    for (Recurrent lstm : List.of(document, question)) {
      lstm.own()
          .forEach((name, param) -> {
            if (name.startsWith("gain")) {
              scale(param, gain);
            }
          });
    }
    return new AttentiveReader(
        Embedding.of(init, "embedding", tokens.vocabulary(), width),
        document,
        question,
        Dense.withoutBias(init, "look_at_text", hidden, hidden),
        Dense.of(init, "look_by_question", hidden, hidden),
        Dense.withoutBias(init, "look", hidden, 1),
        Dense.withoutBias(init, "join_text", hidden, hidden),
        Dense.of(init, "join_question", hidden, hidden),
        Dense.of(init, "answer", hidden, tokens.markers()));
  }

  private static void scale(Param param, double factor) {
    try (var _ = Scope.open()) {
      param.value().copy_(param.value().times(factor));
    }
  }

  @Override
  public Read forward(ClozeBatch batch) {
    TracedSequence text = read(document, batch.documents());
    TracedSequence asked = read(question, batch.questions());
    Tensor u = asked.end().tensors().getFirst();
    var seen = new Seen(text.value(), u, batch.documents());
    Traced fromText = joinText.forward(seen.r);
    Traced fromQuestion = joinQuestion.forward(u);
    Tensor g = fromText.value().plus(fromQuestion.value()).tanh();
    Traced scores = answer.forward(g);
    return new Read(
        batch.present(scores.value()),
        d -> {
          try (var _ = Scope.open()) {
            Tensor dsum = Torch.tanhBackward(scores.back(d), g);
            var cotangents = seen.back(fromText.back(dsum));
            Tensor du = fromQuestion.back(dsum).plus(cotangents.du);
            batch.documents().back(embedding, text.back(cotangents.dy).dx());
            State dend = State.of(du, du.zerosLike());
            Tensor dasked = asked.back(asked.value().zerosLike(), dend).dx();
            batch.questions().back(embedding, dasked);
          }
        });
  }

  private TracedSequence read(Recurrent lstm, Tokens tokens) {
    Sequences x = tokens.in(embedding);
    return lstm.forward(x, lstm.start(x.values().type(), x.count()));
  }

  private record Cotangents(Tensor dy, Tensor du) {}

  /// Where the reader looks in a text, T×N×H, for a question, N×H, and what it sees there.
  private final class Seen {
    private final Tensor y;
    private final Tensor r;
    private final Tensor shares;
    private final Tensor m;
    private final Traced fromText;
    private final Traced fromQuestion;
    private final Traced scores;

    Seen(Tensor y, Tensor u, Tokens tokens) {
      this.y = y;
      long steps = y.shape().size(0);
      long count = y.shape().size(1);
      long hidden = y.shape().size(2);
      fromText = lookAtText.forward(y.reshape(steps * count, hidden));
      fromQuestion = lookByQuestion.forward(u);
      Tensor sums = fromText.value().reshape(steps, count, hidden);
      m = sums.plus(fromQuestion.value().reshape(1, count, hidden).expand(sums.shape())).tanh();
      scores = look.forward(m.reshape(steps * count, hidden));
      Tensor padding = padding(y.type(), tokens, steps, count);
      shares = scores.value().reshape(steps, count).plus(padding).logSoftmax(0).exp();
      r = weighted(shares, y).sum(0).reshape(count, hidden);
    }

    /// From dE/dr.
    Cotangents back(Tensor dr) {
      long steps = y.shape().size(0);
      long count = y.shape().size(1);
      long hidden = y.shape().size(2);
      Tensor each = dr.reshape(1, count, hidden).expand(y.shape());
      Tensor dshares = y.times(each).sum(2).reshape(steps, count);
      // Of a softmax: ds = s·(dp − Σ s·dp).
      Tensor mean = shares.times(dshares).sum(0).expand(shares.shape());
      Tensor dscores = shares.times(dshares.minus(mean)).reshape(steps * count, 1);
      Tensor dm = Torch.tanhBackward(scores.back(dscores), m.reshape(steps * count, hidden));
      Tensor du = fromQuestion.back(dm.reshape(steps, count, hidden).sum(0).reshape(count, hidden));
      Tensor through = fromText.back(dm).reshape(steps, count, hidden);
      return new Cotangents(through.plus(weighted(shares, each)), du);
    }

    private static Tensor weighted(Tensor shares, Tensor y) {
      long steps = y.shape().size(0);
      return shares.reshape(steps, y.shape().size(1), 1).expand(y.shape()).times(y);
    }

    private static Tensor padding(DType type, Tokens tokens, long steps, long count) {
      double[] padding = new double[Math.toIntExact(steps * count)];
      for (int i = 0; i < padding.length; i++) {
        int n = Math.toIntExact(i % count);
        padding[i] = i / count < tokens.lengths()[n] ? 0 : ClozeBatch.NOTHING;
      }
      return Tensor.zeros(type, steps, count).copy_(padding);
    }
  }

  @Override
  public List<Part> parts() {
    return List.of(
        new Part("embedding", embedding),
        new Part("document", document),
        new Part("question", question),
        new Part("look_at_text", lookAtText),
        new Part("look_by_question", lookByQuestion),
        new Part("look", look),
        new Part("join_text", joinText),
        new Part("join_question", joinQuestion),
        new Part("answer", answer));
  }

  @Override
  public String toString() {
    return "Attentive reader, " + document;
  }
}
