package fathom.kernel;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Conversions between float32 and bfloat16. A bfloat16 number has two bytes: the upper half of a
/// float32, with its sign, its 8 bits of exponent and the first 7 bits of its fraction. The
/// conversion to float32 loses nothing. The conversion from float32 rounds to the nearest bfloat16;
/// a number in the middle between two of them goes to the one whose last bit is 0. NaN stays NaN.
final class BFloat16 {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /// The number of low bits of a float32 that a bfloat16 does not have.
  private static final int CUT = 16;

  private static final int BELOW_HALF = 0x7fff;
  private static final int INFINITY = 0x7f800000;

  /// This bit of the fraction keeps a NaN whose other bits are all cut off from becoming infinite.
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

  /// The same conversions on vector registers. They are in a class of their own so that a JVM
  /// without the vector module can load the outer class.
  static final class Vectors {
    private static final VectorShape WIDE = FloatVector.SPECIES_PREFERRED.vectorShape();
    private static final VectorSpecies<Integer> BITS = VectorSpecies.of(int.class, WIDE);
    private static final VectorSpecies<Short> HALVES =
        VectorSpecies.of(short.class, VectorShape.forBitSize(WIDE.vectorBitSize() / 2));

    private Vectors() {}

    /// Loads the elements `at`, `at + 1`, ... as float32.
    static FloatVector load(MemorySegment memory, long at) {
      var bits =
          (IntVector)
              ShortVector.fromMemorySegment(HALVES, memory, at << 1, ORDER)
                  .convertShape(VectorOperators.S2I, BITS, 0);
      return bits.lanewise(VectorOperators.LSHL, CUT).reinterpretAsFloats();
    }

    /// Rounds `v` and stores it as the elements `at`, `at + 1`, ...
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
