package fathom.nn;

import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import fathom.Torch;
import java.util.Map;

/// A table of K×E with a row of E trained numbers for each of K tokens. It is not a [fathom.Layer],
/// because tokens have no cotangent.
public record Embedding(Param weight) implements Node {
  /// Throws `IllegalArgumentException` if the weight is not a matrix.
  public Embedding {
    if (weight.value().shape().rank() != 2) {
      throw new IllegalArgumentException(
          "an embedding is a table K×E, but was given " + weight.value().shape());
    }
  }

  /// Returns a table of normal numbers with standard deviation 1. A row is the signal itself and
  /// not a sum of products, so there is no fan-in to divide by, and the weights of the next layer
  /// are drawn for a signal of variance 1.
  public static Embedding of(Init init, String path, int tokens, int width) {
    long variance1 = 2; // He's variance 2/fanIn with a fan-in of 2
    return new Embedding(
        Param.of(init.weights(Node.path(path, "weight"), variance1, tokens, width)));
  }

  /// The number of tokens, K.
  public int tokens() {
    return Math.toIntExact(weight.value().shape().size(0));
  }

  /// The number of features of a token, E.
  public int width() {
    return Math.toIntExact(weight.value().shape().size(1));
  }

  /// Returns the rows of n `tokens`, n×E. Throws `IllegalArgumentException` for a token outside
  /// 0..K−1.
  public Tensor value(int[] tokens) {
    return Torch.rows(weight.value(), tokens);
  }

  /// Adds `dy`, the n×E cotangent of [#value], to the gradients of the tokens' rows. A token that
  /// occurs twice receives both rows.
  public void back(int[] tokens, Tensor dy) {
    Torch.addRows_(weight.grad(), tokens, dy);
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("weight", weight);
  }

  @Override
  public String toString() {
    return "Embedding of %s in %s".formatted(tokens(), width());
  }
}
