package fathom.recurrent;

import java.lang.foreign.MemorySegment;

/// What happens in a recurrent layer at one time, besides its two matrix products.
interface Cell {
  /// From `ax` and `ah` at time t and the state before it to the state after it, for every
  /// sequence.
  void forward(Unrolled u, int t);

  /// Back through time t. The cotangent of the hidden state after it is `dy + product + carry`, N×H
  /// each, of which `dy` starts at its element `dyAt`. Replaces `ax` and `ah` at t by their
  /// cotangents, adds to the gradients, and leaves in `carry` what goes back to the hidden state
  /// before t other than through `ah`, and in `dc` the cotangent of the cell state before t.
  void backward(
      Unrolled u,
      int t,
      MemorySegment dy,
      MemorySegment product,
      MemorySegment carry,
      MemorySegment dc,
      CellGradients gradients);
}
