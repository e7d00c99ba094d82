package fathom.optim;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;

/// A rule that changes parameters by their gradients.
public interface Optimizer {
  /// Makes one optimizer step at this learning rate and sets the gradients to zero.
  void step(double learningRate);

  /// Makes one optimizer step at a learning rate of its own for each parameter, and sets all
  /// gradients to zero. A parameter with the learning rate 0 is not trained: it stays as it is, and
  /// so does what the optimizer carries for it.
  ///
  /// The default throws `UnsupportedOperationException`, for an optimizer that knows one learning
  /// rate only.
  ///
  /// @param learningRates the learning rate of each parameter, by its position
  default void step(IntToDoubleFunction learningRates) {
    throw new UnsupportedOperationException(
        "%s has one learning rate for all parameters; layers that are frozen or slower need an optimizer that overrides step(IntToDoubleFunction)"
            .formatted(getClass().getSimpleName()));
  }

  /// The state that the optimizer carries from step to step, by name, as blocks with the layout of
  /// the parameters. With these blocks and the number of steps made, a resumed run continues as if
  /// it had not stopped.
  SequencedMap<String, MemorySegment> blocks();

  /// The description of an optimizer, before it has parameters. A description that is stored with a
  /// run must be a record, because its name and components are compared when the run is resumed.
  @FunctionalInterface
  interface Spec {
    /// Makes the optimizer over these parameters as it is after `steps` steps. Its blocks are zero,
    /// and the caller fills them if `steps` is above 0.
    Optimizer over(FlatParams params, long steps);
  }
}
