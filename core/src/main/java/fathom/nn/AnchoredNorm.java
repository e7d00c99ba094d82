package fathom.nn;

import fathom.Layer;
import fathom.Node;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;
import java.util.Map;

/// The layer y = norm(x + a): a norm of a single case, such as layer norm, behind the addition of
/// an anchor a, which is one trained number for each channel or feature. The anchors start at 0,
/// unless they are drawn.
///
/// A norm of a case gives the same activations for c·x and x for every c > 0. Behind layers without
/// a bias this loses one number, the size of the case: for example how many cards a hand has, how
/// much contrast an image has, or whether an image holds anything but noise. With a constant a ≠ 0
/// added, c·x + a has another direction for every c, and nothing is lost
/// (docs/does-layer-norm-wipe-out-information.md has the proof and the figures). With anchors of 0
/// the layer equals the plain norm at its start, and it trains as fast.
///
/// Use it in place of a layer norm, RMS norm or group norm wherever the size of the input may carry
/// meaning or inputs may be empty, above all for the first norm of a net, before which no other
/// layer has a bias. It is not needed behind a dense layer with a bias, which acts as an anchor,
/// nor for batch norm, whose statistics are not those of a single case. It is not wanted where the
/// size of an input is accidental, as with the exposure of a photo: there the plain norm rightly
/// removes it.
///
/// Its cost is one addition. [Fused] makes that addition part of the dense layer before it, or adds
/// in place to the output of the convolution before it.
///
/// @param anchor a, with one number for each channel of N×C or N×C×H×W
/// @param norm the norm behind the addition, with its own gains and biases
public record AnchoredNorm(Param anchor, Layer norm) implements Layer {
  /// Returns a norm of these channels or features with anchors of 0 before it.
  public static AnchoredNorm of(int channels, Layer norm) {
    return new AnchoredNorm(Bias.of(channels).bias(), norm);
  }

  /// Returns an anchored layer norm over the features of N×F.
  public static AnchoredNorm ofFeatures(int features) {
    return of(features, LayerNorm.of(features));
  }

  /// Returns an anchored layer norm over all channels and pixels of images of any size, with a gain
  /// and a bias for each channel ([GroupNorm] with one group).
  public static AnchoredNorm ofImages(int channels) {
    return of(channels, GroupNorm.of(1, channels));
  }

  /// Returns the same norm with anchors that are drawn, with mean 0 and standard deviation 1 from
  /// [Init#he], about that of what a norm makes.
  ///
  /// With anchors of 0 the size of the input is not there until the anchors have been learned, for
  /// which their gradients must say so. Where what is learned is faint beside its noise, as the
  /// worth of a hand of cards beside its luck, they do not in a million examples, and drawn ones
  /// need not be learned (experiment `cards-agent`). Where it is plain, anchors of 0 do as well and
  /// begin as the plain norm.
  ///
  /// @param path the path of this norm in its net, on which the draw depends
  public AnchoredNorm drawn(Init init, String path) {
    long channels = anchor.value().shape().elements();
    Tensor drawn = init.weights(Node.path(path, "anchor"), 2, channels); // √(2/2) = 1
    return new AnchoredNorm(Param.of(drawn), norm);
  }

  Bias bias() {
    return new Bias(anchor);
  }

  @Override
  public Traced forward(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.forward(x, this::forward);
    }
    Traced sum = bias().forward(x);
    Traced normed = norm.forward(sum.value());
    return new Traced(
        normed.value(),
        dy -> {
          Tensor dsum = normed.back(dy);
          Tensor dx = sum.back(dsum);
          dsum.release();
          return dx;
        });
  }

  @Override
  public Tensor predict(Tensor x) {
    if (InFloat32.takes(x)) {
      return InFloat32.predict(x, this::predict);
    }
    Tensor sum = bias().predict(x);
    Tensor y = norm.predict(sum);
    sum.release();
    return y;
  }

  @Override
  public Shape shape(Shape x) {
    return norm.shape(x);
  }

  @Override
  public Map<String, Param> own() {
    return Map.of("anchor", anchor);
  }

  /// The norm's name is empty, so that it adds nothing to the path.
  @Override
  public List<Child> children() {
    return List.of(new Child("", norm));
  }

  @Override
  public Layer with(List<Layer> children) {
    return new AnchoredNorm(anchor, children.getFirst());
  }

  @Override
  public String toString() {
    return "AnchoredNorm " + anchor.value().shape();
  }
}
