package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class BFloat16Test {
  private static final int LANES = FloatVector.SPECIES_PREFERRED.length();

  @Test
  void everyElementIsItselfAsFloat32AndBack() {
    try (var arena = Arena.ofConfined()) {
      int all = 1 << 16;
      MemorySegment from = arena.allocate(2L * all);
      MemorySegment to = arena.allocate(2L * all);
      for (int i = 0; i < all; i++) {
        from.setAtIndex(JAVA_SHORT, i, (short) i);
      }
      for (int i = 0; i < all; i += LANES) {
        BFloat16.Vectors.store(BFloat16.Vectors.load(from, i), to, i);
      }
      for (int i = 0; i < all; i++) {
        float v = BFloat16.value((short) i);
        if (Float.isNaN(v)) { // the sign and being none stay, not which one it is
          assertTrue(Float.isNaN(BFloat16.value(to.getAtIndex(JAVA_SHORT, i))), "NaN " + i);
        } else {
          assertEquals((short) i, to.getAtIndex(JAVA_SHORT, i));
          assertEquals((short) i, BFloat16.nearest(v));
        }
      }
    }
  }

  @Test
  void theNearestIsTaken() {
    float last = 0x1p-7f; // the last bit of 1
    assertNearest(1, 1 + 0.5f * last); // the middle goes to the even one
    assertNearest(1 + 2 * last, 1 + 1.5f * last);
    assertNearest(1 + last, Math.nextUp(1 + 0.5f * last));
    assertNearest(-1 - last, -Math.nextUp(1 + 0.5f * last));
    assertNearest(Float.POSITIVE_INFINITY, Float.MAX_VALUE);
    assertNearest(Float.NEGATIVE_INFINITY, -Float.MAX_VALUE);
    assertNearest(Float.NaN, Float.NaN);
    assertNearest(Float.NaN, Float.intBitsToFloat(0x7f800001)); // whose upper half is infinite
    assertNearest(Float.NaN, Float.intBitsToFloat(-1));
    assertNearest(-0f, -0f);
    assertNearest(0x1p-133f, 0x1p-133f); // the smallest
    assertNearest(0, 0x1p-135f);
  }

  private static void assertNearest(float expected, float v) {
    assertEquals(expected, BFloat16.value(BFloat16.nearest(v)));
    assertEquals(expected, stored(v), "on vector registers, " + v);
  }

  private static float stored(float v) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(2L * LANES);
      BFloat16.Vectors.store(FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, v), memory, 0);
      return BFloat16.value(memory.getAtIndex(JAVA_SHORT, LANES - 1));
    }
  }

  @Test
  void anyFloatIsRoundedAsLibtorchDoes() {
    RandomKey key = RandomKey.of(1, "floats");
    float[] floats = new float[20_000];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = Float.intBitsToFloat((int) key.bits(i));
    }
    try (var _ = Scope.open()) {
      double[] expected = Tensor.of(floats, floats.length).to(DType.BFLOAT16).toDoubles();
      for (int i = 0; i < floats.length; i++) {
        assertNearest((float) expected[i], floats[i]);
      }
    }
  }
}
