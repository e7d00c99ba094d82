package fathom.train;

import fathom.Node;
import fathom.Param;
import fathom.optim.Optimizer;
import fathom.task.Task;
import java.util.Set;

/// A worker's net in the form that each epoch needs: with the layers frozen that the [Tuning]
/// leaves as they are. There are at most two forms, because only the end of a linear probe changes
/// them.
final class Phases<N extends Node> {
  private final Tuning tuning;
  private final Task<N> task;
  private final N net;
  private Form<N> form;

  /// @param from the first epoch of this form
  /// @param net the net with its frozen layers
  /// @param fused the same, as steps run it
  /// @param factors the part of the learning rate of each trained parameter
  private record Form<N>(int from, N net, N fused, double[] factors) {}

  Phases(Tuning tuning, Task<N> task, N net) {
    this.tuning = tuning;
    this.task = task;
    this.net = net;
    this.form = form(0);
  }

  private Form<N> form(int from) {
    if (tuning.equals(Tuning.NONE)) {
      return new Form<>(from, net, task.fused(net), new double[0]);
    }
    Set<Param> frozen = tuning.frozen(net, from);
    N as = frozen.isEmpty() ? net : task.frozen(net, frozen::contains);
    return new Form<>(from, as, task.fused(as), tuning.factors(net, from));
  }

  /// Goes to the form of this epoch, counted from 0.
  void begin(int epoch) {
    int from = epoch < tuning.linearProbe() ? 0 : tuning.linearProbe();
    if (from != form.from) {
      form = form(from);
    }
  }

  N net() {
    return form.net;
  }

  N fused() {
    return form.fused;
  }

  void step(Optimizer optimizer, double learningRate) {
    if (tuning.equals(Tuning.NONE)) {
      optimizer.step(learningRate);
    } else {
      optimizer.step(i -> form.factors[i] * learningRate);
    }
  }

  /// Returns whether a linear probe ends before this step. Then the optimizer begins anew: what it
  /// would carry for the thawed layers after so many steps is not the nothing that it carries.
  boolean thaws(long step, int batches) {
    return step > 0 && step == (long) tuning.linearProbe() * batches;
  }

  /// Returns the number of steps that the optimizer has made since it began, at this step.
  long made(long step, int batches) {
    long probe = (long) tuning.linearProbe() * batches;
    return step > probe ? step - probe : step;
  }
}
