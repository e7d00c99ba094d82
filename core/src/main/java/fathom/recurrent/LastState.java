package fathom.recurrent;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// The last output of a recurrent layer over a whole sequence, as features for a classifier: N×T×I
/// to N×H. The state starts at zero.
///
/// Images N×C×T×I are read row by row from the top; a step is the C·I elements of one row.
///
/// @param features the elements of a step: I, or C·I for images
public record LastState(Recurrent backbone, int features) implements Layer {
  @Override
  public Traced forward(Tensor x) {
    check(x.shape());
    long[] given = x.shape().toArray();
    Sequences sequences = sequences(x);
    TracedSequence traced;
    try {
      traced = backbone.forward(sequences, start(sequences));
    } catch (IllegalArgumentException e) {
      throw refused(x, e);
    }
    return new Traced(
        last(traced.value()),
        dy -> {
          try (var scope = Scope.open()) {
            Tensor d = traced.value().zerosLike();
            long steps = d.shape().size(0);
            d.narrow(0, steps - 1, steps)
                .copy_(dy.reshape(1, dy.shape().size(0), dy.shape().size(1)));
            return scope.keep(images(traced.back(d).dx(), given));
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    check(x);
    return Shape.of(x.size(0), backbone.shape(Shape.of(x.size(-2), x.size(0), features)).size(2));
  }

  @Override
  public Tensor predict(Tensor x) {
    check(x.shape());
    try (var scope = Scope.open()) {
      Sequences sequences = sequences(x);
      return scope.keep(last(backbone.predict(sequences, start(sequences)).value()));
    } catch (IllegalArgumentException e) {
      throw refused(x, e);
    }
  }

  /// Adds this layer and its own input to the message, because the backbone only knows the
  /// sequences.
  private IllegalArgumentException refused(Tensor x, IllegalArgumentException e) {
    return new IllegalArgumentException(
        "%s was given %s: %s".formatted(this, x, e.getMessage()), e);
  }

  private State start(Sequences x) {
    return backbone.start(x.values().type(), x.count());
  }

  /// Returns a copy of the last step, because a view would keep the outputs of all steps in memory.
  private static Tensor last(Tensor values) {
    Shape s = values.shape();
    Tensor y = Tensor.empty(values.type(), s.size(1), s.size(2));
    try (var _ = Scope.open()) {
      return y.copy_(values.narrow(0, s.size(0) - 1, s.size(0)).reshape(s.size(1), s.size(2)));
    }
  }

  private void check(Shape s) {
    boolean images = s.rank() == 4;
    if (!(images ? s.size(1) * s.size(3) == features : s.rank() == 3 && s.size(2) == features)
        || s.size(-2) == 0) {
      throw new IllegalArgumentException(
          "%s needs N×T×%s with a step at least, or N×C×T×I with C·I = %s, but was given %s"
              .formatted(this, features, features, s));
    }
  }

  private Sequences sequences(Tensor x) {
    boolean images = x.shape().rank() == 4;
    try (var scope = Scope.open()) {
      Tensor steps = images ? x.permute(2, 0, 1, 3) : x.permute(1, 0, 2);
      return Sequences.of(
          scope.keep(
              steps.contiguous().reshape(steps.shape().size(0), steps.shape().size(1), features)));
    }
  }

  /// Returns T×N×I in the order and shape of the layer's input.
  private static Tensor images(Tensor steps, long[] given) {
    if (given.length == 3) {
      return steps.permute(1, 0, 2).contiguous();
    }
    return steps.reshape(given[2], given[0], given[1], given[3]).permute(1, 2, 0, 3).contiguous();
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("", backbone));
  }

  @Override
  public String toString() {
    return "Last state of " + backbone;
  }
}
