package fathom.kernel;

import fathom.DType;
import fathom.Tensor;
import fathom.Torch;
import fathom.Torch.ConvolutionGradients;

/// 3×3 convolutions at stride 1, padded by 1: y[n,o,i,j] = Σ w[o,c,u,v]·x[n,c,i+u−1,j+v−1]. Images
/// and weight are in channels-last memory.
///
/// There are three forms, between which [Kernels] chooses: [ScalarConvolution] is the
/// specification, [TiledConvolution] the one with fewer multiplications, and libtorch's.
public interface Convolution {
  /// N×O×H×W of x, N×C×H×W, by w, O×C×3×3.
  Tensor value(Tensor x, Tensor w);

  /// dE/dw and, if asked for, dE/dx.
  ConvolutionGradients back(Tensor dy, Tensor x, Tensor w, boolean needDx);

  /// Libtorch's.
  record Operation() implements Convolution {
    @Override
    public Tensor value(Tensor x, Tensor w) {
      return Torch.convolution(x, w, 1, 1);
    }

    @Override
    public ConvolutionGradients back(Tensor dy, Tensor x, Tensor w, boolean needDx) {
      return Torch.convolutionBackward(dy, x, w, 1, 1, needDx);
    }
  }

  /// The value's memory for images like x with so many channels.
  static Tensor images(Tensor x, long channels) {
    return Tensor.emptyImages(
        x.type(), x.shape().size(0), channels, x.shape().size(2), x.shape().size(3));
  }

  /// Whether a form in memory takes this type; others are libtorch's to compute or to refuse.
  static boolean inFractions(DType type) {
    return type == DType.FLOAT32 || type == DType.FLOAT64;
  }
}
