package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// y = branch(x) + shortcut(x), the gap connection (He et al. 2016, eq. 1): the branch, of any
/// number of layers, only learns a correction to what the shortcut carries past it, and the
/// cotangent comes back through the shortcut unchanged.
///
/// A connection from layer 8 to layer 10 of a ten-layer net is `Chain.of(l1, ..., l7, l8, new
/// Residual(Chain.of(l9, l10)))`.
public record Residual(Layer branch, Layer shortcut) implements Layer {
  /// With the identity as shortcut (eq. 1); another one is a projection (eq. 2).
  public Residual(Layer branch) {
    this(branch, new Identity());
  }

  @Override
  public Traced forward(Tensor x) {
    Traced f = branch.forward(x);
    Traced s = shortcut.forward(x);
    return new Traced(
        f.value().plus(s.value()),
        dy -> {
          try (var scope = Scope.open()) {
            return scope.keep(f.back(dy).plus(s.back(dy)));
          }
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      return scope.keep(branch.predict(x).plus(shortcut.predict(x)));
    }
  }

  /// The branch adds nothing to its parameters' paths.
  @Override
  public List<Child> children() {
    return List.of(new Child("", branch), new Child("shortcut", shortcut));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new Residual(children.get(0), children.get(1));
  }

  @Override
  public String toString() {
    return "Residual";
  }
}
