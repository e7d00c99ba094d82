package fathom.recurrent;

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

  /// The tensors of its [fathom.State]: the hidden state, and the cell state of the LSTM.
  public int states() {
    return states;
  }
}
