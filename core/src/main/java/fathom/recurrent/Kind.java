package fathom.recurrent;

import fathom.kernel.KernelForm;
import fathom.kernel.recurrent.Cell;
import fathom.kernel.recurrent.GruCell;
import fathom.kernel.recurrent.LstmCell;
import fathom.kernel.recurrent.RnnCell;
import fathom.kernel.recurrent.Unrolled;

/// The kind of a recurrent cell. Its weights have a block of H rows for each gate.
public enum Kind {
  /// The simple recurrent cell, h = tanh(a).
  RNN(1, 1),
  /// Long short-term memory, with gates in the order i, f, o, g.
  LSTM(4, 2),
  /// The gated recurrent unit, with the gates z and r and the candidate.
  GRU(3, 1);

  private final int gates;
  private final int states;

  Kind(int gates, int states) {
    this.gates = gates;
    this.states = states;
  }

  /// The number of gates, a GRU's candidate included.
  public int gates() {
    return gates;
  }

  /// The number of tensors of its [fathom.recurrent.State]: the hidden state, and for an LSTM also
  /// the cell state.
  public int states() {
    return states;
  }

  /// Makes the cell that computes this kind.
  Cell cell(Unrolled unrolled, KernelForm form) {
    return switch (this) {
      case RNN -> RnnCell.of(unrolled, form);
      case LSTM -> LstmCell.of(unrolled, form);
      case GRU -> GruCell.of(unrolled, form);
    };
  }
}
