package fathom.optim;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/// A rule that changes parameters by their gradients.
public interface Optimizer {
  /// Makes one optimizer step at this learning rate and sets the gradients to zero.
  void step(double learningRate);

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
