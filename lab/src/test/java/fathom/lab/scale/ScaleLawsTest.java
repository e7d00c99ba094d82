package fathom.lab.scale;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Fisher;
import fathom.lab.ledger.Notebook;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The identities I8 to I13 of the short proof, each at the tolerance of the project's table; I1 to
/// I8 for one layer are in core, in `ScaleIdentitiesTest`.
class ScaleLawsTest {
  private static final long SEED = 7;

  private static Notebook note() {
    return new Notebook(SEED, () -> false);
  }

  /// I8, in the training of a net.
  @Test
  void everyStepAddsItsSquareToThatOfTheLength() {
    assertTrue(GrowthLaw.pythagoras(SEED, 100, note()) <= 1e-12);
  }

  static Stream<ScaledTwins.Arm> arms() {
    return Arrays.stream(ScaledTwins.ARMS);
  }

  /// I9.
  @ParameterizedTest
  @MethodSource("arms")
  void aLongerWeightIsALowerRate(ScaledTwins.Arm arm) {
    for (double factor : new double[] {2, 3, 0.1}) {
      var twins = ScaledTwins.apart(arm, 16, factor, factor * factor, 200, SEED, note());
      assertTrue(twins.values() <= 1e-9, arm + " ×" + factor + ": " + twins.values());
      assertTrue(twins.weights() <= 1e-9, arm + " ×" + factor + ": " + twins.weights());
    }
    var others = ScaledTwins.apart(arm, 16, 2, 2, 200, SEED, note());
    assertTrue(others.values() > 1e-2, "at another learning rate: " + others.values());
  }

  /// I10.
  @Test
  void theFourthPowerOfTheLengthGrowsByTheSameEveryStep() {
    int steps = 3000;
    var walk = GrowthLaw.walk(0, 0, SEED, steps, note());
    for (int t : new int[] {0, 10, 100, 1000, steps}) {
      assertEquals(1, walk.length()[t] / GrowthLaw.law(t), 0.005, "at step " + t);
    }
    assertEquals(Math.atan(0.1), walk.angle()[0], 1e-9, "the first step is 0.1 long");
  }

  /// I11.
  @Test
  void weightDecayEndsAtALengthAndAnAngle() {
    int steps = 8000;
    double end = GrowthLaw.RATE / (2 * GrowthLaw.DECAY);
    double turn = Math.sqrt(2 * GrowthLaw.RATE * GrowthLaw.DECAY);
    var walk = GrowthLaw.walk(0, GrowthLaw.DECAY, SEED, steps, note());
    assertEquals(1, walk.fourth(steps) / end, 0.01);
    assertEquals(1, walk.turn(steps) / turn, 0.01);
    var heavy = GrowthLaw.walk(0.9, GrowthLaw.DECAY, SEED, steps, note());
    assertEquals(1, heavy.turn(steps) / (turn / Math.sqrt(1.9)), 0.01);
  }

  private static Tensor normal(String what, long... shape) {
    return Tensor.normal(RandomKey.of(SEED, what), DType.FLOAT64, shape);
  }

  /// Under batch norm the information is the paper's eq. 13 with its eq. 14, χ worked out by hand:
  /// ∂μᵢ/∂wᵢ = E[x] and ∂σᵢ/∂wᵢ = E[zᵢ(x − E[x])].
  @ParameterizedTest
  @EnumSource
  void underBatchNormTheInformationIsThatOfEquation13(Fisher.Response response) {
    int n = 30;
    int units = 3;
    int inputs = 4;
    try (var _ = Scope.open()) {
      Tensor w = normal("w", units, inputs).times(Kind.BATCH.size());
      Tensor x = normal("x", n, inputs).plus(0.4);
      Layer layer = Kind.BATCH.over(w, 0, SEED);
      double[] values = layer.forward(x).value().toDoubles();
      Fisher fisher = Fisher.of(layer, x, response);
      double[] gains = layer.params().get(1).value().toDoubles();
      double[][] z = new double[units][];
      double[][] chi = new double[units][]; // n×inputs
      double[] sigma = new double[units];
      for (int i = 0; i < units; i++) {
        Tensor a = x.matmul(w.narrow(0, i, i + 1).transpose());
        Tensor centred = a.minus(a.mean(0));
        sigma[i] = Math.sqrt(centred.square().sum().item() / n);
        Tensor zi = centred.times(1 / sigma[i]);
        Tensor away = x.minus(x.mean(0));
        Tensor dsigma = zi.times(away).mean(0);
        z[i] = zi.toDoubles();
        chi[i] = away.minus(zi.times(dsigma)).toDoubles();
      }
      for (int i = 0; i < units; i++) {
        for (int j = 0; j < units; j++) {
          // The parameters of a unit: its inputs' weights, b, g, as in eq. 13.
          double[] expected = new double[(inputs + 2) * (inputs + 2)];
          for (int c = 0; c < n; c++) {
            double[] of = Arrays.copyOfRange(values, c * units, (c + 1) * units);
            double same = i == j ? 1 : 0;
            double cov = response == Fisher.Response.GAUSSIAN ? same : covariance(of, i, j);
            double[] left = factors(chi[i], z[i], gains[i] / sigma[i], c, inputs);
            double[] right = factors(chi[j], z[j], gains[j] / sigma[j], c, inputs);
            for (int k = 0; k < expected.length; k++) {
              expected[k] += cov * left[k / (inputs + 2)] * right[k % (inputs + 2)] / n;
            }
          }
          double[] actual = fisher.block(places(i, units, inputs), places(j, units, inputs));
          for (int k = 0; k < actual.length; k++) { // weights in units of their size
            actual[k] *= size(k / (inputs + 2), inputs) * size(k % (inputs + 2), inputs);
            expected[k] *= size(k / (inputs + 2), inputs) * size(k % (inputs + 2), inputs);
          }
          assertArrayEquals(expected, actual, 1e-9, "block " + i + ", " + j);
        }
      }
    }
  }

  private static double size(int place, int inputs) {
    return place < inputs ? Kind.BATCH.size() : 1;
  }

  private static double covariance(double[] values, int i, int j) {
    double sum = Arrays.stream(values).map(Math::exp).sum();
    double p = Math.exp(values[i]) / sum;
    return (i == j ? p : 0) - p * Math.exp(values[j]) / sum;
  }

  private static double[] factors(double[] chi, double[] z, double scale, int c, int inputs) {
    double[] factors = new double[inputs + 2];
    for (int f = 0; f < inputs; f++) {
      factors[f] = scale * chi[c * inputs + f];
    }
    factors[inputs] = 1;
    factors[inputs + 1] = z[c];
    return factors;
  }

  /// Where the weights, the bias and the gain of a unit stand behind a product and a batch norm.
  private static int[] places(int unit, int units, int inputs) {
    return IntStream.concat(
            IntStream.range(unit * inputs, (unit + 1) * inputs),
            IntStream.of(units * inputs + units + unit, units * inputs + unit))
        .toArray();
  }

  /// I12: of the first row under batch norm and weight norm, of the matrix under layer and RMS
  /// norm.
  @ParameterizedTest
  @EnumSource
  void aDoubledWeightQuartersItsBlockAndHalvesTheOthers(Kind kind) {
    int units = 4;
    int inputs = 5;
    try (var _ = Scope.open()) {
      Tensor x = normal("x", 40, inputs).plus(0.3);
      Tensor w = normal("w", units, inputs).times(kind.size());
      double[] factors = new double[units];
      Arrays.fill(factors, kind.ofRows ? 1 : 2);
      factors[0] = 2;
      var once = metric(kind, w, x);
      var twice = metric(kind, w.times(Tensor.of(factors, units, 1)), x);
      int[] own = kind.ofRows ? once.first() : once.matrix();
      assertFactor(0.25, once, twice, own, own);
      assertFactor(0.5, once, twice, own, once.others());
      assertFactor(1, once, twice, once.others(), once.others());
      if (kind.ofRows) {
        assertFactor(0.5, once, twice, own, once.second());
        assertFactor(1, once, twice, once.second(), once.second());
      }
      double[] step = normal("step", own.length).toDoubles();
      assertEquals(0.5, Math.sqrt(twice.square(own, step) / once.square(own, step)), 1e-9);
      assertEquals(0, once.along(own, Arrays.copyOf(w.toDoubles(), own.length)), 1e-9);
      assertTrue(once.along(own, step) > 1e-2, "along another direction there is curvature");
    }
  }

  private static FisherHalfOrQuarter.Metric metric(Kind kind, Tensor w, Tensor x) {
    return FisherHalfOrQuarter.Metric.of(kind, w, x, SEED, Fisher.Response.CATEGORICAL);
  }

  private static void assertFactor(
      double factor,
      FisherHalfOrQuarter.Metric once,
      FisherHalfOrQuarter.Metric twice,
      int[] rows,
      int[] columns) {
    double[] expected =
        Arrays.stream(once.fisher().block(rows, columns)).map(v -> factor * v).toArray();
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    assertTrue(largest > 0);
    assertArrayEquals(expected, twice.fisher().block(rows, columns), 1e-9 * largest);
  }

  /// Under layer norm eq. 13 leaves out that one unit's weights move the others, of which each is
  /// moved less the more there are.
  @Test
  void underLayerNormEquation13IsNearOnlyForManyUnits() {
    double few = FisherHalfOrQuarter.equation13(4, 30, SEED);
    double many = FisherHalfOrQuarter.equation13(64, 30, SEED);
    assertTrue(few > 0.1 && many < few / 3, few + " and " + many);
  }

  /// I13.
  @ParameterizedTest
  @EnumSource
  void aStepOfTheGainsDoesNotSeeTheScaleOfTheInputs(Kind kind) {
    double ratio =
        FisherHalfOrQuarter.gains(kind, 100, 30, SEED)
            / FisherHalfOrQuarter.gains(kind, 1, 30, SEED);
    if (kind == Kind.WEIGHT) {
      assertEquals(1e4, ratio, 100);
    } else {
      assertEquals(1, ratio, 1e-6);
    }
    assertEquals(
        1e4,
        FisherHalfOrQuarter.lengths(100, 30, SEED) / FisherHalfOrQuarter.lengths(1, 30, SEED),
        100);
  }

  /// The matrix that [Kind#weight] finds is the one that a norm follows, whatever stands first.
  @ParameterizedTest
  @EnumSource
  void theWeightOfALayerIsItsMatrix(Kind kind) {
    try (var _ = Scope.open()) {
      Tensor w = normal("w", 3, 2);
      Param weight = Kind.weight(kind.over(w, 0, SEED));
      assertArrayEquals(w.toDoubles(), weight.value().toDoubles(), 0);
    }
  }
}
