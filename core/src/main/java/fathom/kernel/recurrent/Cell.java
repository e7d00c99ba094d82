package fathom.kernel.recurrent;

import fathom.Tensor;

/// What happens in a recurrent layer at one time, besides its two matrix products. A cell belongs
/// to one way forward over an [Unrolled] and to its way back.
public interface Cell {
  /// From `ax` and `ah` at time t and the state before it to the state after it, for every
  /// sequence. Past the end of a sequence its state stands still.
  void forward(int t);

  /// What comes back through time, N×H each: the cotangent of the hidden state after a step is that
  /// of the value there plus `product` (through the next step's product) plus `carry` (past it).
  /// `dc` is the cotangent of the cell state, where there is one.
  record Back(Tensor product, Tensor carry, Tensor dc) {}

  /// Back through time t, where `dy` are the cotangents of the hidden states after all steps,
  /// T×N×H. Replaces `ax` and `ah` at t by their cotangents, adds to the gradients, and leaves in
  /// `carry` what goes back to the hidden state before t other than through `ah`, and in `dc` the
  /// cotangent of the cell state before t.
  void backward(int t, Tensor dy, Back back);

  /// The gradients of the small parameters, after the way back.
  CellGradients gradients();
}
