package fathom;

/// A function of one tensor without a way back: a net as it is used when it has learned. Any number
/// of threads may call one at a time.
///
/// It never returns its argument and never writes into a tensor that it did not make. The value is
/// in the innermost scope.
@FunctionalInterface
public interface Predictor {
  /// Throws `IllegalArgumentException` for a shape or type that it does not take.
  Tensor predict(Tensor x);
}
