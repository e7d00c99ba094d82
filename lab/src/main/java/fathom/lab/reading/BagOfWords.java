package fathom.lab.reading;

import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.Relu;
import java.util.List;

/// A perceptron on how often each word stands in the text and in the question: what can be known
/// without the order of words.
record BagOfWords(Chain layers, int vocabulary) implements ClozeReader {
  static BagOfWords of(Init init, ClozeTokens tokens, int hidden) {
    int words = tokens.vocabulary();
    return new BagOfWords(
        new Chain(
            List.of(
                new Layer.Child("first", Dense.of(init, "layers.first", 2 * words, hidden)),
                new Layer.Child("relu", new Relu()),
                new Layer.Child("last", Dense.of(init, "layers.last", hidden, tokens.markers())))),
        words);
  }

  @Override
  public Read forward(ClozeBatch batch) {
    Traced scores = layers.forward(counts(batch));
    return new Read(
        batch.present(scores.value()),
        d -> {
          try (var _ = Scope.open()) {
            scores.accumulate(d);
          }
        });
  }

  /// N×2V: the counts of the text and of the question.
  private Tensor counts(ClozeBatch batch) {
    int count = batch.answers().length;
    double[] counts = new double[count * 2 * vocabulary];
    add(batch.documents(), 0, counts);
    add(batch.questions(), vocabulary, counts);
    DType type = params().getFirst().value().type();
    return Tensor.zeros(type, count, 2L * vocabulary).copy_(counts);
  }

  private void add(Tokens tokens, int at, double[] counts) {
    int count = tokens.lengths().length;
    for (int n = 0; n < count; n++) {
      for (int t = 0; t < tokens.lengths()[n]; t++) {
        counts[n * 2 * vocabulary + at + tokens.flat()[t * count + n]]++;
      }
    }
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("layers", layers));
  }

  @Override
  public String toString() {
    return "Bag of words, " + layers;
  }
}
