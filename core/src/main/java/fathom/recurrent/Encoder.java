package fathom.recurrent;

import fathom.DType;
import fathom.Layer;
import fathom.Layer.Child;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.nn.Chain;
import fathom.nn.EncoderBlock;
import fathom.nn.Init;
import fathom.nn.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A transformer as a function of sequences: the input T×N×E plus a trained vector for each of W
/// positions, then causal blocks, then a norm. It has no state and sees earlier steps only within
/// the sequence itself. A sequence of more than W steps throws `IllegalArgumentException`.
///
/// Sequences of different lengths need no mask: a causal block never attends to later steps, so no
/// step of a sequence sees its padding.
///
/// @param positions the vectors of the positions, W×E
/// @param blocks the causal blocks, from N×T×E to N×T×E
/// @param norm the final norm, from N×T×E to N×T×E
public record Encoder(Param positions, Layer blocks, Layer norm) implements Recurrent {
  /// Throws `IllegalArgumentException` if the positions are not a matrix.
  public Encoder {
    if (positions.value().shape().rank() != 2) {
      throw new IllegalArgumentException(
          "positions are W×E, but were given as " + positions.value().shape());
    }
  }

  /// Returns a transformer of `layers` causal pre-norm blocks for at most `window` steps. The
  /// initial vectors of positions are normal with standard deviation 1/√E. This is small beside
  /// tokens of standard deviation 1, so that a position begins as a small correction to its token.
  /// Throws `IllegalArgumentException` if `window` or `layers` is below 1, or if the number of
  /// heads does not divide the width.
  public static Encoder of(Init init, String path, int window, int width, int layers, int heads) {
    if (window < 1 || layers < 1) {
      throw new IllegalArgumentException(
          "a transformer has at least one position and one block, but %s and %s were asked for"
              .formatted(window, layers));
    }
    var blocks = new ArrayList<Child>();
    for (int i = 0; i < layers; i++) {
      String block = Node.path(path, "blocks." + i);
      blocks.add(
          new Child(Integer.toString(i), EncoderBlock.preNorm(init, block, width, heads, true)));
    }
    return new Encoder(
        Param.of(init.weights(Node.path(path, "positions"), 2L * width, window, width)),
        new Chain(blocks),
        LayerNorm.ofLast(width));
  }

  /// The largest number of steps of a sequence, W.
  public int window() {
    return Math.toIntExact(positions.value().shape().size(0));
  }

  @Override
  public TracedSequence forward(Sequences x, State start) {
    Tensor placed = placed(x, start);
    Traced body = blocks.forward(placed);
    Traced last = norm.forward(body.value());
    return new TracedSequence(
        swapped(last.value()),
        State.of(),
        (dy, _) -> {
          try (var scope = Scope.open()) {
            Tensor d = body.back(last.back(swapped(dy)));
            long steps = d.shape().size(1);
            positions.grad().narrow(0, 0, steps).add_(d.sum(0).reshape(steps, d.shape().size(2)));
            return new TracedSequence.Cotangents(scope.keep(swapped(d)), State.of());
          }
        });
  }

  @Override
  public Predicted predict(Sequences x, State start) {
    try (var scope = Scope.open()) {
      Tensor y = norm.predict(blocks.predict(placed(x, start)));
      return new Predicted(scope.keep(swapped(y)), State.of());
    }
  }

  /// Returns the sequences with their positions added, as N×T×E.
  private Tensor placed(Sequences x, State start) {
    State.of().check(start);
    Shape table = positions.value().shape();
    if (x.features() != table.size(1)) {
      throw new IllegalArgumentException(
          "%s needs T×N×%s, but was given %s".formatted(this, table.size(1), x.values().shape()));
    }
    if (x.steps() > window()) {
      throw new IllegalArgumentException(
          "%s has positions for %s steps, but was given %s; cut the sequence or build a wider window"
              .formatted(this, window(), x.steps()));
    }
    Tensor here = positions.value().narrow(0, 0, x.steps());
    try (var scope = Scope.open()) {
      return scope.keep(swapped(x.values()).plus(here));
    }
  }

  /// Swaps the first two dimensions, T×N×E to N×T×E or back, into row-major memory.
  private static Tensor swapped(Tensor t) {
    try (var scope = Scope.open()) {
      return scope.keep(t.permute(1, 0, 2).contiguous());
    }
  }

  @Override
  public Shape shape(Shape x) {
    return x;
  }

  @Override
  public int states() {
    return 0;
  }

  @Override
  public State start(DType type, int count) {
    return State.of();
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("positions", positions);
  }

  @Override
  public List<Part> parts() {
    return List.of(new Part("blocks", blocks), new Part("norm", norm));
  }

  @Override
  public String toString() {
    return "Encoder with a window of " + window();
  }
}
