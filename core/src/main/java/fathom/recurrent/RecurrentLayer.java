package fathom.recurrent;

import fathom.DType;
import fathom.Recurrent;
import fathom.Sequences;
import fathom.State;
import fathom.TracedSequence;
import fathom.nn.Init;

/// A layer of recurrent units.
public final class RecurrentLayer implements Recurrent {
  private RecurrentLayer() {}

  @Override
  public int states() {
    throw new UnsupportedOperationException("not yet");
  }

  /// With `in` features at a time and `hidden` units; `path` is its place in the net.
  public static RecurrentLayer of(
      Init init, String path, Kind kind, GateNorm norm, int in, int hidden) {
    return new RecurrentLayer();
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    throw new UnsupportedOperationException("not yet");
  }

  @Override
  public State start(DType type, int count) {
    throw new UnsupportedOperationException("not yet");
  }
}
