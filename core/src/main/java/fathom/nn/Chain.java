package fathom.nn;

import fathom.Layer;
import fathom.Pullback;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.List;

/// Layers applied one after the other. The backward pass is a loop, so that the depth of a net
/// costs no stack.
public record Chain(List<Child> children) implements Layer {
  /// Makes a chain of named layers; an empty chain is the identity.
  public Chain {
    children = List.copyOf(children);
  }

  /// Returns a chain of layers with the names `0`, `1`, ...
  public static Chain of(Layer... layers) {
    var children = new ArrayList<Child>();
    for (Layer layer : layers) {
      children.add(new Child(Integer.toString(children.size()), layer));
    }
    return new Chain(children);
  }

  @Override
  public Traced forward(Tensor x) {
    var traced = new Traced[children.size()];
    Tensor y = x;
    for (int i = 0; i < traced.length; i++) {
      traced[i] = children.get(i).layer().forward(y);
      y = traced[i].value();
    }
    return new Traced(traced.length == 0 ? x.alias() : y, new Back(traced));
  }

  private record Back(Traced[] traced) implements Pullback {
    @Override
    public Tensor apply(Tensor dy) {
      return through(dy, 0);
    }

    @Override
    public void accumulate(Tensor dy) {
      if (traced.length > 0) {
        try (var _ = Scope.open()) {
          traced[0].accumulate(through(dy, 1));
        }
      }
    }

    private Tensor through(Tensor dy, int first) {
      Tensor d = dy.alias();
      for (int i = traced.length - 1; i >= first; i--) {
        try (var scope = Scope.open()) { // frees a layer's temporary tensors at once
          Tensor spent = d;
          d = scope.keep(traced[i].back(spent));
          spent.release();
        }
      }
      return d;
    }
  }

  @Override
  public Shape shape(Shape x) {
    Shape y = x;
    for (Child child : children) {
      y = child.layer().shape(y);
    }
    return y;
  }

  @Override
  public Tensor predict(Tensor x) {
    Tensor y = x.alias();
    for (Child child : children) {
      Tensor spent = y;
      y = child.layer().predict(spent);
      spent.release();
    }
    return y;
  }

  @Override
  public Layer with(List<Layer> layers) {
    var named = new ArrayList<Child>();
    for (int i = 0; i < children.size(); i++) {
      named.add(new Child(children.get(i).name(), layers.get(i)));
    }
    return new Chain(named);
  }

  @Override
  public String toString() {
    return "Chain";
  }
}
