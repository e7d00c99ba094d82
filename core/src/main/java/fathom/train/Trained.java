package fathom.train;

import fathom.Node;
import fathom.nn.Init;
import java.util.function.Function;

/// What came of a training: its figures, and the net.
public final class Trained<N extends Node> {
  private final Listener.Outcome outcome;
  private final Function<Init, ? extends N> build;
  private final Snapshot weights;

  Trained(Listener.Outcome outcome, Function<Init, ? extends N> build, Snapshot weights) {
    this.outcome = outcome;
    this.build = build;
    this.weights = weights;
  }

  /// How it ended.
  public Listener.Outcome outcome() {
    return outcome;
  }

  /// A net with the weights that it ended with, in the innermost scope; as many as are asked for.
  public N net() {
    N net = build.apply(Init.zeros());
    weights.to(net);
    return net;
  }
}
