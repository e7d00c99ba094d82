package fathom;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/// Builds layers from arbitrary tensor code whose backward pass is libtorch's own reverse mode.
/// Users can write a layer this way without deriving a pullback, and the tests use such layers as
/// the oracle for every other layer.
///
/// ```java
/// Layer swish = Autograd.layer(x -> x.times(x.sigmoid()));
/// ```
public final class Autograd {
  private Autograd() {}

  /// Returns a layer that computes `function`. The function may use the operations of [Tensor] and
  /// [Torch] that return a tensor, and the values of `params`. The parameters get gradients and are
  /// named `0`, `1`, ... in their order. The layer's `forward` throws `IllegalArgumentException` if
  /// its input or a parameter is not of a floating-point type.
  public static Layer layer(UnaryOperator<Tensor> function, Param... params) {
    return new Custom(function, List.of(params));
  }

  private record Custom(UnaryOperator<Tensor> function, List<Param> params) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      Tensor argument = leaf(x);
      var leaves = new ArrayList<Tensor>();
      Tensor value = withLeaves(argument, leaves);
      return new Traced(plain(value), dy -> back(value, argument, leaves, dy));
    }

    /// Runs the function while the parameters hold tensors whose use libtorch records, and then
    /// gives the parameters their own values back.
    private Tensor withLeaves(Tensor argument, List<Tensor> leaves) {
      var values = params.stream().map(Param::value).toList();
      try {
        for (Param param : params) {
          Tensor leaf = leaf(param.value());
          leaves.add(leaf);
          param.bind(leaf, param.grad());
        }
        return function.apply(argument);
      } finally {
        for (int i = 0; i < leaves.size(); i++) {
          params.get(i).bind(values.get(i), params.get(i).grad());
        }
      }
    }

    private Tensor back(Tensor value, Tensor argument, List<Tensor> leaves, Tensor dy) {
      try (var scope = Scope.open();
          var retainGraph = new BoolOptional();
          var allInputs = new TensorArrayRefOptional()) {
        value.raw().backward(dy.raw(), retainGraph, false, allInputs);
        for (int i = 0; i < leaves.size(); i++) {
          params.get(i).grad().add_(gradient(leaves.get(i)));
        }
        return scope.keep(gradient(argument));
      }
    }

    @Override
    public Tensor predict(Tensor x) {
      try (var scope = Scope.open()) {
        return scope.keep(function.apply(x.alias()));
      }
    }

    @Override
    public Map<String, Param> own() {
      var byName = new LinkedHashMap<String, Param>();
      for (int i = 0; i < params.size(); i++) {
        byName.put(Integer.toString(i), params.get(i));
      }
      return byName;
    }

    @Override
    public String toString() {
      return "Autograd";
    }
  }

  private static Tensor leaf(Tensor t) {
    t.checkFractions("a derivative");
    var raw = t.raw().detach();
    raw.set_requires_grad(true);
    return Tensor.view(raw);
  }

  private static Tensor plain(Tensor t) {
    return Tensor.view(t.raw().detach());
  }

  /// Returns the gradient that the backward pass left in a leaf, or zeros if the backward pass did
  /// not reach it.
  private static Tensor gradient(Tensor leaf) {
    var borrowed = leaf.raw().grad();
    return borrowed.defined()
        ? Tensor.adopt(new org.bytedeco.pytorch.Tensor(borrowed))
        : plain(leaf).zerosLike();
  }
}
