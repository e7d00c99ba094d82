package fathom.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Elements of two bytes: the upper half of a float32, with its sign, its 8 bits of exponent and
/// the first 7 of its fraction. Becoming a float32 they lose nothing; becoming one of them, a
/// float32 is rounded to the nearest, and from the middle to the one whose last bit is 0. What is
/// not a number stays none.
final class BFloat16 {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// The bits that are cut off.
  private static final int CUT = 16;

  private static final int BELOW_HALF = 0x7fff;
  private static final int INFINITY = 0x7f800000;

  /// Set, it keeps a NaN whose other bits are all cut off from becoming infinite.
  private static final int QUIET = 0x400000;

  private BFloat16() {}

  static float value(short bits) {
    return Float.intBitsToFloat(bits << CUT);
  }

  static short nearest(float v) {
    int bits = Float.floatToRawIntBits(v);
    int rounded = Float.isNaN(v) ? bits | QUIET : bits + BELOW_HALF + (bits >>> CUT & 1);
    return (short) (rounded >>> CUT);
  }

  /// On vector registers; apart, so that a JVM without them can load the class around it.
  static final class Vectors {
    private static final VectorShape WIDE = FloatVector.SPECIES_PREFERRED.vectorShape();
    private static final VectorSpecies<Integer> BITS = VectorSpecies.of(int.class, WIDE);
    private static final VectorSpecies<Short> HALVES =
        VectorSpecies.of(short.class, VectorShape.forBitSize(WIDE.vectorBitSize() / 2));

    private Vectors() {}

    /// The elements `at`, `at + 1`, ... as float32.
    static FloatVector load(MemorySegment memory, long at) {
      var bits =
          (IntVector)
              ShortVector.fromMemorySegment(HALVES, memory, at << 1, ORDER)
                  .convertShape(VectorOperators.S2I, BITS, 0);
      return bits.lanewise(VectorOperators.LSHL, CUT).reinterpretAsFloats();
    }

    /// Rounds to the elements `at`, `at + 1`, ...
    static void store(FloatVector v, MemorySegment memory, long at) {
      IntVector bits = v.reinterpretAsInts();
      IntVector odd = bits.lanewise(VectorOperators.LSHR, CUT).and(1);
      IntVector rounded = bits.add(BELOW_HALF).add(odd);
      var isNone = bits.and(Integer.MAX_VALUE).compare(VectorOperators.GT, INFINITY);
      var halves =
          (ShortVector)
              rounded
                  .blend(bits.or(QUIET), isNone)
                  .lanewise(VectorOperators.LSHR, CUT)
                  .convertShape(VectorOperators.I2S, HALVES, 0);
      halves.intoMemorySegment(memory, at << 1, ORDER);
    }
  }
}
