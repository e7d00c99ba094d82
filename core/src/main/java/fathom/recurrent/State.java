package fathom.recurrent;

import fathom.Scope;
import fathom.Tensor;
import java.util.List;

/// The state that a [Recurrent] carries from one stretch of its sequences to the next. Its tensors
/// are N×H each; the hidden state comes before the cell state, and lower layers come before higher
/// ones. The cotangent of a state is a state of the same shapes.
public record State(List<Tensor> tensors) {
  public State {
    tensors = List.copyOf(tensors);
  }

  /// Returns a state of these tensors.
  public static State of(Tensor... tensors) {
    return new State(List.of(tensors));
  }

  /// Returns the state of the tensors `from .. to-1`.
  public State part(int from, int to) {
    return new State(tensors.subList(from, to));
  }

  /// Returns zeros of these shapes, the cotangent of a state on which the loss does not depend.
  public State zerosLike() {
    return new State(tensors.stream().map(Tensor::zerosLike).toList());
  }

  /// Hands every tensor of `scope` to the enclosing scope and returns this state.
  public State keptBy(Scope scope) {
    tensors.forEach(scope::keep);
    return this;
  }

  /// Throws `IllegalArgumentException` if another state does not have the shapes and types of this
  /// one.
  public void check(State other) {
    boolean fits = tensors.size() == other.tensors.size();
    for (int i = 0; fits && i < tensors.size(); i++) {
      fits =
          tensors.get(i).shape().equals(other.tensors.get(i).shape())
              && tensors.get(i).type() == other.tensors.get(i).type();
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "the state is %s here, but was given as %s".formatted(this, other));
    }
  }

  @Override
  public String toString() {
    return tensors.toString();
  }
}
