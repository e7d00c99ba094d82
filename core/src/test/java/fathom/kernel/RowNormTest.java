package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.kernel.RowNorm.Form;
import fathom.parallel.Cores;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.LongToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector kernel in float32 against the text-book loops in float64, and those against numbers
/// by hand.
class RowNormTest {
  private static final int[] ROWS = {0, 1, 2, 3, 5, 64, 67};
  private static final double EPSILON = 1e-5;

  private final RowNorm scalar = new ScalarRowNorm();
  private final RowNorm vector = new VectorRowNorm();
  private final Arena arena = Arena.ofShared();
  private final Scope scope = Scope.open();

  @AfterEach
  void free() {
    scope.close();
    arena.close();
  }

  private static LongToDoubleFunction normal(String what) {
    return RandomKey.of(1, what)::normal;
  }

  /// Numbers that are floats, in either type; rows do not start at a multiple of a vector.
  private Tensor rows(DType type, long count, int width, LongToDoubleFunction element) {
    long n = count * width;
    MemorySegment memory = arena.allocate(type.bytes() * (n + 1), 64).asSlice(type.bytes());
    for (long i = 0; i < n; i++) {
      float v = (float) element.applyAsDouble(i);
      if (type == DType.FLOAT32) {
        memory.setAtIndex(JAVA_FLOAT, i, v);
      } else {
        memory.setAtIndex(JAVA_DOUBLE, i, v);
      }
    }
    return Tensor.over(memory, type, false, count, width);
  }

  // ---- One trial in either type

  /// What is normalised: `count` rows of `width`, and what is done besides.
  private record Trial(
      int count,
      int width,
      LongToDoubleFunction x,
      boolean centred,
      boolean affine,
      boolean added,
      double epsilon) {
    static Trial of(int count, int width, LongToDoubleFunction x) {
      return new Trial(count, width, x, true, true, false, EPSILON);
    }

    @Override
    public String toString() {
      return "%s rows of %s%s%s%s"
          .formatted(
              count,
              width,
              centred ? "" : ", not centred",
              affine ? ", gain and bias" : "",
              added ? ", after an addition" : "");
    }
  }

  private record Normed(
      double[] y,
      double[] sum,
      double[] statistics,
      double[] dx,
      double[] dxAlone,
      double[] dgain,
      double[] dbias) {}

  private static double[] elements(Tensor t) {
    return t.toDoubles();
  }

  private Normed norm(RowNorm kernel, DType type, Trial t) {
    int count = t.count;
    int width = t.width;
    Tensor gain =
        t.affine ? rows(type, 1, width, i -> 1 + 0.5 * normal("gain").applyAsDouble(i)) : null;
    Tensor bias = t.affine ? rows(type, 1, width, normal("bias")) : null;
    var form = new Form(width, gain, bias, t.epsilon, t.centred);
    Tensor x = rows(type, count, width, t.x);
    Tensor addend = t.added ? rows(type, count, width, normal("addend")) : null;
    var normed = kernel.forward(form, x, addend);
    assertArrayEquals(
        elements(normed.value()),
        elements(kernel.predict(form, x, addend)),
        "without a backward pass, " + t);

    Tensor dy = rows(type, count, width, normal("dy"));
    Tensor dsum = rows(type, count, width, normal("dsum"));
    var back = kernel.backward(form, dy, normed, dsum);
    var alone = kernel.backward(form, dy, normed, null);
    var onlyGain =
        kernel.backward(new Form(width, gain, null, t.epsilon, t.centred), dy, normed, null);
    assertNull(onlyGain.dbias());
    double largest = 1;
    for (double v : elements(alone.dx())) {
      largest = Math.max(largest, Math.abs(v));
    }
    assertArrayEquals(
        elements(alone.dx()), elements(onlyGain.dx()), 1e-6 * largest, "with a gain alone, " + t);
    double[] dgain = perElement(back.dgain(), t);
    assertArrayEquals(dgain, perElement(onlyGain.dgain(), t));
    return new Normed(
        elements(normed.value()),
        elements(normed.s()),
        elements(normed.statistics()),
        elements(back.dx()),
        elements(alone.dx()),
        dgain,
        perElement(back.dbias(), t));
  }

  /// A gradient, which is there if its parameter is.
  private static double[] perElement(@Nullable Tensor gradient, Trial t) {
    assertEquals(t.affine, gradient != null);
    return gradient == null ? new double[0] : elements(gradient);
  }

  private void assertNear(Trial t, double tolerance) {
    Normed exact = norm(scalar, DType.FLOAT64, t);
    Normed actual = norm(vector, DType.FLOAT32, t);
    assertNear("y, " + t, exact.y, actual.y, tolerance);
    assertNear("the sum, " + t, exact.sum, actual.sum, 1e-6);
    assertNear("statistics, " + t, exact.statistics, actual.statistics, tolerance);
    assertNear("dx, " + t, exact.dx, actual.dx, 3 * tolerance);
    assertNear("dx alone, " + t, exact.dxAlone, actual.dxAlone, 3 * tolerance);
    double sums = tolerance * Math.sqrt(t.count + 1.0);
    assertNear("dgain, " + t, exact.dgain, actual.dgain, 3 * sums);
    assertNear("dbias, " + t, exact.dbias, actual.dbias, sums);
  }

  /// Differences are compared to the largest number, because sums lose what is small beside it.
  private static void assertNear(
      String what, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    double largest = 1;
    for (double v : expected) {
      largest = Math.max(largest, Math.abs(v));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= tolerance * largest)) {
        throw new AssertionError(
            "%s: element %s is %s, but should be %s".formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  // ---- Vector and scalar

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7, 8, 9, 16, 31, 64, 100, 207, 1024, 4098})
  void theVectorKernelDoesWhatTheLoopsDo(int width) {
    for (int count : ROWS) {
      for (int how = 0; how < 8; how++) {
        if (width > 1000 && count > 3 && how != count % 8) {
          continue; // the small ones have tried it
        }
        var t =
            new Trial(
                count,
                width,
                i -> 3 + 2 * normal("x").applyAsDouble(i),
                (how & 1) != 0,
                (how & 2) != 0,
                (how & 4) != 0,
                EPSILON);
        // Three numbers or fewer may lie so close that rounding is all they differ by.
        assertNear(t, width > 3 ? 4e-6 : 1e-3);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {7, 16, 100, 1024, 20_000})
  void aMeanOfTenThousandStandardDeviationsIsNoTrouble(int width) {
    for (double mean : new double[] {1e4, -1e4}) {
      var t = Trial.of(5, width, i -> mean + normal("x").applyAsDouble(i));
      Normed exact = norm(scalar, DType.FLOAT64, t);
      Normed actual = norm(vector, DType.FLOAT32, t);
      // The numbers are the same in both: the float32 that is nearest to the draw.
      assertNear("y", exact.y, actual.y, 1e-5);
      assertNear("dx", exact.dx, actual.dx, 1e-5);
      assertNear("dgain", exact.dgain, actual.dgain, 1e-5);
    }
  }

  @Test
  void aFirstElementFarFromTheOthersIsNoTrouble() {
    for (double far : new double[] {1e2, 1e4, 1e6}) {
      assertNear(Trial.of(4, 300, i -> i % 300 == 0 ? far : normal("x").applyAsDouble(i)), 1e-5);
    }
  }

  @Test
  void numbersThatFloatsCannotSquareAreNormalisedToo() {
    for (double size : new double[] {1e-6, 1e6, 1e18, 1e25, 1e37}) {
      var t = new Trial(5, 100, i -> size * normal("x").applyAsDouble(i), true, true, false, 0);
      Normed exact = norm(scalar, DType.FLOAT64, t);
      Normed actual = norm(vector, DType.FLOAT32, t);
      assertNear("y at " + size, exact.y, actual.y, 1e-5);
      assertNear("dgain at " + size, exact.dgain, actual.dgain, 1e-5);
      double[] scaled = actual.dxAlone.clone();
      double[] expected = exact.dxAlone.clone();
      for (int i = 0; i < scaled.length; i++) {
        scaled[i] *= size;
        expected[i] *= size;
      }
      if (size < 1e30) { // beyond, dx is no float
        assertNear("dx at " + size, expected, scaled, 1e-5);
      }
    }
  }

  @Test
  void equalElementsAreNormalisedToTheBias() {
    for (double constant : new double[] {0, 0.1, -7, 1e4, 1e15, 3e38}) {
      for (int width : new int[] {1, 3, 16, 207}) {
        for (double epsilon : new double[] {EPSILON, 0}) {
          var t = new Trial(6, width, _ -> constant, true, true, false, epsilon);
          for (RowNorm kernel : new RowNorm[] {scalar, vector}) {
            Normed normed = norm(kernel, DType.FLOAT32, t);
            for (int i = 0; i < normed.y.length; i++) {
              float bias = (float) normal("bias").applyAsDouble(i % width);
              assertEquals(bias, normed.y[i], "constant %s, width %s".formatted(constant, width));
              assertTrue(Double.isFinite(normed.dx[i]));
            }
          }
        }
      }
    }
  }

  @Test
  void whatIsNotANumberMakesItsRowNaN() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      for (int at : new int[] {0, 1, 19}) {
        for (boolean centred : new boolean[] {true, false}) {
          var t =
              new Trial(
                  5,
                  20,
                  i -> i == 40 + at ? bad : normal("x").applyAsDouble(i),
                  centred,
                  true,
                  false,
                  EPSILON);
          for (RowNorm kernel : new RowNorm[] {scalar, vector}) {
            double[] y = normalized(kernel, t);
            for (int i = 0; i < y.length; i++) {
              assertEquals(i / 20 == 2, Double.isNaN(y[i]), "element %s of %s".formatted(i, t));
            }
          }
        }
      }
    }
  }

  private double[] normalized(RowNorm kernel, Trial t) {
    var form = new Form(t.width, null, null, t.epsilon, t.centred);
    return elements(kernel.predict(form, rows(DType.FLOAT32, t.count, t.width, t.x), null));
  }

  // ---- By hand

  /// 1, 3 has mean 2 and standard deviation 1; 0, 8 has 4 and 4.
  @Test
  void theLoopsAreTheFormulas() {
    Tensor x = pairs(1, 3, 0, 8);
    var form = new Form(2, pairs(2, 10), pairs(100, 1000), 0, true);
    var normed = scalar.forward(form, x, null);
    assertArrayEquals(new double[] {98, 1010, 98, 1010}, elements(normed.value()));
    assertArrayEquals(new double[] {2, 1, 4, 0.25}, elements(normed.statistics()));

    var back = scalar.backward(form, pairs(1, 2, 3, 4), normed, null);
    // Two elements: x̂ is -1, 1 whatever x is, so nothing comes back to x.
    assertArrayEquals(new double[4], elements(back.dx()));
    assertArrayEquals(new double[] {-1 - 3, 2 + 4}, elements(Objects.requireNonNull(back.dgain())));
    assertArrayEquals(new double[] {4, 6}, elements(Objects.requireNonNull(back.dbias())));
    back = scalar.backward(form, pairs(1, 2, 3, 4), normed, pairs(5, 6, 7, 8));
    assertArrayEquals(new double[] {5, 6, 7, 8}, elements(back.dx()));

    // RMS of (1, 3) + (0, 4) and (0, 8) + (3, -4): mean squares 25 and 12.5.
    var rms = new Form(2, null, null, 0, false);
    normed = scalar.forward(rms, x, pairs(0, 4, 3, -4));
    assertArrayEquals(new double[] {1, 7, 3, 4}, elements(normed.s()));
    double second = Math.sqrt(12.5);
    double[] y = {0.2, 1.4, 3 / second, 4 / second};
    assertArrayEquals(y, elements(normed.value()), 1e-15);
    back = scalar.backward(rms, pairs(1, 0, 0, 0), normed, null);
    // (w - x̂·mean(w·x̂))/σ with mean(w·x̂) = 0.1: (1 - 0.02)/5 and (-0.14)/5
    assertArrayEquals(new double[] {0.196, -0.028, 0, 0}, elements(back.dx()), 1e-15);
  }

  private static Tensor pairs(double... elements) {
    return Tensor.of(elements, elements.length / 2, 2);
  }

  // ---- Divided over the cores

  @Test
  void dividedOverTheCoresItIsTheSame() {
    for (int[] size : new int[][] {{2001, 100}, {67, 4098}, {20_000, 8}, {3, 70_000}}) {
      var t =
          new Trial(
              size[0], size[1], i -> 3 + normal("x").applyAsDouble(i), true, true, true, EPSILON);
      Normed divided = norm(vector, DType.FLOAT32, t);
      var whole = new Normed[1];
      Cores.alone(() -> whole[0] = norm(vector, DType.FLOAT32, t));
      Normed alone = whole[0];
      assertArrayEquals(alone.y, divided.y);
      assertArrayEquals(alone.sum, divided.sum);
      assertArrayEquals(alone.statistics, divided.statistics);
      assertNear("dx", alone.dx, divided.dx, 1e-6); // rows are taken in twos from another on
      assertNear("dgain", alone.dgain, divided.dgain, 1e-6);
      assertNear("dbias", alone.dbias, divided.dbias, 1e-6);
      Normed again = norm(vector, DType.FLOAT32, t);
      assertArrayEquals(divided.dgain, again.dgain, "not the same twice");
      assertArrayEquals(divided.dx, again.dx, "not the same twice");
    }
  }

  // ---- What is refused and what is chosen

  @Test
  void operandsOfAnotherSizeAreRefused() {
    Tensor x = rows(DType.FLOAT32, 4, 6, normal("x"));
    Tensor other = rows(DType.FLOAT32, 6, 4, normal("x"));
    Tensor doubles = rows(DType.FLOAT64, 4, 6, normal("x"));
    Tensor few = rows(DType.FLOAT32, 1, 5, normal("x"));
    var form = new Form(6, null, null, EPSILON, true);
    for (RowNorm kernel : new RowNorm[] {scalar, vector}) {
      var normed = kernel.forward(form, x, null);
      for (Runnable bad :
          new Runnable[] {
            () -> kernel.forward(form, x, other),
            () -> kernel.forward(form, x, doubles),
            () -> kernel.predict(form, x, other),
            () -> kernel.forward(new Form(5, null, null, 0, true), x, null),
            () -> kernel.forward(new Form(6, few, null, 0, true), x, null),
            () -> kernel.forward(new Form(6, null, few, 0, true), x, null),
            () -> kernel.forward(form, doubles, x),
            () -> kernel.backward(form, other, normed, null),
            () -> kernel.backward(form, x, normed, other),
            () -> kernel.backward(form, doubles, normed, null)
          }) {
        assertThrows(IllegalArgumentException.class, bad::run);
      }
    }
    var e =
        assertThrows(IllegalArgumentException.class, () -> new Form(0, null, null, EPSILON, true));
    assertTrue(e.getMessage().contains("at least one element"), e.getMessage());
  }

  @Test
  void theVectorKernelIsChosen() {
    assertInstanceOf(VectorRowNorm.class, Kernels.rowNorm(Tensor.zeros(DType.FLOAT32, 1)));
    assertInstanceOf(ScalarRowNorm.class, Kernels.rowNorm(Tensor.zeros(DType.FLOAT64, 1)));
  }

  @Test
  void otherTypesAreRefused() {
    Tensor x = Tensor.zeros(DType.BFLOAT16, 2, 2);
    var form = new Form(2, null, null, EPSILON, true);
    for (RowNorm kernel : new RowNorm[] {scalar, vector}) {
      assertThrows(IllegalArgumentException.class, () -> kernel.forward(form, x, null));
    }
  }

  static @Nullable Throwable thrownBy(Runnable run) {
    try {
      run.run();
      return null;
    } catch (RuntimeException e) {
      return e;
    }
  }

  @Test
  void whatAPartThrowsReachesTheCaller() {
    var failed = new IllegalStateException("part");
    for (int i = 0; i < 100; i++) {
      assertEquals(
          failed,
          thrownBy(() ->
              Cores.split(
                  1000,
                  1,
                  (_, to, _) -> {
                    if (to == 1000) {
                      throw failed;
                    }
                  })));
    }
  }

  @Test
  void everyRowIsTakenOnceAndInsideAPartNothingIsDivided() {
    for (int rows : new int[] {0, 1, 2, 3, 1001}) {
      int[] taken = new int[rows];
      Cores.split(
          rows,
          1,
          (from, to, _) -> {
            for (long row = from; row < to; row++) {
              taken[(int) row]++;
            }
            if (rows > 1) {
              assertEquals(1, Cores.parts(1_000_000, 1));
            }
          });
      for (int times : taken) {
        assertEquals(1, times);
      }
    }
    Cores.alone(() -> assertEquals(1, Cores.parts(1_000_000, 1)));
  }
}
