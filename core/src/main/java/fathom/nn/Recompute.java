package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.List;

/// The same layer in less memory: it remembers only its argument and runs forward again on the way
/// back, which is how 1202 layers fit (Chen et al. 2016, "Training deep nets with sublinear memory
/// cost"). The value and the gradients are the same to the bit. Batch norm is safe inside, because
/// statistics are committed on the way back, and that runs once.
public record Recompute(Layer layer) implements Layer {
  /// `net` with `blocks` blocks of a stage at a time, and what is left at its end, in a
  /// [Recompute], so that only what goes into the first of them is remembered. A stage is a chain
  /// of nothing but chains, which are its blocks. Parameters, paths and results stay, to the bit.
  ///
  /// This is for plain layers: fusion comes behind it and changes what is inside. Throws
  /// `IllegalArgumentException` if the net has no stages, or for fewer blocks than one.
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
      Tensor y = scope.keep(layer.forward(x).value()); // all other activations die here
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
