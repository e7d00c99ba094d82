package fathom;

import fathom.nn.BatchNorm;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Flatten;
import fathom.nn.GlobalAveragePool;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.nn.MaxPool2d;
import fathom.nn.PaddedSubsample;
import fathom.nn.Recompute;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.Sigmoid;
import fathom.nn.Tanh;
import fathom.nn.Watched;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.LongStream;

/// What every layer computes, in plain operations on whole tensors, which libtorch differentiates:
/// the second opinion of [LayerLawsTest].
final class Oracle {
  private static final double EPSILON = 1e-5;

  /// Mean and unbiased variance of a batch, per channel.
  record Moments(double[] mean, double[] variance) {}

  /// The function of a layer that this class does not know.
  interface Formula {
    Tensor value(Oracle oracle, Tensor x);
  }

  private final boolean training;
  private final IdentityHashMap<Layer, Formula> given;
  private final IdentityHashMap<BatchNorm, List<Moments>> moments = new IdentityHashMap<>();

  /// With the statistics of the batch if `training`, else with the running ones. `given` are the
  /// functions of the layers that this class does not know, by identity.
  Oracle(boolean training, IdentityHashMap<Layer, Formula> given) {
    this.training = training;
    this.given = given;
  }

  /// What the batch norms have seen, each in the order in which it was used.
  IdentityHashMap<BatchNorm, List<Moments>> moments() {
    return moments;
  }

  Tensor value(Layer layer, Tensor x) {
    var known = given.get(layer);
    if (known != null) {
      return known.value(this, x);
    }
    return switch (layer) {
      case Dense d -> x.matmul(d.weight().value().transpose()).plus(d.bias().value());
      case Conv2d c -> Torch.convolution(x, c.weight().value(), c.stride(), c.padding());
      case Relu _ -> x.relu();
      case Sigmoid _ -> Tensor.scalar(x.type(), 1).dividedBy(x.times(-1).exp().plus(1));
      case Tanh _ -> x.times(2).exp().plus(-1).dividedBy(x.times(2).exp().plus(1));
      case MaxPool2d p -> Torch.maxPool(x, p.size(), p.stride(), p.padding()).value();
      case GlobalAveragePool _ ->
          x.reshape(x.shape().size(0), x.shape().size(1), x.shape().size(2) * x.shape().size(3))
              .mean(2)
              .reshape(x.shape().size(0), x.shape().size(1));
      case Flatten _ -> x.reshape(x.shape().size(0), x.shape().elements() / x.shape().size(0));
      case PaddedSubsample p -> Torch.convolution(x, selection(p, x.type()), p.stride(), 0);
      case BatchNorm b -> batchNorm(b, x);
      case LayerNorm l -> layerNorm(l, x);
      case Identity _ -> x.alias();
      case Chain c -> {
        Tensor y = x;
        for (Layer.Child child : c.children()) {
          y = value(child.layer(), y);
        }
        yield y;
      }
      case Residual r -> value(r.branch(), x).plus(value(r.shortcut(), x));
      case Recompute r -> value(r.layer(), x);
      case Watched w -> value(w.layer(), x);
      default -> throw new IllegalArgumentException("the oracle does not know " + layer);
    };
  }

  /// A 1×1 convolution that puts channel i into channel i + (out − in)/2.
  private static Tensor selection(PaddedSubsample p, DType type) {
    double[] weight = new double[p.out() * p.in()];
    for (int i = 0; i < p.in(); i++) {
      weight[(i + (p.out() - p.in()) / 2) * p.in() + i] = 1;
    }
    return Tensor.of(weight, p.out(), p.in(), 1, 1).to(type);
  }

  private Tensor batchNorm(BatchNorm norm, Tensor x) {
    boolean pictures = x.shape().rank() == 4;
    long[] rows = pictures ? new long[] {0, 2, 3} : new long[] {0};
    long channels = x.shape().size(1);
    long[] perChannel = pictures ? new long[] {1, channels, 1, 1} : new long[] {1, channels};
    Tensor mean = norm.runningMean().value().reshape(perChannel);
    Tensor variance = norm.runningVariance().value().reshape(perChannel);
    if (training) {
      mean = x.mean(rows);
      variance = x.minus(mean).square().mean(rows);
      double n = (double) x.shape().elements() / channels;
      moments
          .computeIfAbsent(norm, _ -> new ArrayList<>())
          .add(
              new Moments(plain(mean).toDoubles(), plain(variance).times(n / (n - 1)).toDoubles()));
    }
    return x.minus(mean)
        .dividedBy(variance.plus(EPSILON).sqrt())
        .times(norm.weight().value().reshape(perChannel))
        .plus(norm.bias().value().reshape(perChannel));
  }

  private static Tensor layerNorm(LayerNorm norm, Tensor x) {
    long[] features = LongStream.range(1, x.shape().rank()).toArray();
    Tensor centred = x.minus(x.mean(features));
    return centred
        .dividedBy(centred.square().mean(features).plus(norm.epsilon()).sqrt())
        .times(norm.gain().value())
        .plus(norm.bias().value());
  }

  private static Tensor plain(Tensor t) {
    return Tensor.view(t.raw().detach());
  }
}
