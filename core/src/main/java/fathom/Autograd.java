package fathom;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/// Layers from arbitrary tensor code, with libtorch's reverse mode as their way back: the escape
/// hatch for users, and the oracle against which every other layer is tested.
public final class Autograd {
  private Autograd() {}

  /// A layer that computes `function`. It may use the operations of [Tensor] and [Torch] that
  /// return a tensor, and the values of `params`, which get gradients under the names `0`, `1`, ...
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

    /// Runs the function on values that record what happens to them, in the place of the
    /// parameters'.
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

  /// The gradient that the way back left in a leaf; zeros if it did not reach it.
  private static Tensor gradient(Tensor leaf) {
    var borrowed = leaf.raw().grad();
    return borrowed.defined()
        ? Tensor.adopt(new org.bytedeco.pytorch.Tensor(borrowed))
        : plain(leaf).zerosLike();
  }
}
