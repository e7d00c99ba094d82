package fathom.recurrent;

import fathom.Scope;
import fathom.Tensor;
import java.util.List;

/// What a [Recurrent] carries from one stretch of its sequences to the next: N×H each, hidden
/// before cell state, lower layers before higher ones. Its cotangent is a state of the same shapes.
public record State(List<Tensor> tensors) {
  public State {
    tensors = List.copyOf(tensors);
  }

  public static State of(Tensor... tensors) {
    return new State(List.of(tensors));
  }

  /// The part `from .. to-1`.
  public State part(int from, int to) {
    return new State(tensors.subList(from, to));
  }

  /// Zeros of these shapes: the cotangent of a state on which nothing depends.
  public State zerosLike() {
    return new State(tensors.stream().map(Tensor::zerosLike).toList());
  }

  /// Hands every tensor to the scope around `scope`.
  public State keptBy(Scope scope) {
    tensors.forEach(scope::keep);
    return this;
  }

  /// Throws `IllegalArgumentException` if another state has not the shapes and types of this one.
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
