package fathom.recurrent;

import fathom.DType;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;

/// A function of sequences whose output at a step depends on the earlier steps, through a state or
/// within the sequence.
///
/// The rules of a [fathom.Layer] hold: it never returns its argument and never writes into a tensor
/// that it did not make, [#forward] changes no state of the net, and it starts no threads. Behind
/// the end of a sequence its state does not change.
public interface Recurrent extends Node {
  /// Runs the forward pass for training: returns the outputs T×N×H, the state after them, and the
  /// pullback. Throws `IllegalArgumentException` if the sequences or the state have the wrong
  /// shape.
  TracedSequence forward(Sequences x, State start);

  /// The outputs T×N×H and the state after them.
  record Predicted(Tensor value, State end) {}

  /// Returns the outputs and the state after them for prediction, without a pullback. Throws as
  /// [#forward] does.
  default Predicted predict(Sequences x, State start) {
    try (var scope = Scope.open()) {
      TracedSequence traced = forward(x, start);
      return new Predicted(scope.keep(traced.value()), traced.end().keptBy(scope));
    }
  }

  /// Returns the shape T×N×H of the outputs for an input of T×N×I; see [fathom.Layer#shape].
  default Shape shape(Shape x) {
    try (var _ = Scope.open()) {
      var sequences = Sequences.of(Tensor.zeros(DType.FLOAT32, x.toArray()));
      return predict(sequences, start(DType.FLOAT32, sequences.count())).value().shape();
    }
  }

  /// The number of tensors of its state.
  int states();

  /// Returns the state in which `count` sequences begin: zeros.
  State start(DType type, int count);
}
