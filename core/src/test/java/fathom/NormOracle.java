package fathom;

import fathom.nn.Bias;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.DynamicTanh;
import fathom.nn.GroupNorm;
import fathom.nn.LayerNorm;
import fathom.nn.LayerNorm.Over;
import fathom.nn.RmsNorm;
import fathom.nn.StandardizedConv2d;
import fathom.nn.WeightNorm;
import fathom.nn.WithMoments;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// The part of [Oracle] for the norms that need no batch.
final class NormOracle {
  private NormOracle() {}

  static Tensor value(Dense layer, Tensor x) {
    return biased(x.matmul(layer.weight().value().transpose()), layer.bias());
  }

  private static Tensor biased(Tensor y, @Nullable Param bias) {
    return bias == null ? y : y.plus(bias.value());
  }

  static Tensor value(LayerNorm norm, Tensor x) {
    long[] dims = dims(norm.over(), x);
    Tensor centred = x.minus(x.mean(dims));
    Tensor normal = centred.dividedBy(standardDeviation(centred, dims, norm.epsilon()));
    return biased(scaled(normal, norm.gain(), norm.over()), shaped(norm.bias(), norm.over(), x));
  }

  private static Tensor biased(Tensor y, @Nullable Tensor bias) {
    return bias == null ? y : y.plus(bias);
  }

  private static Tensor scaled(Tensor y, @Nullable Param gain, Over over) {
    Tensor shaped = shaped(gain, over, y);
    return shaped == null ? y : y.times(shaped);
  }

  /// As it repeats along x.
  private static @Nullable Tensor shaped(@Nullable Param param, Over over, Tensor x) {
    if (param == null) {
      return null;
    }
    return over == Over.POSITION && x.shape().rank() == 4 ? perChannel(param, x) : param.value();
  }

  private static Tensor perChannel(Param param, Tensor x) {
    long channels = x.shape().size(1);
    return x.shape().rank() == 4
        ? param.value().reshape(1, channels, 1, 1)
        : param.value().reshape(1, channels);
  }

  private static Tensor standardDeviation(Tensor centred, long[] dims, double epsilon) {
    return centred.square().mean(dims).plus(epsilon).sqrt();
  }

  private static long[] dims(Over over, Tensor x) {
    return switch (over) {
      case FEATURES -> LongStream.range(1, x.shape().rank()).toArray();
      case POSITION -> new long[] {1};
      case LAST -> new long[] {x.shape().rank() - 1};
    };
  }

  static Tensor value(RmsNorm norm, Tensor x) {
    Tensor normal = x.dividedBy(standardDeviation(x, dims(norm.over(), x), norm.epsilon()));
    return scaled(normal, norm.gain(), norm.over());
  }

  static Tensor value(GroupNorm norm, Tensor x) {
    long n = x.shape().size(0);
    Tensor rows = x.reshape(n, norm.groups(), perGroup(norm, x));
    Tensor centred = rows.minus(rows.mean(2));
    Tensor normal = centred.dividedBy(standardDeviation(centred, new long[] {2}, norm.epsilon()));
    return normal
        .reshape(x.shape().toArray())
        .times(perChannel(norm.gain(), x))
        .plus(perChannel(norm.bias(), x));
  }

  private static long perGroup(GroupNorm norm, Tensor x) {
    return x.shape().elements() / x.shape().size(0) / norm.groups();
  }

  static Tensor value(Bias layer, Tensor x) {
    return x.plus(perChannel(layer.bias(), x));
  }

  static Tensor value(DynamicTanh layer, Tensor x) {
    Tensor e = x.times(layer.alpha().value()).times(2).exp();
    return e.plus(-1)
        .dividedBy(e.plus(1))
        .times(perChannel(layer.gain(), x))
        .plus(perChannel(layer.bias(), x));
  }

  static Tensor value(WithMoments layer, Tensor x) {
    long[] dims = x.shape().rank() == 2 ? new long[] {1} : new long[] {1, 2, 3};
    Tensor mean = x.mean(dims);
    Tensor standardDeviation = standardDeviation(x.minus(mean), dims, layer.norm().epsilon());
    Tensor none = x.narrow(1, 0, 1).times(0);
    return Tensor.concatenated(
        1, List.of(value(layer.norm(), x), none.plus(mean), none.plus(standardDeviation)));
  }

  /// The plain convolution of the standardized weights.
  static Tensor value(StandardizedConv2d layer, Tensor x) {
    Conv2d plain = layer.convolution();
    Tensor v = plain.weight().value();
    Tensor centred = v.minus(v.mean(1, 2, 3));
    Tensor w = centred.dividedBy(standardDeviation(centred, new long[] {1, 2, 3}, layer.epsilon()));
    return TorchConvolutions.convolution(x, w, plain.stride(), plain.padding());
  }

  static Tensor value(WeightNorm layer, Tensor x) {
    long outputs = layer.gain().value().shape().size(0);
    return switch (layer.weighted()) {
      case Dense d -> {
        Tensor v = d.weight().value();
        Tensor length = v.square().sum(1).sqrt();
        Tensor w = v.times(layer.gain().value().reshape(outputs, 1)).dividedBy(length);
        yield biased(x.matmul(w.transpose()), d.bias());
      }
      case Conv2d c -> {
        Tensor v = c.weight().value();
        Tensor length = v.square().sum(1, 2, 3).sqrt();
        Tensor w = v.times(layer.gain().value().reshape(outputs, 1, 1, 1)).dividedBy(length);
        yield TorchConvolutions.convolution(x, w, c.stride(), c.padding());
      }
      default -> throw new IllegalArgumentException("the oracle does not know " + layer);
    };
  }
}
