package fathom.optim;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/// A rule by which gradients change parameters.
public interface Optimizer {
  /// Changes the parameters by one step at learning rate `learningRate`, and sets the gradients to
  /// zero.
  void step(double learningRate);

  /// What it remembers from step to step, by name: blocks laid out like the parameters. With them
  /// and the number of steps made, a run goes on as if it had not stopped.
  SequencedMap<String, MemorySegment> blocks();

  /// An optimizer before it has parameters. One that is written into the description of a run is a
  /// record: its name and components are what is compared when the run goes on.
  @FunctionalInterface
  interface Spec {
    /// The optimizer over these parameters as it is after `steps` steps; its blocks are zero, and
    /// still to be filled if there were any.
    Optimizer over(FlatParams params, long steps);
  }
}
