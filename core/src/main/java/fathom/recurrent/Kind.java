package fathom.recurrent;

import fathom.kernel.KernelForm;
import fathom.kernel.recurrent.Cell;
import fathom.kernel.recurrent.GruCell;
import fathom.kernel.recurrent.LstmCell;
import fathom.kernel.recurrent.RnnCell;
import fathom.kernel.recurrent.Unrolled;

/// What a recurrent layer computes at one time. The number of its gates is that of the blocks of H
/// rows in its weights.
public enum Kind {
  /// h = tanh(a)
  RNN(1, 1),
  /// Long short-term memory: gates in the order i, f, o, g.
  LSTM(4, 2),
  /// Gated recurrent unit: z and r, and the candidate.
  GRU(3, 1);

  private final int gates;
  private final int states;

  Kind(int gates, int states) {
    this.gates = gates;
    this.states = states;
  }

  public int gates() {
    return gates;
  }

  /// The tensors of its [fathom.recurrent.State]: the hidden state, and the cell state of the LSTM.
  public int states() {
    return states;
  }

  /// The cell that computes it.
  Cell cell(Unrolled unrolled, KernelForm form) {
    return switch (this) {
      case RNN -> RnnCell.of(unrolled, form);
      case LSTM -> LstmCell.of(unrolled, form);
      case GRU -> GruCell.of(unrolled, form);
    };
  }
}
