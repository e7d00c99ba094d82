package fathom.nn;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Node;
import java.util.List;

/// The encoder block of the transformer, from N×T×E to N×T×E. It has two residual connections. The
/// first leads around self-attention across positions; the second leads around an MLP at each
/// position, with two dense layers E → 4E → E and a [Gelu] between them. Each has a layer norm over
/// the E features of a position.
///
/// Its parameters are named `attention.in_proj_weight`, `mlp.linear1.weight`, ...
public final class EncoderBlock {
  private EncoderBlock() {}

  /// Returns a block with norms on the branches: x = x + attention(norm(x)), then x + mlp(norm(x)).
  /// A signal and its cotangent pass the block unchanged on the shortcuts (Xiong et al. 2020, "On
  /// layer normalization in the transformer architecture", table 1). A stack of such blocks needs a
  /// norm behind it.
  public static Layer preNorm(Init init, String path, int width, int heads, boolean causal) {
    var attention =
        List.of(
            new Child("norm", LayerNorm.ofLast(width)),
            new Child("", attention(init, path, width, heads, causal)));
    var mlp =
        List.of(new Child("norm", LayerNorm.of(width)), new Child("", mlp(init, path, width)));
    return new Chain(
        List.of(
            new Child("attention", new Residual(new Chain(attention))),
            new Child("mlp", new Residual(new OverPositions(new Chain(mlp))))));
  }

  /// Returns a block with norms behind the additions: x = norm(x + attention(x)), then norm(x +
  /// mlp(x)), as in the original transformer (Vaswani et al. 2017, section 3.1).
  public static Layer postNorm(Init init, String path, int width, int heads, boolean causal) {
    return new Chain(
        List.of(
            new Child("attention", new Residual(attention(init, path, width, heads, causal))),
            new Child("attention.norm", LayerNorm.ofLast(width)),
            new Child("mlp", new Residual(new OverPositions(mlp(init, path, width)))),
            new Child("mlp.norm", LayerNorm.ofLast(width))));
  }

  private static Layer attention(Init init, String path, int width, int heads, boolean causal) {
    return SelfAttention.of(init, Node.path(path, "attention"), width, heads, causal);
  }

  private static Layer mlp(Init init, String path, int width) {
    String mlp = Node.path(path, "mlp");
    return new Chain(
        List.of(
            new Child("linear1", Dense.of(init, Node.path(mlp, "linear1"), width, 4 * width)),
            new Child("gelu", new Gelu()),
            new Child("linear2", Dense.of(init, Node.path(mlp, "linear2"), 4 * width, width))));
  }
}
