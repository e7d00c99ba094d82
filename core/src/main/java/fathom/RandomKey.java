package fathom;

/// A key for random numbers. Instead of a generator with a state, every number is a function of a
/// key and an index.
///
/// Initial weights, the order of an epoch and augmentation each have a key made of the seed, a
/// purpose and the place of use. The same numbers can therefore be drawn again at any time, on any
/// worker and in any order, and resuming a run needs no generator state.
///
/// The bits are the output function of SplitMix64 (Steele, Lea and Flood, 2014) at `key + (i+1)·γ`.
public record RandomKey(long key) {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  /// Returns the key for one purpose (`"order"`, `"augment"`, ...) under one seed. Throws
  /// `IllegalArgumentException` if the purpose is empty.
  public static RandomKey of(long seed, String purpose) {
    // If the purpose were empty, index i under seed s would have the key of index s under seed i.
    if (purpose.isEmpty()) {
      throw new IllegalArgumentException("a draw needs a purpose, but it is empty; name one");
    }
    long key = mix(seed + GAMMA);
    for (int i = 0; i < purpose.length(); i++) {
      key = mix(key ^ (purpose.charAt(i) + GAMMA));
    }
    return new RandomKey(key);
  }

  /// Returns the key that belongs to `index` (an epoch, a position in the data set, ...) under this
  /// key.
  public RandomKey at(long index) {
    return new RandomKey(mix(key ^ mix(index + GAMMA)));
  }

  /// Returns 64 random bits.
  public long bits(long i) {
    return mix(key + (i + 1) * GAMMA);
  }

  /// Returns a uniform number in [0, 1).
  public double uniform(long i) {
    return (bits(i) >>> 11) * 0x1p-53;
  }

  /// Returns a uniform integer in 0 .. bound−1. The bias of the multiplication is below `bound /
  /// 2^64`.
  public int below(long i, int bound) {
    return (int) Math.unsignedMultiplyHigh(bits(i), bound);
  }

  /// Returns a normal number with mean 0 and standard deviation 1 (Box and Muller). It uses
  /// `StrictMath`, so the number is the same on every machine.
  public double normal(long i) {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform(2 * i)));
    return radius * StrictMath.cos(2 * Math.PI * uniform(2 * i + 1));
  }

  /// Returns a random order of `0 .. count-1` (Fisher and Yates).
  public int[] permutation(int count) {
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int j = below(i, i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
