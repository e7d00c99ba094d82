package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Pullback;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Predicate;

/// A layer that is not trained: in training too it predicts, with running statistics and without
/// dropout, and its output counts as a constant. So its parameters get no gradient, its statistics
/// stay as they are, and the cotangent of its input is zero. The layers before it must be frozen
/// too, or they would learn nothing.
///
/// @param layer the layer
public record Frozen(Layer layer) implements Layer {
  /// Returns the net with those layers frozen whose parameters and buffers are all `frozen`. In a
  /// chain, successive frozen layers become one, so that they can be fused. Layers without
  /// parameters are frozen between frozen layers of a chain.
  ///
  /// Throws `IllegalArgumentException` if only some of the parameters of one layer are frozen.
  public static Layer of(Layer net, Predicate<Param> frozen) {
    Collection<Param> all = net.state().values();
    if (all.stream().noneMatch(frozen)) {
      return net;
    }
    if (all.stream().allMatch(frozen)) {
      return new Frozen(net);
    }
    if (net.children().isEmpty()) {
      throw new IllegalArgumentException(
          "a layer is frozen as a whole, but of %s only some of %s are"
              .formatted(net, net.own().keySet()));
    }
    return net instanceof Chain chain
        ? chain(chain, frozen)
        : net.with(net.children().stream().map(child -> of(child.layer(), frozen)).toList());
  }

  private static Layer chain(Chain chain, Predicate<Param> frozen) {
    int count = 0;
    for (int i = 0; i < chain.children().size(); i++) {
      Collection<Param> all = chain.children().get(i).layer().state().values();
      if (!all.stream().allMatch(frozen)) {
        break;
      }
      count = all.isEmpty() ? count : i + 1;
    }
    var children = new ArrayList<Child>();
    if (count > 0) {
      children.add(new Child("", new Frozen(new Chain(chain.children().subList(0, count)))));
    }
    for (Child child : chain.children().subList(count, chain.children().size())) {
      children.add(new Child(child.name(), of(child.layer(), frozen)));
    }
    return new Chain(children);
  }

  @Override
  public Traced forward(Tensor x) {
    return new Traced(layer.predict(x), new Constant(x.shape(), x.type()));
  }

  /// The pullback of a constant.
  private record Constant(Shape shape, DType type) implements Pullback {
    @Override
    public Tensor apply(Tensor dy) {
      return Tensor.zeros(type, shape.toArray());
    }

    @Override
    public void accumulate(Tensor dy) {
      // A constant has no gradient.
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
    return new Frozen(children.getFirst());
  }

  @Override
  public String toString() {
    return "Frozen";
  }
}
