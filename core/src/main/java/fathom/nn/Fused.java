package fathom.nn;

import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Pullback;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Rewrites a net of plain layers, which serves as its specification, into one that reads and
/// writes each tensor fewer times. Four patterns become one layer each:
///
/// - batch norm and the ReLU behind it;
/// - batch norm, the addition of a shortcut and the ReLU behind them;
/// - the addition of a shortcut and the layer norm behind it;
/// - a dense layer or convolution and the anchor behind it.
///
/// Parameters, their paths and results (within rounding) stay the same. Instruments run on the
/// plain net.
public final class Fused {
  private Fused() {}

  /// Returns the fused form of `net`, over the same parameters.
  public static Layer of(Layer net) {
    return Layer.map(net, (_, layer) -> layer instanceof Chain chain ? fuse(chain) : layer);
  }

  private static Layer fuse(Chain chain) {
    var fused = new ArrayList<Layer.Child>();
    for (int i = 0; i < chain.children().size(); i++) {
      Layer.Child child = chain.children().get(i);
      Layer next =
          i + 1 < chain.children().size() ? chain.children().get(i + 1).layer() : new Identity();
      if (next instanceof AnchoredNorm && Anchored.takes(child.layer())) {
        // Both layers keep their names, so the layer made of them has none.
        fused.add(new Layer.Child("", new Anchored(child, chain.children().get(i + 1))));
        i++;
        continue;
      }
      boolean rectified =
          i + 1 < chain.children().size() && chain.children().get(i + 1).layer() instanceof Relu;
      if (rectified && child.layer() instanceof BatchNorm norm) {
        fused.add(new Layer.Child(child.name(), new NormRelu(norm)));
        i++;
      } else if (rectified && child.layer() instanceof Residual r && endsInNorm(r.branch())) {
        fused.add(new Layer.Child(child.name(), ResidualNormRelu.of((Chain) r.branch(), r)));
        i++;
      } else if (child.layer() instanceof Residual r
          && i + 1 < chain.children().size()
          && chain.children().get(i + 1).layer() instanceof LayerNorm) {
        // Both layers keep their names, so the layer made of them has none.
        fused.add(
            new Layer.Child(
                "", new ResidualLayerNorm(child.name(), r, chain.children().get(i + 1))));
        i++;
      } else {
        fused.add(child);
      }
    }
    return new Chain(fused);
  }

  private static boolean endsInNorm(Layer branch) {
    return branch instanceof Chain chain
        && !chain.children().isEmpty()
        && chain.children().getLast().layer() instanceof BatchNorm;
  }

  /// The composition norm(w·x + a) of a dense layer or a convolution without a bias and an anchored
  /// norm. The anchor becomes the dense layer's bias, or it is added in place to the convolution's
  /// output.
  record Anchored(Child weighted, Child anchored) implements Layer {
    static boolean takes(Layer layer) {
      return layer instanceof Conv2d || (layer instanceof Dense dense && dense.bias() == null);
    }

    private AnchoredNorm norm() {
      return (AnchoredNorm) anchored.layer();
    }

    @Override
    public Traced forward(Tensor x) {
      if (InFloat32.takes(x)) {
        return plain().forward(x); // the sum has not been rounded to bfloat16: not in place
      }
      Traced sum = sum(x);
      Traced normed = norm().norm().forward(sum.value());
      return new Traced(
          normed.value(),
          dy -> {
            Tensor dsum = normed.back(dy);
            Tensor dx = sum.back(dsum);
            dsum.release();
            return dx;
          });
    }

    private Layer plain() {
      return new Chain(children());
    }

    private Traced sum(Tensor x) {
      if (weighted.layer() instanceof Dense dense) {
        return new Dense(dense.weight(), norm().anchor()).forward(x);
      }
      Traced w = weighted.layer().forward(x);
      return norm().bias().addedTo_(w);
    }

    @Override
    public Tensor predict(Tensor x) {
      if (InFloat32.takes(x)) {
        return plain().predict(x);
      }
      Tensor sum =
          weighted.layer() instanceof Dense dense
              ? new Dense(dense.weight(), norm().anchor()).predict(x)
              : norm().bias().addTo_(weighted.layer().predict(x));
      Tensor y = norm().norm().predict(sum);
      sum.release();
      return y;
    }

    @Override
    public List<Child> children() {
      return List.of(weighted, anchored);
    }

    @Override
    public Layer with(List<Layer> children) {
      return takes(children.get(0)) && children.get(1) instanceof AnchoredNorm
          ? new Anchored(
              new Child(weighted.name(), children.get(0)),
              new Child(anchored.name(), children.get(1)))
          : new Chain(
              List.of(
                  new Child(weighted.name(), children.get(0)),
                  new Child(anchored.name(), children.get(1))));
    }

    @Override
    public String toString() {
      return weighted.layer() + " + " + anchored.layer();
    }
  }

  /// The composition max(norm(x), 0).
  private record NormRelu(BatchNorm norm) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      var joined = norm.forward(x, null, true);
      return new Traced(joined.value(), dy -> joined.back().apply(dy).dx());
    }

    @Override
    public Tensor predict(Tensor x) {
      return norm.predict(x, null, true);
    }

    @Override
    public Map<String, Param> own() {
      return norm.own();
    }

    @Override
    public String toString() {
      return norm + " + Relu";
    }
  }

  /// The composition max(norm(branch(x)) + shortcut(x), 0).
  private record ResidualNormRelu(Layer branch, Child norm, Child past) implements Layer {
    static Layer of(Chain branch, Residual residual) {
      var children = branch.children();
      return new ResidualNormRelu(
          new Chain(children.subList(0, children.size() - 1)),
          children.getLast(),
          new Child(residual.shortcutName(), residual.shortcut()));
    }

    @Override
    public Traced forward(Tensor x) {
      Traced f = branch.forward(x);
      Traced s = past.layer().forward(x);
      Residual.check(f.value(), s.value());
      var joined = batchNorm().forward(f.value(), s.value(), true);
      return new Traced(joined.value(), new Back(f, s, joined.back()));
    }

    private record Back(Traced branch, Traced shortcut, BatchNorm.Back norm) implements Pullback {
      @Override
      public Tensor apply(Tensor dy) {
        try (var scope = Scope.open()) {
          var gradients = norm.apply(dy);
          Tensor through = branch.back(gradients.dx());
          gradients.dx().release();
          Tensor past = shortcut.back(Objects.requireNonNull(gradients.daddend()));
          return scope.keep(through.plus(past));
        }
      }
    }

    @Override
    public Tensor predict(Tensor x) {
      try (var scope = Scope.open()) {
        Tensor f = branch.predict(x);
        Tensor s = past.layer().predict(x);
        Residual.check(f, s);
        return scope.keep(batchNorm().predict(f, s, true));
      }
    }

    private BatchNorm batchNorm() {
      return (BatchNorm) norm.layer();
    }

    @Override
    public List<Child> children() {
      return List.of(new Child("", branch), norm, past);
    }

    @Override
    public Layer with(List<Layer> children) {
      return new ResidualNormRelu(
          children.get(0),
          new Child(norm.name(), children.get(1)),
          new Child(past.name(), children.get(2)));
    }

    @Override
    public String toString() {
      return "Residual + BatchNorm + Relu";
    }
  }

  /// The composition norm(branch(x) + shortcut(x)), where the branch and the norm keep their names.
  private record ResidualLayerNorm(String name, Residual residual, Child norm) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      Traced f = residual.branch().forward(x);
      Traced s = residual.shortcut().forward(x);
      Residual.check(f.value(), s.value());
      var normed = layerNorm().rows().forward(f.value(), s.value());
      return new Traced(
          normed.value(),
          dy -> {
            try (var scope = Scope.open()) {
              Tensor ds = normed.back().apply(dy, null);
              return scope.keep(f.back(ds).plus(s.back(ds)));
            }
          });
    }

    @Override
    public Tensor predict(Tensor x) {
      try (var scope = Scope.open()) {
        Tensor f = residual.branch().predict(x);
        Tensor s = residual.shortcut().predict(x);
        Residual.check(f, s);
        return scope.keep(layerNorm().rows().predict(f, s));
      }
    }

    private LayerNorm layerNorm() {
      return (LayerNorm) norm.layer();
    }

    @Override
    public List<Child> children() {
      return List.of(
          new Child(name, residual.branch()),
          new Child(Node.path(name, residual.shortcutName()), residual.shortcut()),
          norm);
    }

    @Override
    public Layer with(List<Layer> children) {
      return new ResidualLayerNorm(
          name,
          new Residual(children.get(0), children.get(1), residual.shortcutName()),
          new Child(norm.name(), children.get(2)));
    }

    @Override
    public String toString() {
      return "Residual + " + norm.layer();
    }
  }
}
