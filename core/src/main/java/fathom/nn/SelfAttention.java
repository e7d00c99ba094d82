package fathom.nn;

import fathom.Autograd;
import fathom.DType;
import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import java.util.LinkedHashMap;
import java.util.Map;

/// Multi-head self-attention for N×T×E (Vaswani et al. 2017, "Attention is all you need", eq. 1 and
/// section 3.2.2):
///
/// ```
/// (q, k, v) = x·W_inᵀ + b_in                        each N×T×E, of `heads` parts of d = E/heads
/// y = [softmax(q₁·k₁ᵀ/√d)·v₁, ..., softmax(q_h·k_hᵀ/√d)·v_h]·W_outᵀ + b_out
/// ```
///
/// If `causal`, position i attends to the positions 0..i only.
///
/// The parameters have the names, shapes and order of libtorch's multi-head attention:
/// `in_proj_weight` 3E×E, `in_proj_bias` 3E, `out_proj.weight` E×E, `out_proj.bias` E.
public record SelfAttention(
    int heads, boolean causal, Param inWeight, Param inBias, Param outWeight, Param outBias)
    implements Layer {
  /// Throws `IllegalArgumentException` if the parameters do not have the shapes above or the number
  /// of heads does not divide the width E.
  public SelfAttention {
    Shape in = inWeight.value().shape();
    long width = in.rank() == 2 ? in.size(1) : -1;
    if (!in.equals(Shape.of(3 * Math.max(0, width), Math.max(0, width)))
        || !inBias.value().shape().equals(Shape.of(3 * width))
        || !outWeight.value().shape().equals(Shape.of(width, width))
        || !outBias.value().shape().equals(Shape.of(width))) {
      throw new IllegalArgumentException(
          "self-attention has weights 3E×E and E×E and biases 3E and E, but was given %s, %s, %s and %s"
              .formatted(
                  in, outWeight.value().shape(), inBias.value().shape(), outBias.value().shape()));
    }
    checkHeads(heads, width);
  }

  /// Returns a layer with weights of variance 1/E and biases of 0. He's variance 2/E makes up for
  /// the half of a signal that a ReLU stops, and here there is no ReLU. With 1/E and an input of
  /// variance 1, queries, keys and values have variance 1, and so have the products q·k/√d under
  /// the softmax. Throws `IllegalArgumentException` if the number of heads does not divide the
  /// width.
  public static SelfAttention of(Init init, String path, int width, int heads, boolean causal) {
    checkHeads(heads, width);
    long variance1 = 2L * width; // He's variance 2/fanIn with a fan-in of 2E
    return new SelfAttention(
        heads,
        causal,
        Param.of(init.weights(Node.path(path, "in_proj_weight"), variance1, 3L * width, width)),
        Param.of(Tensor.zeros(DType.FLOAT32, 3L * width)),
        Param.of(init.weights(Node.path(path, "out_proj.weight"), variance1, width, width)),
        Param.of(Tensor.zeros(DType.FLOAT32, width)));
  }

  private static void checkHeads(int heads, long width) {
    if (heads < 1 || width < 1 || width % heads != 0) {
      throw new IllegalArgumentException(
          "the heads share the width evenly, but %s of them do not divide %s"
              .formatted(heads, width));
    }
  }

  @Override
  public Traced forward(Tensor x) {
    Tensor rows = rows(x);
    Tensor packed = Torch.linear(rows, inWeight.value(), inBias.value());
    Traced attended = core(x.shape()).forward(packed);
    Tensor y = Torch.linear(attended.value(), outWeight.value(), outBias.value());
    return new Traced(
        y.reshape(x.shape().toArray()),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor d = dy.reshape(rows.shape().toArray());
            outWeight.grad().addProduct_(d.transpose(), attended.value());
            outBias.grad().add_(d.sum(0).reshape(width()));
            Tensor dpacked = attended.back(d.matmul(outWeight.value()));
            inWeight.grad().addProduct_(dpacked.transpose(), rows);
            inBias.grad().add_(dpacked.sum(0).reshape(3 * width()));
            return scope.keep(dpacked.matmul(inWeight.value()).reshape(x.shape().toArray()));
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor packed = Torch.linear(rows(x), inWeight.value(), inBias.value());
      Tensor attended = core(x.shape()).predict(packed);
      Tensor y = Torch.linear(attended, outWeight.value(), outBias.value());
      return scope.keep(y.reshape(x.shape().toArray()));
    }
  }

  /// The attention without its projections, from (N·T)×3E to (N·T)×E. It has no parameters. Its
  /// backward pass is libtorch's reverse mode, because the Java binding does not offer the
  /// derivative alone.
  private Layer core(Shape x) {
    long n = x.size(0);
    long t = x.size(1);
    return Autograd.layer(packed -> {
      Tensor parts = packed.reshape(n, t, 3, heads, width() / heads).permute(2, 0, 3, 1, 4);
      return Torch.attention(part(parts, 0), part(parts, 1), part(parts, 2), causal)
          .permute(0, 2, 1, 3)
          .reshape(n * t, width());
    });
  }

  /// Returns the i-th of the three N×heads×T×d parts.
  private static Tensor part(Tensor parts, int i) {
    Shape s = parts.shape();
    return parts.narrow(0, i, i + 1).reshape(s.size(1), s.size(2), s.size(3), s.size(4));
  }

  private Tensor rows(Tensor x) {
    if (x.shape().rank() != 3
        || x.shape().size(2) != width()
        || x.type() != inWeight.value().type()) {
      throw new IllegalArgumentException(
          "%s needs %s N×T×%s, but was given %s"
              .formatted(this, inWeight.value().type(), width(), x));
    }
    return x.reshape(x.shape().size(0) * x.shape().size(1), width());
  }

  private long width() {
    return outBias.value().shape().size(0);
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("in_proj_weight", inWeight);
    byName.put("in_proj_bias", inBias);
    byName.put("out_proj.weight", outWeight);
    byName.put("out_proj.bias", outBias);
    return byName;
  }

  /// Counts the two projections, q·kᵀ and the products with v. What the causal mask hides is
  /// counted as well.
  @Override
  public long multiplyAdds(Shape in, Shape out) {
    long positions = in.size(0) * in.size(1);
    return positions * (4 * width() * width() + 2 * in.size(1) * width());
  }

  @Override
  public String toString() {
    return "SelfAttention %s, %s heads%s".formatted(width(), heads, causal ? ", causal" : "");
  }
}
