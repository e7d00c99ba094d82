package fathom.kernel;

import fathom.DType;
import fathom.Tensor;
import fathom.TorchConvolutions;
import fathom.TorchConvolutions.Gradients;

/// 3×3 convolutions at stride 1, padded by 1: y[n,o,i,j] = Σ w[o,c,u,v]·x[n,c,i+u−1,j+v−1], summed
/// over c, u and v. Images and weight are in channels-last memory.
///
/// There are three forms, between which [Kernels] chooses: [ScalarConvolution] is the
/// specification, [TiledConvolution] needs fewer multiplications, and [Operation] calls libtorch.
public interface Convolution {
  /// Returns the convolution, N×O×H×W, of x, N×C×H×W, by w, O×C×3×3.
  Tensor value(Tensor x, Tensor w);

  /// Returns dE/dw and, if `needDx`, dE/dx.
  Gradients back(Tensor dy, Tensor x, Tensor w, boolean needDx);

  /// The form that calls libtorch's convolution.
  record Operation() implements Convolution {
    @Override
    public Tensor value(Tensor x, Tensor w) {
      return TorchConvolutions.convolution(x, w, 1, 1);
    }

    @Override
    public Gradients back(Tensor dy, Tensor x, Tensor w, boolean needDx) {
      return TorchConvolutions.convolutionBackward(dy, x, w, 1, 1, needDx);
    }
  }

  /// Allocates the images that a convolution of x to `channels` channels gives: N×channels×H×W of
  /// the type of x, not initialized.
  static Tensor images(Tensor x, long channels) {
    return images(x, channels, x.shape().size(2), x.shape().size(3));
  }

  /// Allocates N×channels×height×width of the type and the number of x, not initialized.
  static Tensor images(Tensor x, long channels, long height, long width) {
    return Tensor.emptyImages(x.type(), x.shape().size(0), channels, height, width);
  }

  /// Whether the forms that run in memory take this type. Other types go to libtorch, which
  /// computes or refuses them.
  static boolean inFractions(DType type) {
    return type == DType.FLOAT32 || type == DType.FLOAT64;
  }
}
