package fathom.lab.layernorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.recurrent.GateNorm;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Rows 32 and 33 as laws: what the scale of its weights does to a recurrent net.
class HiddenDynamicsTest {
  private static final int HIDDEN = 12;
  private static final int STEPS = 20;
  private static final long SEED = 5;

  /// Units near 0 are linear, so T steps multiply a gradient by k to the T.
  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 1.5, 3})
  void withoutANormEveryStepMultipliesByTheScale(double k) {
    double once = HiddenDynamics.gradient(GateNorm.NONE, 1, HIDDEN, STEPS, SEED);
    double scaled = HiddenDynamics.gradient(GateNorm.NONE, k, HIDDEN, STEPS, SEED);
    assertEquals(1, scaled / once / Math.pow(k, STEPS), 1e-9);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 0.5, 1.5, 10})
  void underLayerNormTheScaleIsNothing(double k) {
    double[] once = HiddenDynamics.states(GateNorm.LAYER, 1, HIDDEN, STEPS, SEED);
    double[] scaled = HiddenDynamics.states(GateNorm.LAYER, k, HIDDEN, STEPS, SEED);
    assertTrue(Doubles.apart(once, scaled) <= 1e-10, "states");
    assertEquals(
        1,
        HiddenDynamics.gradient(GateNorm.LAYER, k, HIDDEN, STEPS, SEED)
            / HiddenDynamics.gradient(GateNorm.LAYER, 1, HIDDEN, STEPS, SEED),
        1e-8);
    double[] without = HiddenDynamics.states(GateNorm.NONE, 1, HIDDEN, STEPS, SEED);
    double[] withoutScaled = HiddenDynamics.states(GateNorm.NONE, k, HIDDEN, STEPS, SEED);
    assertTrue(Doubles.apart(without, withoutScaled) > 1e-3, "it is something without a norm");
  }
}
