package fathom.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

class LanesTest {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;

  @Test
  void sigmoidIsNearTheExactOne() {
    assertNear(Lanes::sigmoid, z -> 1 / (1 + Math.exp(-z)), 2e-7);
  }

  @Test
  void tanhIsNearTheExactOne() {
    assertNear(Lanes::tanh, Math::tanh, 4e-7);
  }

  /// Relative errors, from 1e-30 to what overflows.
  private static void assertNear(
      UnaryOperator<FloatVector> function, DoubleUnaryOperator exact, double tolerance) {
    for (double magnitude = 1e-30; magnitude < 60; magnitude *= 1.0007) {
      for (float z : new float[] {(float) magnitude, (float) -magnitude}) {
        double expected = exact.applyAsDouble(z);
        float actual = function.apply(FloatVector.broadcast(S, z)).lane(0);
        assertEquals(expected, actual, tolerance * Math.abs(expected), "at " + z);
      }
    }
  }

  @Test
  void beyondItsRangeAFunctionIsAtItsLimit() {
    for (float z : new float[] {100, 1e10f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
      assertEquals(1f, of(Lanes::sigmoid, z));
      assertEquals(0f, of(Lanes::sigmoid, -z), 1e-37f);
      assertEquals(1f, of(Lanes::tanh, z));
      assertEquals(-1f, of(Lanes::tanh, -z));
    }
    assertEquals(0f, of(Lanes::tanh, 0));
    assertTrue(Float.isNaN(of(Lanes::sigmoid, Float.NaN)));
    assertTrue(Float.isNaN(of(Lanes::tanh, Float.NaN)));
  }

  private static float of(UnaryOperator<FloatVector> function, float z) {
    return function.apply(FloatVector.broadcast(S, z)).lane(S.length() - 1);
  }

  /// Compiled code, after many calls, gives what interpreted code gave at the first.
  @Test
  void compilingChangesNoBit() {
    float[] numbers = new float[S.length()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) Math.sin(i + 1) * (i + 1);
    }
    int first = bits(numbers);
    for (int i = 0; i < 100_000; i++) {
      assertEquals(first, bits(numbers));
    }
  }

  private static int bits(float[] numbers) {
    FloatVector v = FloatVector.fromArray(S, numbers, 0);
    return Float.floatToIntBits(Lanes.total(Lanes.tanh(v).add(Lanes.sigmoid(v))));
  }
}
