package fathom.train;

import fathom.Node;
import fathom.nn.Init;
import fathom.task.Figures;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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

  /// How good the net is on all that is for testing. Throws `IllegalStateException` where the
  /// training was asked to stop before its end, or nothing is held out.
  public Figures test() {
    return measured(outcome.test(), "the task holds nothing out for testing");
  }

  /// How good it is on all that it was trained with. Throws as [#test()].
  public Figures training() {
    return measured(outcome.training(), "the task does not measure what it trains with");
  }

  private Figures measured(@Nullable Figures figures, String otherwise) {
    if (figures == null) {
      throw new IllegalStateException(
          outcome.finished()
              ? otherwise
              : "a net is measured at the end, but the training was asked to stop after step %s of %s"
                  .formatted(outcome.step(), outcome.steps()));
    }
    return figures;
  }

  /// A net with the weights that it ended with, in the innermost scope; as many as are asked for.
  public N net() {
    N net = build.apply(Init.zeros());
    weights.to(net);
    return net;
  }
}
