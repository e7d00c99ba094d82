package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.PackedConvolution;
import fathom.Param;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.Traced;
import fathom.kernel.TiledFilters;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Rewrites a net for prediction alone: batch norm is folded into the convolution before it, since
/// with running statistics it is one factor and one constant for each channel, and rectifiers and
/// additions behind convolutions happen in place. Values are those of the net within rounding.
///
/// In bfloat16, by choice, the pictures between the layers have half the bytes and convolutions
/// multiply in bfloat16 with sums in float32. [GlobalAveragePool] ends that: the classifier behind
/// it computes in float32, or two likely classes would become equal.
///
/// With w and no bias before it, y = γ·(w∗x − μ)/√(σ² + ε) + β is a convolution with the weight
/// w·γ/√(σ² + ε) and the bias β − μ·γ/√(σ² + ε); both are computed in float64.
///
/// For pictures of a known number and size the convolutions are packed as well: weights lie in the
/// order in which they are multiplied, and rectifiers and additions are part of the convolution's
/// pass over its value ([PackedConvolution]). So are dense layers, each a convolution of one pixel
/// with one pixel. 3×3 convolutions that one core does alone go by tiles ([TiledFilters]) where
/// these are the faster way. Other pictures are predicted as without packing.
///
/// What is folded has its weights to itself, does not see later changes of the old net, and throws
/// `UnsupportedOperationException` in `forward`. Other layers are the old net's own.
public final class Folded {
  private Folded() {}

  /// The folded net; its weights are in the innermost scope.
  public static Layer of(Layer net) {
    return of(net, DType.FLOAT32);
  }

  /// The folded net with pictures of this type between its layers, FLOAT32 or BFLOAT16. It takes
  /// pictures of any type and gives logits in FLOAT32 either way.
  public static Layer of(Layer net, DType between) {
    return switch (between) {
      case FLOAT32 -> map(net, between);
      case BFLOAT16 -> new InBFloat16(map(net, between));
      case FLOAT64, INT64 ->
          throw new IllegalArgumentException(
              "a net predicts with FLOAT32 or BFLOAT16 between its layers, not with " + between);
    };
  }

  /// The same of a float32 net, packed for pictures of this N×C×H×W, under the present
  /// [Torch#threads], where the machine can do that.
  public static Layer of(Layer net, DType between, Shape pictures) {
    Layer folded = of(net, between);
    if (!PackedConvolution.isSupported(between)) {
      return folded;
    }
    var met = new IdentityHashMap<Layer, Shape>();
    long[] one = pictures.toArray();
    one[0] = 1;
    try (var _ = Scope.open()) {
      meeting(folded, met).predict(Tensor.zeros(DType.FLOAT32, one).channelsLast());
    }
    return Layer.map(folded, (_, layer) -> packed(layer, met, pictures.size(0)));
  }

  /// The net with a note of what each layer that can be packed is given.
  private static Layer meeting(Layer folded, Map<Layer, Shape> met) {
    return Layer.map(
        folded, (_, layer) -> layer instanceof Packable each ? new Meeting(each, met) : layer);
  }

  private static Layer packed(Layer layer, Map<Layer, Shape> met, long count) {
    Shape one = met.get(layer);
    if (!(layer instanceof Packable each) || one == null) {
      return layer;
    }
    long[] all = one.toArray();
    all[0] = count;
    return each.packedFor(Shape.of(all));
  }

  private static Layer map(Layer net, DType between) {
    return Layer.map(
        net, (_, layer) -> layer instanceof Chain chain ? fold(chain, between) : layer);
  }

  private static Layer fold(Chain chain, DType between) {
    List<Layer.Child> children = chain.children();
    var folded = new ArrayList<Layer.Child>();
    for (int i = 0; i < children.size(); i++) {
      Layer.Child child = children.get(i);
      if (child.layer() instanceof Conv2d conv
          && layer(children, i + 1) instanceof BatchNorm norm) {
        boolean rectified = layer(children, i + 2) instanceof Relu;
        folded.add(new Layer.Child(child.name(), Convolution.of(conv, norm, rectified, between)));
        i += rectified ? 2 : 1;
      } else if (child.layer() instanceof Residual r && endsInConvolution(r.branch())) {
        boolean rectified = layer(children, i + 1) instanceof Relu;
        folded.add(new Layer.Child(child.name(), Sum.of(r, rectified)));
        i += rectified ? 1 : 0;
      } else if (child.layer() instanceof Dense dense) {
        folded.add(new Layer.Child(child.name(), Pixel.of(dense)));
      } else {
        folded.add(child);
      }
    }
    return new Sequence(new Chain(folded));
  }

  private static Layer layer(List<Layer.Child> children, int i) {
    return i < children.size() ? children.get(i).layer() : new Identity();
  }

  /// Whose last step can be added to a sum.
  private static boolean endsInConvolution(Layer branch) {
    return branch instanceof Sequence sequence
        && !sequence.children().isEmpty()
        && sequence.children().getLast().layer() instanceof Convolution;
  }

  private static UnsupportedOperationException onlyPredicts() {
    return new UnsupportedOperationException(
        "a folded net only predicts; train the net that it was made of");
  }

  /// What multiplies by a weight.
  private interface Packable extends Layer {
    /// The same with the weight packed for an argument of this shape.
    Layer packedFor(Shape x);
  }

  /// w∗x + b, rectified or not.
  private record Convolution(
      Conv2d plain,
      Tensor weight,
      Tensor bias,
      boolean rectified,
      @Nullable ReadyConvolution packed)
      implements Packable {
    static Layer of(Conv2d conv, BatchNorm norm, boolean rectified, DType between) {
      Tensor w = conv.weight().value();
      double[] weight = w.toDoubles();
      double[] gain = norm.weight().value().toDoubles();
      double[] bias = norm.bias().value().toDoubles();
      double[] mean = norm.runningMean().value().toDoubles();
      double[] variance = norm.runningVariance().value().toDoubles();
      int each = weight.length / gain.length;
      for (int c = 0; c < gain.length; c++) {
        double factor = gain[c] / Math.sqrt(variance[c] + BatchNorm.EPSILON);
        for (int i = 0; i < each; i++) {
          weight[c * each + i] *= factor;
        }
        bias[c] -= mean[c] * factor;
      }
      try (var scope = Scope.open()) {
        DType type = between == DType.BFLOAT16 ? between : w.type();
        Tensor folded = Tensor.of(weight, w.shape().toArray()).to(type).channelsLast();
        Tensor constant = Tensor.of(bias, bias.length).to(type);
        return new Convolution(conv, scope.keep(folded), scope.keep(constant), rectified, null);
      }
    }

    @Override
    public Convolution packedFor(Shape pictures) {
      ReadyConvolution own =
          Torch.threads() == 1 && plain.inTiles(pictures, weight.type())
              ? new ReadyConvolution.Tiled(pictures, TiledFilters.of(weight, bias))
              : new ReadyConvolution.Packed(
                  PackedConvolution.of(weight, bias, pictures, plain.stride(), plain.padding()));
      return new Convolution(plain, weight, bias, rectified, own);
    }

    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      try (var scope = Scope.open()) {
        Tensor in = plain.input(x);
        ReadyConvolution fitting = packedFor(in);
        if (fitting != null) {
          return scope.keep(fitting.apply(in, rectified));
        }
        Tensor y = Torch.convolution(in, weight, bias, plain.stride(), plain.padding());
        return scope.keep(rectified ? y.relu_() : y);
      }
    }

    /// What was packed for such pictures; null if nothing was.
    private @Nullable ReadyConvolution packedFor(Tensor x) {
      return packed != null && packed.pictures().equals(x.shape()) && x.type() == weight.type()
          ? packed
          : null;
    }

    /// `sum = f(sum + w∗x + b)`, with f the rectifier or nothing.
    void addTo_(Tensor sum, Tensor x, boolean thenRectified) {
      try (var _ = Scope.open()) {
        Tensor in = plain.input(x);
        ReadyConvolution fitting = packedFor(in);
        if (fitting != null && sum.isChannelsLast()) {
          fitting.addTo_(sum, in, thenRectified);
          return;
        }
        Tensor f = predict(in);
        Residual.check(f, sum);
        sum.add_(f);
        if (thenRectified) {
          sum.relu_();
        }
      }
    }

    @Override
    public long multiplyAdds(Shape in, Shape out) {
      return plain.multiplyAdds(in, out);
    }

    @Override
    public String toString() {
      return plain + " + BatchNorm" + (rectified ? " + Relu" : "");
    }
  }

  /// A dense layer. N rows of C values are N pixels of C channels, one beside the other in memory,
  /// and so a picture 1×C×N×1; what a convolution by 1×1 makes of it are N rows again. All cores
  /// share in that, where a matrix product of the library keeps to one.
  private record Pixel(Dense plain, @Nullable PackedConvolution packed) implements Packable {
    static Pixel of(Dense dense) {
      Param bias = dense.bias();
      return new Pixel(new Dense(copy(dense.weight()), bias == null ? null : copy(bias)), null);
    }

    private static Param copy(Param param) {
      return Param.of(param.value().times(1));
    }

    @Override
    public Pixel packedFor(Shape x) {
      Tensor w = plain.weight().value();
      if (plain.bias() == null || w.type() != DType.FLOAT32) {
        return this;
      }
      Tensor kernel = w.reshape(w.shape().size(0), w.shape().size(1), 1, 1);
      Shape picture = Shape.of(1, w.shape().size(1), x.size(0), 1);
      return new Pixel(plain, PackedConvolution.of(kernel, plain.bias().value(), picture, 1, 0));
    }

    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      PackedConvolution own = packed;
      if (own == null
          || x.type() != DType.FLOAT32
          || !x.shape().equals(Shape.of(own.pictures().size(2), own.pictures().size(1)))) {
        return plain.predict(x);
      }
      try (var scope = Scope.open()) {
        long n = x.shape().size(0);
        Tensor picture = x.reshape(1, n, 1, x.shape().size(1)).permute(0, 3, 1, 2);
        Tensor y = own.apply(picture, false);
        return scope.keep(y.permute(0, 2, 3, 1).reshape(n, y.shape().size(1)));
      }
    }

    @Override
    public long multiplyAdds(Shape in, Shape out) {
      return plain.multiplyAdds(in, out);
    }

    @Override
    public String toString() {
      return plain.toString();
    }
  }

  /// Writes down what a layer is given.
  private record Meeting(Layer layer, Map<Layer, Shape> met) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      met.put(layer, x.shape());
      return layer.predict(x);
    }
  }

  /// A net for pictures in bfloat16, of pictures in any type.
  private record InBFloat16(Layer net) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      try (var scope = Scope.open()) {
        return scope.keep(net.predict(x.to(DType.BFLOAT16)).to(DType.FLOAT32));
      }
    }

    @Override
    public List<Child> children() {
      return List.of(new Child("", net));
    }

    @Override
    public Layer with(List<Layer> children) {
      return new InBFloat16(children.getFirst());
    }

    @Override
    public String toString() {
      return "bfloat16";
    }
  }

  /// A layer that can do with less memory where nobody needs its argument any more.
  private interface Overwriting extends Layer {
    /// What [#predict] gives; what `x` has afterwards is undefined.
    Tensor predictOver(Tensor x);
  }

  /// A chain, whose values between two layers are nobody else's.
  private record Sequence(Chain chain) implements Overwriting {
    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      return predict(x, false);
    }

    @Override
    public Tensor predictOver(Tensor x) {
      return predict(x, true);
    }

    private Tensor predict(Tensor x, boolean over) {
      Tensor y = x.alias();
      boolean own = over;
      for (Child child : children()) {
        Tensor spent = y;
        y =
            own && child.layer() instanceof Overwriting layer
                ? layer.predictOver(spent)
                : child.layer().predict(spent);
        own |= !(child.layer() instanceof Identity);
        spent.release();
      }
      return y;
    }

    @Override
    public List<Child> children() {
      return chain.children();
    }

    @Override
    public Layer with(List<Layer> children) {
      return new Sequence((Chain) chain.with(children));
    }

    @Override
    public String toString() {
      return chain.toString();
    }
  }

  /// last(before(x)) + shortcut(x), rectified or not; the convolution adds to the shortcut's value
  /// where that may be changed.
  ///
  /// @param last a [Convolution], or what stands for one
  private record Sum(Layer before, Layer last, Layer shortcut, boolean rectified)
      implements Overwriting {
    /// Of a branch that ends in a convolution.
    static Sum of(Residual residual, boolean rectified) {
      List<Child> branch = residual.branch().children();
      var before = new Sequence(new Chain(branch.subList(0, branch.size() - 1)));
      return new Sum(before, branch.getLast().layer(), residual.shortcut(), rectified);
    }

    @Override
    public Traced forward(Tensor x) {
      throw onlyPredicts();
    }

    @Override
    public Tensor predict(Tensor x) {
      return predict(x, !(shortcut instanceof Identity));
    }

    @Override
    public Tensor predictOver(Tensor x) {
      return predict(x, true);
    }

    private Tensor predict(Tensor x, boolean ownShortcut) {
      try (var scope = Scope.open()) {
        Tensor h = before.predict(x);
        Tensor s = shortcut.predict(x);
        if (ownShortcut && last instanceof Convolution convolution) {
          convolution.addTo_(s, h, rectified);
          return scope.keep(s);
        }
        Tensor f = last.predict(h);
        Residual.check(f, s);
        f.add_(s);
        return scope.keep(rectified ? f.relu_() : f);
      }
    }

    @Override
    public List<Child> children() {
      return List.of(
          new Child("", before), new Child("last", last), new Child("shortcut", shortcut));
    }

    @Override
    public Layer with(List<Layer> children) {
      return new Sum(children.get(0), children.get(1), children.get(2), rectified);
    }

    @Override
    public String toString() {
      return "Residual" + (rectified ? " + Relu" : "");
    }
  }
}
