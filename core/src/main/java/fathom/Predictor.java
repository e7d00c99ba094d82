package fathom;

/// A function of one tensor without a backward pass: a trained net in use. Any number of threads
/// may share a predictor, where each thread makes one call at a time.
///
/// A predictor never returns its argument and never writes into a tensor that it did not make.
@FunctionalInterface
public interface Predictor {
  /// Returns the output for `x`, in the innermost scope. Throws `IllegalArgumentException` if the
  /// predictor does not accept the shape or the type of `x`.
  Tensor predict(Tensor x);
}
