package fathom.recurrent;

import fathom.DType;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;

/// A function of sequences whose value at one time depends on what came before it, through a state.
///
/// The same rules hold as for a [fathom.Layer]: it never returns its argument, never writes into
/// what it did not make, [#forward] changes nothing, and it starts no threads. Past the end of a
/// sequence its state stands still.
public interface Recurrent extends Node {
  /// Values T×N×H for training, the state after them, and the way back.
  TracedSequence forward(Sequences x, State start);

  /// Values T×N×H and the state after them.
  record Predicted(Tensor value, State end) {}

  /// The same without a way back.
  default Predicted predict(Sequences x, State start) {
    try (var scope = Scope.open()) {
      TracedSequence traced = forward(x, start);
      return new Predicted(scope.keep(traced.value()), traced.end().keptBy(scope));
    }
  }

  /// The shape T×N×H of the values of an argument of T×N×I; see [fathom.Layer#shape].
  default Shape shape(Shape x) {
    try (var _ = Scope.open()) {
      var sequences = Sequences.of(Tensor.zeros(DType.FLOAT32, x.toArray()));
      return predict(sequences, start(DType.FLOAT32, sequences.count())).value().shape();
    }
  }

  /// How many tensors its state has.
  int states();

  /// The state in which `count` sequences begin: zeros.
  State start(DType type, int count);
}
