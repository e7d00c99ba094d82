package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.List;

/// A layer in less memory: it stores only its input and runs the forward pass again during the
/// backward pass, which makes nets of 1202 layers fit (Chen et al. 2016, "Training deep nets with
/// sublinear memory cost"). Output and gradients are identical to the bit. Batch norm is safe
/// inside, because its statistics are committed in the pullback, and only the second forward pass
/// has its pullback run.
public record Recompute(Layer layer) implements Layer {
  /// Puts segments of `blocks` successive blocks of each stage into a [Recompute], so that training
  /// stores only the input of each segment. The last segment of a stage may be shorter. A stage is
  /// a chain whose children, the blocks, are all chains. Parameters, paths and results stay
  /// identical to the bit.
  ///
  /// Apply it to plain layers, before [Fused], which changes what is inside the segments. Throws
  /// `IllegalArgumentException` if the net has no stages or `blocks` is less than 1.
  public static Layer every(int blocks, Layer net) {
    if (blocks < 1) {
      throw new IllegalArgumentException(
          "at least one block is computed again at a time, not " + blocks);
    }
    boolean[] found = new boolean[1];
    Layer again =
        Layer.map(
            net,
            (_, layer) -> {
              if (!(layer instanceof Chain stage) || !isStage(stage)) {
                return layer;
              }
              found[0] = true;
              return every(blocks, stage);
            });
    if (!found[0]) {
      throw new IllegalArgumentException(
          "%s has no stages of blocks that could be computed again".formatted(net));
    }
    return again;
  }

  private static boolean isStage(Chain chain) {
    return !chain.children().isEmpty()
        && chain.children().stream().allMatch(child -> child.layer() instanceof Chain);
  }

  private static Chain every(int blocks, Chain stage) {
    List<Child> all = stage.children();
    var segments = new ArrayList<Child>();
    for (int from = 0; from < all.size(); from += blocks) {
      var segment = new Chain(all.subList(from, Math.min(all.size(), from + blocks)));
      segments.add(new Child("", new Recompute(segment)));
    }
    return new Chain(segments);
  }

  @Override
  public Traced forward(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor y = scope.keep(layer.forward(x).value()); // the scope frees all other activations
      return new Traced(
          y,
          dy -> {
            try (var again = Scope.open()) {
              return again.keep(layer.forward(x).back(dy));
            }
          });
    }
  }

  @Override
  public Shape shape(Shape x) {
    return layer.shape(x);
  }

  @Override
  public Tensor predict(Tensor x) {
    return layer.predict(x);
  }

  @Override
  public List<Child> children() {
    return List.of(new Child("", layer));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new Recompute(children.getFirst());
  }

  @Override
  public String toString() {
    return "Recompute";
  }
}
