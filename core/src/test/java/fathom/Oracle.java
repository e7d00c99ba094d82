package fathom;

import fathom.nn.AnchoredNorm;
import fathom.nn.AveragePool2d;
import fathom.nn.BatchNorm;
import fathom.nn.Bias;
import fathom.nn.Chain;
import fathom.nn.Conv2d;
import fathom.nn.Dense;
import fathom.nn.Dropout;
import fathom.nn.DynamicTanh;
import fathom.nn.Flatten;
import fathom.nn.Gelu;
import fathom.nn.GlobalAveragePool;
import fathom.nn.GroupNorm;
import fathom.nn.Identity;
import fathom.nn.LayerNorm;
import fathom.nn.MaxPool2d;
import fathom.nn.OverPositions;
import fathom.nn.PaddedSubsample;
import fathom.nn.Recompute;
import fathom.nn.Relu;
import fathom.nn.Residual;
import fathom.nn.RmsNorm;
import fathom.nn.SelfAttention;
import fathom.nn.Sigmoid;
import fathom.nn.StandardizedConv2d;
import fathom.nn.Tanh;
import fathom.nn.Upsample2d;
import fathom.nn.Watched;
import fathom.nn.WeightNorm;
import fathom.nn.WithMoments;
import fathom.nn.ZeroPad2d;
import fathom.recurrent.Encoder;
import fathom.recurrent.LastState;
import fathom.recurrent.Recurrent;
import fathom.recurrent.Stack;
import fathom.recurrent.TimeDistributed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.function.UnaryOperator;

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
      case Dense d -> NormOracle.value(d, x);
      case Conv2d c ->
          TorchConvolutions.convolution(x, c.weight().value(), c.stride(), c.padding());
      case Relu _ -> x.relu();
      case Sigmoid _ -> Tensor.scalar(x.type(), 1).dividedBy(x.times(-1).exp().plus(1));
      case Tanh _ -> x.times(2).exp().plus(-1).dividedBy(x.times(2).exp().plus(1));
      case MaxPool2d p -> Torch.maxPool(x, p.size(), p.stride(), p.padding()).value();
      case AveragePool2d p -> averaged(x, p.size());
      case ZeroPad2d p -> padded(x, p.padding());
      case Upsample2d u -> upsampled(x, u.factor());
      case GlobalAveragePool _ ->
          x.reshape(x.shape().size(0), x.shape().size(1), x.shape().size(2) * x.shape().size(3))
              .mean(2)
              .reshape(x.shape().size(0), x.shape().size(1));
      case Flatten _ -> x.reshape(x.shape().size(0), x.shape().elements() / x.shape().size(0));
      case PaddedSubsample p ->
          TorchConvolutions.convolution(x, selection(p, x.type()), p.stride(), 0);
      case BatchNorm b -> batchNorm(b, x);
      case LayerNorm l -> NormOracle.value(l, x);
      case RmsNorm r -> NormOracle.value(r, x);
      case GroupNorm g -> NormOracle.value(g, x);
      case Bias b -> NormOracle.value(b, x);
      case AnchoredNorm a -> value(a.norm(), NormOracle.value(new Bias(a.anchor()), x));
      case DynamicTanh d -> NormOracle.value(d, x);
      case WithMoments w -> NormOracle.value(w, x);
      case WeightNorm w -> NormOracle.value(w, x);
      case StandardizedConv2d s -> NormOracle.value(s, x);
      case Gelu _ -> x.times(Tensor.adopt(x.times(Math.sqrt(0.5)).raw().erf()).plus(1)).times(0.5);
      case OverPositions o -> overRows(x, rows -> value(o.layer(), rows));
      case SelfAttention a -> attention(a, x);
      case LastState l -> {
        boolean images = x.shape().rank() == 4;
        Tensor steps = images ? x.permute(0, 2, 1, 3) : x; // N×T×...
        long n = x.shape().size(0);
        Tensor y = sequences(l.backbone(), steps.reshape(n, steps.shape().size(1), l.features()));
        yield y.narrow(1, y.shape().size(1) - 1, y.shape().size(1)).reshape(n, y.shape().size(2));
      }
      case Identity _ -> x.alias();
      case Dropout d -> training ? x.times(kept(d, x)).times(1 / (1 - d.rate())) : x.alias();
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

  /// 1 for what stays and 0 for what is dropped, as drawn where no step is bound.
  private static Tensor kept(Dropout dropout, Tensor x) {
    RandomKey key = RandomKey.of(0, "dropout " + dropout.name()).at(0);
    int width = Math.toIntExact(x.shape().elements() / x.shape().size(0));
    var kept = new double[Math.toIntExact(x.shape().elements())];
    Arrays.setAll(kept, i -> key.at(i / width).uniform(i % width) < dropout.rate() ? 0 : 1);
    return Tensor.of(kept, x.shape().toArray()).to(x.type());
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
    boolean images = x.shape().rank() == 4;
    long[] rows = images ? new long[] {0, 2, 3} : new long[] {0};
    long channels = x.shape().size(1);
    long[] perChannel = images ? new long[] {1, channels, 1, 1} : new long[] {1, channels};
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

  /// A recurrent layer of full sequences, N×T×I to N×T×H, from a state of zeros.
  private Tensor sequences(Recurrent layer, Tensor x) {
    return switch (layer) {
      case Stack s -> {
        Tensor y = x;
        for (Recurrent each : s.layers()) {
          y = sequences(each, y);
        }
        yield y;
      }
      case TimeDistributed e -> overRows(x, rows -> value(e.layer(), rows));
      case Encoder e ->
          value(
              e.norm(),
              value(e.blocks(), x.plus(e.positions().value().narrow(0, 0, x.shape().size(1)))));
      default -> throw new IllegalArgumentException("the oracle does not know " + layer);
    };
  }

  private static Tensor overRows(Tensor x, UnaryOperator<Tensor> rows) {
    long n = x.shape().size(0);
    long t = x.shape().size(1);
    Tensor y = rows.apply(x.reshape(n * t, x.shape().size(2)));
    return y.reshape(n, t, y.shape().size(1));
  }

  /// Each case and head by itself, with matrix products and a mask that is added.
  private static Tensor attention(SelfAttention layer, Tensor x) {
    int steps = (int) x.shape().size(1);
    long width = x.shape().size(2);
    long d = width / layer.heads();
    double[] hidden = new double[steps * steps];
    for (int i = 0; i < steps; i++) {
      for (int j = 0; j < steps; j++) {
        hidden[i * steps + j] = layer.causal() && j > i ? -1e9 : 0;
      }
    }
    Tensor mask = Tensor.of(hidden, steps, steps).to(x.type());
    var cases = new ArrayList<Tensor>();
    for (int n = 0; n < x.shape().size(0); n++) {
      Tensor one = x.narrow(0, n, n + 1).reshape(steps, width);
      Tensor packed = one.matmul(layer.inWeight().value().transpose()).plus(layer.inBias().value());
      var heads = new ArrayList<Tensor>();
      for (int h = 0; h < layer.heads(); h++) {
        Tensor q = packed.narrow(1, h * d, (h + 1) * d);
        Tensor k = packed.narrow(1, width + h * d, width + (h + 1) * d);
        Tensor v = packed.narrow(1, 2 * width + h * d, 2 * width + (h + 1) * d);
        Tensor scores = q.matmul(k.transpose()).times(1 / Math.sqrt((double) d)).plus(mask);
        heads.add(scores.logSoftmax(1).exp().matmul(v));
      }
      Tensor y =
          Tensor.concatenated(1, heads)
              .matmul(layer.outWeight().value().transpose())
              .plus(layer.outBias().value());
      cases.add(y.reshape(1, steps, width));
    }
    return Tensor.concatenated(0, cases);
  }

  private static Tensor plain(Tensor t) {
    return Tensor.view(t.raw().detach());
  }

  /// Windows one by one.
  private static Tensor averaged(Tensor x, int size) {
    long height = x.shape().size(2);
    long width = x.shape().size(3);
    var rows = new ArrayList<Tensor>();
    for (long i = 0; i < height; i += size) {
      var row = new ArrayList<Tensor>();
      for (long j = 0; j < width; j += size) {
        row.add(
            x.narrow(2, i, Math.min(height, i + size))
                .narrow(3, j, Math.min(width, j + size))
                .mean(2, 3));
      }
      rows.add(Tensor.concatenated(3, row));
    }
    return Tensor.concatenated(2, rows);
  }

  private static Tensor padded(Tensor x, int by) {
    Shape s = x.shape();
    Tensor beside = Tensor.zeros(x.type(), s.size(0), s.size(1), s.size(2), by);
    Tensor above = Tensor.zeros(x.type(), s.size(0), s.size(1), by, s.size(3) + 2L * by);
    Tensor wide = Tensor.concatenated(3, List.of(beside, x, beside));
    return Tensor.concatenated(2, List.of(above, wide, above));
  }

  /// Each pixel is repeated along a dimension of its own.
  private static Tensor upsampled(Tensor x, int f) {
    long n = x.shape().size(0);
    long c = x.shape().size(1);
    long h = x.shape().size(2);
    long w = x.shape().size(3);
    return x.reshape(n, c, h, 1, w, 1)
        .expand(Shape.of(n, c, h, f, w, f))
        .reshape(n, c, h * f, w * f);
  }
}
