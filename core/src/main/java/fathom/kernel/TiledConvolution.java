package fathom.kernel;

import fathom.Scope;
import fathom.Tensor;
import fathom.TorchConvolutions.Gradients;

/// The fast form of [Convolution] for float32: it computes tile by tile with the minimal filtering
/// of [Winograd].
final class TiledConvolution implements Convolution {
  @Override
  public Tensor value(Tensor x, Tensor w) {
    Tensor y = Convolution.images(x, w.shape().size(0));
    try (var _ = Scope.open()) {
      Winograd.convolve(FeatureMaps.of(x), w.channelsLast().segment(), FeatureMaps.of(y));
    }
    return y;
  }

  @Override
  public Gradients back(Tensor dy, Tensor x, Tensor w, boolean needDx) {
    Tensor filters = w.channelsLast();
    Tensor dw = filters.emptyLike();
    Winograd.weightGradient(FeatureMaps.of(x), FeatureMaps.of(dy), dw.segment());
    Tensor dx = null;
    if (needDx) {
      dx = x.emptyLike();
      Winograd.convolveBack(FeatureMaps.of(dy), filters.segment(), FeatureMaps.of(dx));
    }
    return new Gradients(dx, dw);
  }
}
