package fathom.lab.instrument;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;

/// Computes the neural tangent kernel of a net on a batch. With one number fᵢ for every example, a
/// direction of the net's output, it is `Kᵢⱼ = Σ_θ ∂fᵢ/∂θ · ∂fⱼ/∂θ` over all trained parameters
/// (Jacot et al. 2018).
///
/// Under gradient flow on ½Σ(fᵢ − tᵢ)² the errors obey `ė = −K·e`: along an eigenvector with
/// eigenvalue λ they decay as e^(−λt), and gradient descent is stable only for learning rates below
/// 2/λ_max. The slowest direction thus needs about λ_max/λ_min steps, the condition number of K. A
/// net whose λ_max grows with depth must be trained at learning rates that fall with it.
public final class TangentKernel {
  private TangentKernel() {}

  /// Returns the eigenvalues of K, the largest first. K is symmetric and has no negative
  /// eigenvalues, so they are its singular values.
  ///
  /// The net is run as in training, with the batch's own statistics where it has batch norm; then
  /// fᵢ depends on all examples. Afterwards parameters, buffers and gradients are as before.
  ///
  /// The cost for N examples and P parameters is N forward and backward passes over the whole
  /// batch, and N·P numbers of memory.
  ///
  /// @param net the net, with outputs of N×O
  /// @param x the inputs, N×...
  /// @param direction 1×O, the weights of the outputs
  /// @throws IllegalArgumentException if the output is not N×O with the direction's O
  public static Spectrum of(Layer net, Tensor x, Tensor direction) {
    try (var _ = Scope.open()) {
      int n = (int) x.shape().size(0);
      Tensor all = gradients(net, x, direction, n);
      return Spectrum.of(all.matmul(all.transpose()).toDoubles(), n, n);
    }
  }

  /// Returns the gradients, N×P, with a row for each example.
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
