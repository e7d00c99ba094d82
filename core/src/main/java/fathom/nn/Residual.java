package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// y = branch(x) + shortcut(x), the shortcut connection (He et al. 2016, eq. 1): the branch, of any
/// number of layers, only learns a correction to what the shortcut carries past it, and the
/// cotangent comes back through the shortcut unchanged.
///
/// A connection from layer 8 to layer 10 of a ten-layer net is `Chain.of(l1, ..., l7, l8, new
/// Residual(Chain.of(l9, l10)))`.
///
/// @param shortcutName what the paths of the shortcut's parameters begin with
public record Residual(Layer branch, Layer shortcut, String shortcutName) implements Layer {
  /// With the identity as shortcut (eq. 1); another one is a projection (eq. 2).
  public Residual(Layer branch) {
    this(branch, new Identity());
  }

  /// Whose shortcut is called `shortcut`.
  public Residual(Layer branch, Layer shortcut) {
    this(branch, shortcut, "shortcut");
  }

  @Override
  public Traced forward(Tensor x) {
    Traced f = branch.forward(x);
    Traced s = shortcut.forward(x);
    check(f.value(), s.value());
    return new Traced(
        f.value().plus(s.value()),
        dy -> {
          try (var scope = Scope.open()) {
            return scope.keep(f.back(dy).plus(s.back(dy)));
          }
        });
  }

  @Override
  public Shape shape(Shape x) {
    Shape y = branch.shape(x);
    check(y, shortcut.shape(x));
    return y;
  }

  @Override
  public Tensor predict(Tensor x) {
    try (var scope = Scope.open()) {
      Tensor f = branch.predict(x);
      Tensor s = shortcut.predict(x);
      check(f, s);
      return scope.keep(f.plus(s));
    }
  }

  static void check(Tensor branch, Tensor shortcut) {
    check(branch.shape(), shortcut.shape());
  }

  /// A sum would repeat the smaller one, and nobody would see it.
  private static void check(Shape branch, Shape shortcut) {
    if (!branch.equals(shortcut)) {
      throw new IllegalArgumentException(
          "a residual connection adds values of one shape, but its branch gives %s and its shortcut %s; use a projection as shortcut"
              .formatted(branch, shortcut));
    }
  }

  /// The branch adds nothing to its parameters' paths.
  @Override
  public List<Child> children() {
    return List.of(new Child("", branch), new Child(shortcutName, shortcut));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new Residual(children.get(0), children.get(1), shortcutName);
  }

  @Override
  public String toString() {
    return "Residual";
  }
}
