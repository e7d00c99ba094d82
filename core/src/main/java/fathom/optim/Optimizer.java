package fathom.optim;

import java.lang.foreign.MemorySegment;
import java.util.SequencedMap;

/// A rule by which gradients change parameters.
public interface Optimizer {
  /// Changes the parameters by one step at rate `rate`, and sets the gradients to zero.
  void step(double rate);

  /// What it remembers from step to step, by name: blocks laid out like the parameters. With them
  /// and the number of steps made, a run goes on as if it had not stopped.
  SequencedMap<String, MemorySegment> blocks();
}
