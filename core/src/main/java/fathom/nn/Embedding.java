package fathom.nn;

import fathom.Node;
import fathom.Param;
import fathom.Tensor;
import fathom.Torch;
import java.util.Map;

/// A table K×E with a row of E numbers for each of K tokens. Not a layer: tokens have no cotangent.
public record Embedding(Param weight) implements Node {
  public Embedding {
    if (weight.value().shape().rank() != 2) {
      throw new IllegalArgumentException(
          "an embedding is a table K×E, but was given " + weight.value().shape());
    }
  }

  /// Normal with standard deviation 1. A row is not a sum of products, so there is nothing to
  /// divide by: it is the signal itself, and the weights behind it are drawn for a signal of
  /// variance 1.
  public static Embedding of(Init init, String path, int tokens, int width) {
    long variance1 = 2; // He's 2/2
    return new Embedding(
        Param.of(init.weights(Node.path(path, "weight"), variance1, tokens, width)));
  }

  /// K.
  public int tokens() {
    return Math.toIntExact(weight.value().shape().size(0));
  }

  /// E.
  public int width() {
    return Math.toIntExact(weight.value().shape().size(1));
  }

  /// The rows of n `tokens`: n×E. Throws `IllegalArgumentException` for a token outside of 0..K-1.
  public Tensor value(int[] tokens) {
    return Torch.rows(weight.value(), tokens);
  }

  /// Adds the cotangent `dy`, n×E, of [#value] to the gradients of the tokens' rows; a token that
  /// stands there twice gets both.
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
