package fathom.lab.draw;

import fathom.DType;
import fathom.Node;
import fathom.Param;
import fathom.Shape;
import fathom.Tensor;
import fathom.Torch;
import fathom.nn.Init;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The LSTM of the layer norm paper's DRAW (Ba et al. 2016, eq. 29-31): (i, f, o, g) = W·[x, h] + b
/// without a norm, c = σ(f)⊙c + σ(i)⊙tanh(g), and h = σ(o)⊙tanh(LN(c; α, β)); without gains it is
/// the plain LSTM, h = σ(o)⊙tanh(c).
///
/// `RecurrentLayer` normalises the sums of the gates as well (eq. 20-22), and it unrolls all times
/// of a sequence at once, which here is not known beforehand: an input is read where the state
/// before it says. Made of tensor operations, for `Autograd`.
///
/// @param weight W of 4H×(I+H), gates in the order i, f, o, g
/// @param bias b of 4H, which begins at 0
/// @param start the hidden state before the first step, of 1×H: learned, and 0 at first (Gregor et
///   al. 2015, section 2.1); the cell begins at 0
/// @param gain α of H, which begins at 1, or null for no norm
/// @param shift β of H, which begins at 0, or null for no norm
record Lstm(Param weight, Param bias, Param start, @Nullable Param gain, @Nullable Param shift)
    implements Node {
  private static final double EPSILON = 1e-5;

  /// What is carried on: h and c, N×H each.
  record State(Tensor h, Tensor c) {}

  /// Weights have a variance of one over what they sum: `init` is made for rectifiers, which halve
  /// it, and is told twice as much.
  static Lstm of(Init init, String path, int in, int hidden, boolean normed) {
    long sums = (long) in + hidden;
    return new Lstm(
        Param.of(init.weights(Node.path(path, "weight"), 2 * sums, 4L * hidden, sums)),
        Param.of(Tensor.zeros(DType.FLOAT32, 4L * hidden)),
        Param.of(Tensor.zeros(DType.FLOAT32, 1, hidden)),
        normed ? Param.of(Tensor.zeros(DType.FLOAT32, hidden).plus(1)) : null,
        normed ? Param.of(Tensor.zeros(DType.FLOAT32, hidden)) : null);
  }

  /// The state of `count` sequences before their first step.
  State begin(long count) {
    Tensor first = start.value();
    Shape all = Shape.of(count, first.shape().size(1));
    return new State(first.expand(all), first.zerosOf(all.toArray()));
  }

  /// One step with the inputs `x`, N×I.
  State next(Tensor x, State before) {
    long hidden = start.value().shape().size(1);
    Tensor both = Tensor.concatenated(1, List.of(x, before.h));
    Tensor z = Torch.linear(both, weight.value(), bias.value());
    Tensor gates = z.narrow(1, 0, 3 * hidden).sigmoid();
    Tensor i = gates.narrow(1, 0, hidden);
    Tensor f = gates.narrow(1, hidden, 2 * hidden);
    Tensor o = gates.narrow(1, 2 * hidden, 3 * hidden);
    Tensor g = z.narrow(1, 3 * hidden, 4 * hidden).tanh();
    Tensor c = f.times(before.c).plus(i.times(g));
    return new State(o.times(normalized(c).tanh()), c);
  }

  private Tensor normalized(Tensor c) {
    if (gain == null || shift == null) {
      return c;
    }
    Tensor centred = c.minus(c.mean(1));
    Tensor standardDeviation = centred.square().mean(1).plus(EPSILON).sqrt();
    return centred.dividedBy(standardDeviation).times(gain.value()).plus(shift.value());
  }

  @Override
  public Map<String, Param> own() {
    var byName = new LinkedHashMap<String, Param>();
    byName.put("weight", weight);
    byName.put("bias", bias);
    byName.put("start", start);
    if (gain != null && shift != null) {
      byName.put("gain_c", gain);
      byName.put("bias_c", shift);
    }
    return byName;
  }
}
