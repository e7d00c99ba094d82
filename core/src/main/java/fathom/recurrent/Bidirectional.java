package fathom.recurrent;

import fathom.DType;
import fathom.Scope;
import fathom.Tensor;
import fathom.Torch;
import java.util.ArrayList;
import java.util.List;

/// Two recurrent layers over the same sequences, one reading forwards and one backwards (Schuster
/// and Paliwal 1997). It maps T×N×I to T×N×(H+H'): at each step, what the first layer knows of the
/// past and what the second knows of the future. The second layer begins at the last step of each
/// sequence, not in its padding.
///
/// The state consists of that of the first layer followed by that of the second. The second layer's
/// final state belongs to the first step of the sequences, so it has no meaning as the start of
/// their continuation.
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
            // The order is its own inverse, and hence its own transpose.
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

  /// Returns, for each of the T·N steps, the index of the step that takes its place when every
  /// sequence is reversed within its length. Padding stays in place.
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

  /// Returns T×N×F with its steps reordered: place i holds step `order[i]`.
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
