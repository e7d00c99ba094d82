package fathom.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Functions of vectors whose results are the same in interpreted and in compiled code. Those of
/// the vector library differ: compiled, their sums take the lanes in another order, and their
/// exponential comes from another library, so a resumed training would not repeat the first to the
/// last bit.
public final class Lanes {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int L = S.length();
  private static final VectorShuffle<Float> BY_1 = rotation(1);
  private static final VectorShuffle<Float> BY_2 = rotation(2);
  private static final VectorShuffle<Float> BY_4 = rotation(4);
  private static final VectorShuffle<Float> BY_8 = rotation(8);

  private static final float LOG2_E = (float) 1.4426950408889634;

  /// ln 2 in two parts. Products of the first part with whole numbers below 2^12 are exact.
  private static final float LN2_HIGH = 0x1.63p-1f;

  private static final float LN2_LOW = (float) (0.6931471805599453 - 0x1.63p-1);

  /// The sum of a float and this constant has the nearest whole number in its lowest bits.
  private static final float ROUNDING = 0x1.8p23f;

  /// Beyond this range the sigmoid is its limit at infinity, up to the rounding of float32.
  /// [#TANH_RANGE] is the same for tanh, as a bound of 2z.
  private static final float SIGMOID_RANGE = 87;

  private static final float TANH_RANGE = 20;

  private Lanes() {}

  /// Returns the sum of all lanes.
  public static float total(FloatVector v) {
    FloatVector sum = v;
    for (int lanes = L; lanes > 16; lanes /= 2) {
      sum = sum.add(sum.rearrange(rotation(lanes / 2)));
    }
    if (L >= 16) {
      sum = sum.add(sum.rearrange(BY_8));
    }
    if (L >= 8) {
      sum = sum.add(sum.rearrange(BY_4));
    }
    if (L >= 4) {
      sum = sum.add(sum.rearrange(BY_2));
    }
    return sum.add(sum.rearrange(BY_1)).lane(0);
  }

  private static VectorShuffle<Float> rotation(int by) {
    return VectorShuffle.iota(S, by % L, 1, true);
  }

  /// Returns 1 / (1 + exp(−z)). The error is within 2 units in the last place of 1.
  public static FloatVector sigmoid(FloatVector z) {
    FloatVector x = clamped(z.neg(), SIGMOID_RANGE);
    FloatVector n = x.mul(LOG2_E).add(ROUNDING);
    FloatVector one = FloatVector.broadcast(S, 1);
    FloatVector power = power(n);
    return one.div(expm1(x, n).fma(power, power.add(one)));
  }

  /// Returns tanh z = (e^(2z) − 1) / (e^(2z) + 1). The relative error is a few units in the last
  /// place, also for small z.
  public static FloatVector tanh(FloatVector z) {
    FloatVector x = clamped(z.add(z), TANH_RANGE);
    FloatVector n = x.mul(LOG2_E).add(ROUNDING);
    FloatVector power = power(n);
    FloatVector e = expm1(x, n).fma(power, power.sub(1)); // e^x − 1
    return e.div(e.add(2));
  }

  /// Comparisons instead of max and min, so that NaN stays NaN.
  private static FloatVector clamped(FloatVector x, float range) {
    FloatVector most = FloatVector.broadcast(S, range);
    FloatVector least = FloatVector.broadcast(S, -range);
    return x.blend(most, x.compare(VectorOperators.GT, most))
        .blend(least, x.compare(VectorOperators.LT, least));
  }

  /// 2^n, for a whole number n in the lowest bits.
  private static FloatVector power(FloatVector n) {
    return n.reinterpretAsInts()
        .lanewise(VectorOperators.LSHL, 23)
        .add(0x3f800000)
        .reinterpretAsFloats();
  }

  /// e^r − 1 for the remainder r = x − n·ln 2, |r| ≤ ln 2 / 2. It is the exponential series up to
  /// r⁷; the next term is below 6e-9.
  private static FloatVector expm1(FloatVector x, FloatVector shifted) {
    FloatVector n = shifted.sub(ROUNDING).neg();
    FloatVector r =
        n.fma(FloatVector.broadcast(S, LN2_LOW), n.fma(FloatVector.broadcast(S, LN2_HIGH), x));
    FloatVector p = FloatVector.broadcast(S, 1f / 5040);
    p = p.fma(r, FloatVector.broadcast(S, 1f / 720));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 120));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 24));
    p = p.fma(r, FloatVector.broadcast(S, 1f / 6));
    p = p.fma(r, FloatVector.broadcast(S, 0.5f));
    return p.mul(r).fma(r, r);
  }
}
