package fathom.nn;

import fathom.Layer;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;

/// The residual connection y = branch(x) + shortcut(x) (He et al. 2016, eq. 1). The branch, of any
/// number of layers, learns only a correction to what the shortcut passes on, and with the identity
/// as shortcut the cotangent reaches x unchanged along it.
///
/// A connection from layer 8 to layer 10 of a ten-layer net is `Chain.of(l1, ..., l7, l8, new
/// Residual(Chain.of(l9, l10)))`.
///
/// @param shortcutName the first part of the paths of the shortcut's parameters
public record Residual(Layer branch, Layer shortcut, String shortcutName) implements Layer {
  /// Makes a connection with the identity as shortcut (eq. 1).
  public Residual(Layer branch) {
    this(branch, new Identity());
  }

  /// Makes a connection with another shortcut, such as a projection (eq. 2), under the name
  /// `shortcut`.
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

  /// Rejects different shapes, because the addition would silently repeat the smaller tensor.
  private static void check(Shape branch, Shape shortcut) {
    if (!branch.equals(shortcut)) {
      throw new IllegalArgumentException(
          "a residual connection adds values of one shape, but its branch gives %s and its shortcut %s; use a projection as shortcut"
              .formatted(branch, shortcut));
    }
  }

  /// The branch's name is empty, so that it adds nothing to the paths of its parameters.
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
