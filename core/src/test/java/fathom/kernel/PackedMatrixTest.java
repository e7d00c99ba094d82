package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/// The packed product against sums in double precision, over numbers of rows and columns that fill
/// its tiles and such that do not.
class PackedMatrixTest {
  private static final int L = PackedMatrix.lanes();

  @Test
  void isTheProductForAnySize() {
    for (int n : new int[] {0, 1, 2, 3, 4, 5, 7, 8, 33, 64, 131}) {
      for (int k : new int[] {1, 2, 16, 37}) {
        for (int vectors : new int[] {1, 2, 3, 4, 5, 6, 7}) {
          check(n, k, vectors * L, false);
          check(n, k, vectors * L, true);
        }
      }
    }
  }

  private static void check(int n, int k, int columns, boolean transposed) {
    try (var arena = Arena.ofConfined()) {
      MemorySegment m = random(arena, k * columns, 1);
      MemorySegment x = random(arena, 5 + n * k, 2);
      MemorySegment y = random(arena, 7 + n * columns, 3);
      int rowStride = transposed ? 1 : columns;
      int columnStride = transposed ? k : 1;
      var packed = PackedMatrix.of(m, k, columns, rowStride, columnStride);
      float before = y.getAtIndex(JAVA_FLOAT, 6);
      packed.times(x, 5, n, y, 7);
      assertEquals(before, y.getAtIndex(JAVA_FLOAT, 6));
      for (int i = 0; i < n; i++) {
        for (int c = 0; c < columns; c++) {
          double sum = 0;
          for (int j = 0; j < k; j++) {
            sum +=
                (double) x.getAtIndex(JAVA_FLOAT, 5 + i * k + j)
                    * m.getAtIndex(JAVA_FLOAT, j * rowStride + c * columnStride);
          }
          assertEquals(sum, y.getAtIndex(JAVA_FLOAT, 7 + (long) i * columns + c), 1e-5);
        }
      }
    }
  }

  private static MemorySegment random(Arena arena, int count, int which) {
    MemorySegment memory = arena.allocate(4L * count, 64);
    for (int i = 0; i < count; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, (float) RandomKey.of(which, "packed").normal(i));
    }
    return memory;
  }

  @Test
  void refusesColumnsThatDoNotFillVectors() {
    try (var arena = Arena.ofConfined()) {
      MemorySegment m = arena.allocate(4L * (L + 1));
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> PackedMatrix.of(m, 1, L + 1, L + 1, 1));
      assertTrue(e.getMessage().contains("multiple of " + L));
    }
  }
}
