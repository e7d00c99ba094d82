package fathom.nn;

import fathom.Layer;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import java.util.List;
import java.util.Map;

/// y = norm(x + a): a norm of a single case, such as layer norm, with a trained number a for each
/// channel or feature before it, which starts at 0: its anchor.
///
/// A norm of a case gives c·x and x the same values for every c > 0. Behind layers without a bias
/// that is one number lost, how large the case was: how many cards a hand has, how much contrast an
/// image, whether there is anything but noise in it. Beside a constant a, c·x + a has another
/// direction for every c, and nothing is lost (docs/does-layer-norm-wipe-out-information.md has the
/// proof and the figures). At its start it is the plain norm, and it trains as fast.
///
/// Take it for a layer norm, RMS norm or group norm wherever the size of the input may mean
/// something, or where inputs may be empty; above all for the first norm of a net, before which
/// nothing else has a bias. It is not needed behind a dense layer that has a bias, which is an
/// anchor, for batch norm, whose statistics are not of the case, or where the size of an input is
/// chance, as the exposure of a photo: there the plain norm takes off what should go.
///
/// It costs an addition. [Fused] makes that part of the dense layer before it, or does it in the
/// convolution's own value.
///
/// @param anchor a of a size for each channel of N×C or N×C×H×W
/// @param norm what is behind the addition, with its own gains and biases
public record AnchoredNorm(Param anchor, Layer norm) implements Layer {
  /// Around a norm of these channels or features, with anchors 0.
  public static AnchoredNorm of(int channels, Layer norm) {
    return new AnchoredNorm(Bias.of(channels).bias(), norm);
  }

  /// Around layer norm over the features of N×F.
  public static AnchoredNorm ofFeatures(int features) {
    return of(features, LayerNorm.of(features));
  }

  /// Around layer norm over all channels and pixels of images of any size, with a gain and a bias
  /// for each channel ([GroupNorm] of one group).
  public static AnchoredNorm ofImages(int channels) {
    return of(channels, GroupNorm.of(1, channels));
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

  /// The norm adds nothing to the path.
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
