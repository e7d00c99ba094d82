package fathom.nn;

import fathom.DType;
import fathom.Layer;
import fathom.PackedConvolution;
import fathom.Param;
import fathom.Predictor;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.kernel.Kernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// A net rewritten for prediction only. With running statistics, batch norm is one factor and one
/// constant for each channel, and it is folded into the convolution before it. ReLU and additions
/// behind convolutions happen in place, and an anchor becomes the bias of the convolution or dense
/// layer before it. The outputs equal those of the net within rounding.
///
/// With bfloat16 between the layers, which is optional, the images take half the bytes, and
/// convolutions multiply in bfloat16 and sum in float32. From [GlobalAveragePool] on, activations
/// are in float32: in bfloat16 two likely classes could get equal logits.
///
/// For a convolution without a bias, y = γ·(w∗x − μ)/√(σ² + ε) + β is a convolution with the weight
/// w·γ/√(σ² + ε) and the bias β − μ·γ/√(σ² + ε); both are computed in float64. Weights that are
/// standardized are so once, when the net is folded.
///
/// For images of a known number and size the convolutions are packed as well: weights lie in the
/// order in which the kernel reads them, and ReLU and additions are part of the convolution's pass
/// over its output ([PackedConvolution]). Dense layers are packed as 1×1 convolutions. 3×3
/// convolutions use tiles ([fathom.kernel.TiledFilters]) where that is faster, and where the cores
/// share a net's kernels, the other layers are products of patches ([fathom.kernel.PatchFilters]).
/// Images of other sizes or numbers are predicted without packing.
///
/// Folded layers have their own copies of the weights and do not see later changes of the original
/// net. Layers inside others than [Chain], [Residual] and [Recompute] stay as they are and read the
/// original net's [parameters][#params()].
public final class Folded implements Predictor {
  private final Piece net;
  private final DType between;
  private final boolean hasOtherWeights;

  private Folded(Piece net, DType between) {
    this.net = net;
    this.between = between;
    this.hasOtherWeights =
        all(net)
            .anyMatch(piece -> piece instanceof Piece.Untouched untouched && hasWeights(untouched));
  }

  /// Returns the folded net, with FLOAT32 between its layers; its weights lie in the innermost
  /// scope.
  public static Folded of(Layer net) {
    return of(net, DType.FLOAT32);
  }

  /// Returns the folded net with images of this type between its layers, FLOAT32 or BFLOAT16. It
  /// accepts images of any type; with BFLOAT16 between the layers its logits are still FLOAT32.
  /// Throws `IllegalArgumentException` for another type between the layers.
  public static Folded of(Layer net, DType between) {
    return switch (between) {
      case FLOAT32, BFLOAT16 -> new Folded(piece(net, between), between);
      case FLOAT64, INT64 ->
          throw new IllegalArgumentException(
              "a net predicts with FLOAT32 or BFLOAT16 between its layers, not with " + between);
    };
  }

  /// Returns the folded form of a float32 net, packed for images of this N×C×H×W.
  public static Folded of(Layer net, DType between, Shape images) {
    return of(net, between).packedFor(images);
  }

  /// Returns this net packed for images of this N×C×H×W under the present [fathom.Torch#threads]
  /// and the cores that this thread has ([fathom.parallel.Cores]), or this net itself if the
  /// machine does not support packing. The result shares the weights of this net; its packed
  /// weights lie in the innermost scope.
  public Folded packedFor(Shape images) {
    return PackedConvolution.isSupported(between)
        ? new Folded(net.packedFor(images), between)
        : this;
  }

  /// Whether the free cores of this thread share every operation of this net that has much to do,
  /// once it is packed: if all weights belong to convolutions and dense layers, and their kernels
  /// divide themselves.
  public boolean isSharedByKernels() {
    return !hasOtherWeights && Kernels.inSharedPatches(between);
  }

  private static boolean hasWeights(Piece.Untouched piece) {
    return piece.layer().state().values().stream()
        .anyMatch(param -> param.value().shape().rank() > 1);
  }

  @Override
  public Tensor predict(Tensor x) {
    if (between == DType.FLOAT32) {
      return net.predict(x);
    }
    try (var scope = Scope.open()) {
      return scope.keep(net.predict(x.to(between)).to(DType.FLOAT32));
    }
  }

  /// The parameters of the original net that this one still reads.
  public Set<Param> params() {
    Set<Param> params = Collections.newSetFromMap(new IdentityHashMap<>());
    all(net)
        .flatMap(piece ->
            piece instanceof Piece.Untouched untouched
                ? untouched.layer().state().values().stream()
                : Stream.empty())
        .forEach(params::add);
    return params;
  }

  /// The pieces of this net; a piece that contains others comes before them.
  List<Piece> pieces() {
    return all(net).toList();
  }

  private static Stream<Piece> all(Piece piece) {
    return Stream.concat(
        Stream.of(piece), piece.pieces().stream().map(Folded::all).flatMap(s -> s));
  }

  private static Piece piece(Layer layer, DType between) {
    return switch (layer) {
      case Chain chain -> sequence(chain.children(), between);
      case Residual residual -> sum(residual, false, between);
      case Recompute again -> piece(again.layer(), between);
      case StandardizedConv2d conv -> FoldedConvolution.of(conv, between);
      default -> new Piece.Untouched(layer);
    };
  }

  private static Piece sequence(List<Layer.Child> children, DType between) {
    var pieces = new ArrayList<Piece>();
    for (int i = 0; i < children.size(); i++) {
      Layer layer = children.get(i).layer();
      if (layer instanceof Conv2d conv && layer(children, i + 1) instanceof BatchNorm norm) {
        boolean rectified = layer(children, i + 2) instanceof Relu;
        pieces.add(FoldedConvolution.of(conv, norm, rectified, between));
        i += rectified ? 2 : 1;
      } else if (layer instanceof Residual residual) {
        boolean rectified = layer(children, i + 1) instanceof Relu;
        pieces.add(sum(residual, rectified, between));
        i += rectified ? 1 : 0;
      } else if (layer(children, i + 1) instanceof AnchoredNorm norm
          && Fused.Anchored.takes(layer)) {
        pieces.add(
            layer instanceof Conv2d conv
                ? FoldedConvolution.of(conv, norm.anchor(), between)
                : FoldedDense.of(new Dense(((Dense) layer).weight(), norm.anchor())));
        pieces.add(piece(norm.norm(), between));
        i++;
      } else if (layer instanceof Dense dense) {
        pieces.add(FoldedDense.of(dense));
      } else {
        pieces.add(piece(layer, between));
      }
    }
    return new Piece.Sequence(pieces);
  }

  private static Layer layer(List<Layer.Child> children, int i) {
    return i < children.size() ? children.get(i).layer() : new Identity();
  }

  private static FoldedSum sum(Residual residual, boolean rectified, DType between) {
    return FoldedSum.of(
        piece(residual.branch(), between),
        piece(residual.shortcut(), between),
        residual.shortcut() instanceof Identity,
        rectified);
  }
}
