package fathom.lab.instrument;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;

/// The neural tangent kernel of a net on a batch: with one number fᵢ for every example, a direction
/// of the net's value, `Kᵢⱼ = Σ_θ ∂fᵢ/∂θ · ∂fⱼ/∂θ` over all trained parameters (Jacot et al. 2018).
///
/// Under gradient flow on ½Σ(fᵢ − tᵢ)² the errors obey `ė = −K·e`: along an eigenvector with value
/// λ they die as e^(−λt), and descent is stable only for learning rates below 2/λ_max. The slowest
/// direction thus needs about λ_max/λ_min steps, the condition number of K; and a net whose λ_max
/// grows with depth must be trained at learning rates that fall with it.
public final class TangentKernel {
  private TangentKernel() {}

  /// The eigenvalues of K, largest first: K is symmetric and has none below zero, so they are its
  /// singular values.
  ///
  /// The net is run as in training, with the batch's own statistics where it has batch norm: then
  /// fᵢ depends on all examples. Parameters, buffers and gradients are as before afterwards.
  ///
  /// Cost for N examples and P parameters: N passes forward and back over the whole batch, and N·P
  /// numbers of memory.
  ///
  /// @param x N×..., whose values are N×O
  /// @param direction 1×O, what of the value counts
  /// @throws IllegalArgumentException if the value is not N×O with the direction's O
  public static Spectrum of(Layer net, Tensor x, Tensor direction) {
    try (var _ = Scope.open()) {
      int n = (int) x.shape().size(0);
      Tensor all = gradients(net, x, direction, n);
      return Spectrum.of(all.matmul(all.transpose()).toDoubles(), n, n);
    }
  }

  /// N×P, a row for each example.
  private static Tensor gradients(Layer net, Tensor x, Tensor direction, int n) {
    long outputs = direction.shape().elements();
    return Jacobian.of(
        net,
        x,
        n,
        (i, value) -> {
          if (!value.shape().equals(Shape.of(n, outputs))) {
            throw new IllegalArgumentException(
                "a tangent kernel is of values N×O, here %s×%s by its direction, but the net gives %s"
                    .formatted(n, outputs, value.shape()));
          }
          Tensor dy = Tensor.zeros(value.type(), n, outputs);
          dy.narrow(0, i, i + 1).copy_(direction.reshape(1, outputs));
          return dy;
        });
  }
}
