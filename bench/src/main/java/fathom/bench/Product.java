package fathom.bench;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;

/// A large matrix product on every worker, whose rate is what the machine gives to multiply-adds in
/// the minutes of a measurement.
final class Product {
  static final int SIZE = 1024;

  private Product() {}

  static Standing standing(int workers) {
    return Standing.start(
        workers,
        3,
        all -> {
          RandomKey key = RandomKey.of(1, "peak").at(all.rank());
          Tensor a = Tensor.normal(key.at(0), DType.FLOAT32, SIZE, SIZE);
          Tensor b = Tensor.normal(key.at(1), DType.FLOAT32, SIZE, SIZE);
          return () -> {
            try (var _ = Scope.open()) {
              a.matmul(b);
            }
          };
        });
  }

  /// Returns the multiplications and additions in a millisecond, if every worker makes its product
  /// in this time.
  static double perMillisecond(int workers, double milliseconds) {
    return workers * 2 * Math.pow(SIZE, 3) / milliseconds;
  }
}
