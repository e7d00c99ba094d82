package fathom.recurrent;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import java.util.ArrayList;
import java.util.List;

/// Two recurrent layers over the same sequences, one from the front and one from the back (Schuster
/// and Paliwal 1997): T×N×I to T×N×(H+H'), at each time what the first knows of the past and the
/// second of the future. The second begins at each sequence's own last step, not in its padding.
///
/// Its state is that of the first and then that of the second, which after a stretch has seen the
/// stretch's first step. To carry the second one's into the next stretch has no meaning.
public record Bidirectional(Recurrent forwards, Recurrent backwards) implements Recurrent {
  @Override
  public TracedSequence forward(Sequences x, State start) {
    check(start);
    int[] order = reversed(x);
    var ahead = forwards.forward(x, first(start));
    var back = backwards.forward(x.with(inOrder(order, x.values())), second(start));
    Tensor fromBack = inOrder(order, back.value());
    return new TracedSequence(
        Tensor.concatenated(2, List.of(ahead.value(), fromBack)),
        both(ahead.end(), back.end()),
        (dy, dend) -> {
          try (var scope = Scope.open()) {
            long h = ahead.value().shape().size(2);
            var d = ahead.back(dy.narrow(2, 0, h).contiguous(), first(dend));
            // An order that is its own inverse is its own transpose.
            var e = back.back(inOrder(order, dy.narrow(2, h, dy.shape().size(2))), second(dend));
            return new TracedSequence.Cotangents(
                scope.keep(d.dx().plus(inOrder(order, e.dx()))),
                both(d.dstart(), e.dstart()).keptBy(scope));
          }
        });
  }

  @Override
  public Predicted predict(Sequences x, State start) {
    check(start);
    try (var scope = Scope.open()) {
      int[] order = reversed(x);
      var ahead = forwards.predict(x, first(start));
      var back = backwards.predict(x.with(inOrder(order, x.values())), second(start));
      Tensor y = Tensor.concatenated(2, List.of(ahead.value(), inOrder(order, back.value())));
      return new Predicted(scope.keep(y), both(ahead.end(), back.end()).keptBy(scope));
    }
  }

  /// For each of the T·N steps the one that stands there when every sequence is turned round within
  /// its length; padding stays.
  private static int[] reversed(Sequences x) {
    int[] order = new int[Math.multiplyExact(x.steps(), x.count())];
    for (int t = 0; t < x.steps(); t++) {
      for (int n = 0; n < x.count(); n++) {
        int length = x.lengths()[n];
        order[t * x.count() + n] = (t < length ? length - 1 - t : t) * x.count() + n;
      }
    }
    return order;
  }

  /// T×N×F with the step `order[i]` in place i.
  private static Tensor inOrder(int[] order, Tensor values) {
    try (var scope = Scope.open()) {
      Tensor rows = values.reshape(order.length, values.shape().size(2));
      return scope.keep(Torch.rows(rows, order).reshape(values.shape().toArray()));
    }
  }

  private void check(State start) {
    if (start.tensors().size() != states()) {
      throw new IllegalArgumentException(
          "the state of both directions has %s tensors, but %s were given"
              .formatted(states(), start.tensors().size()));
    }
  }

  private State first(State both) {
    return both.part(0, forwards.states());
  }

  private State second(State both) {
    return both.part(forwards.states(), states());
  }

  private static State both(State first, State second) {
    var all = new ArrayList<>(first.tensors());
    all.addAll(second.tensors());
    return new State(all);
  }

  @Override
  public int states() {
    return forwards.states() + backwards.states();
  }

  @Override
  public State start(DType type, int count) {
    return both(forwards.start(type, count), backwards.start(type, count));
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("forwards", forwards), new Part("backwards", backwards));
  }

  @Override
  public String toString() {
    return "%s and backwards %s".formatted(forwards, backwards);
  }
}
