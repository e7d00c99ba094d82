package fathom.task;

import fathom.Node;
import fathom.data.Epochs;

/// A session whose epochs visit every example once, in batches of one size.
public interface EpochSession<N extends Node> extends Session<N> {
  /// Returns the order of the examples and their batches; see [Setting#over].
  Epochs epochs();

  @Override
  default int steps() {
    return epochs().batches();
  }

  @Override
  default int examples(int step) {
    return epochs().batch(step).count();
  }
}
