package fathom.kernel.recurrent;

import fathom.Tensor;

/// The computation of a recurrent layer at one time step, except for its two matrix products. A
/// cell belongs to one forward pass over an [Unrolled] and to the backward pass that follows.
public interface Cell {
  /// Computes the states after time t from `ax` and `ah` at t and the states before it, for every
  /// sequence. A sequence that has ended keeps its states.
  void forward(int t);

  /// The cotangents that go back through time, N×H each. The cotangent of the hidden state after a
  /// step is the cotangent of the layer's output there plus `product` (through the next step's
  /// matrix product) plus `carry` (around it).
  ///
  /// @param product the part of the hidden state's cotangent that comes through the next step's
  ///   product
  /// @param carry the part that does not come through that product
  /// @param dc the cotangent of the cell state, for cells that have one
  record Back(Tensor product, Tensor carry, Tensor dc) {}

  /// Goes back through time t. `dy` are the cotangents of the hidden states after all steps, T×N×H.
  /// Replaces `ax` and `ah` at t by their cotangents, adds to the gradients of the small
  /// parameters, writes into `carry` the cotangent that reaches the hidden state before t other
  /// than through `ah`, and writes into `dc` the cotangent of the cell state before t.
  void backward(int t, Tensor dy, Back back);

  /// Returns the gradients of the small parameters. Call it after the backward pass through all
  /// steps.
  CellGradients gradients();
}
