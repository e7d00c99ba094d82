package fathom.train;

import fathom.Node;
import fathom.nn.Init;
import fathom.task.Figures;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The result of a training: its figures, and the net.
public final class Trained<N extends Node> {
  private final Listener.Outcome outcome;
  private final Function<Init, ? extends N> build;
  private final Snapshot weights;

  Trained(Listener.Outcome outcome, Function<Init, ? extends N> build, Snapshot weights) {
    this.outcome = outcome;
    this.build = build;
    this.weights = weights;
  }

  /// Returns how the training ended.
  public Listener.Outcome outcome() {
    return outcome;
  }

  /// Returns the evaluation of all test data. Throws `IllegalStateException` if the training was
  /// asked to stop before its end, or nothing is held out.
  public Figures test() {
    return measured(outcome.test(), "the task holds nothing out for testing");
  }

  /// Returns the evaluation of all training data. Throws `IllegalStateException` if the training
  /// was asked to stop before its end, or the task does not evaluate its training data.
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

  /// Builds a net with the final weights, in the innermost scope. Every call builds another net.
  public N net() {
    N net = build.apply(Init.zeros());
    weights.to(net);
    return net;
  }
}
