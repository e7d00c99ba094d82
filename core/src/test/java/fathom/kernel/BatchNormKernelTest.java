package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.kernel.BatchNormKernel.Rectified;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.function.LongToDoubleFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector kernel against the text-book loops, and both against formulas in float64.
class BatchNormKernelTest {
  private static final int[] ROWS = {0, 1, 2, 3, 7, 16, 33, 100, 1025};
  private static final double EPSILON = 1e-5;

  private final BatchNormLoops scalar = new ScalarBatchNorm();
  private final BatchNormLoops vector = new VectorBatchNorm();
  private final BatchNormLoops halves = VectorBatchNorm.ofBFloat16();
  private final Arena arena = Arena.ofConfined();

  @AfterEach
  void free() {
    arena.close();
  }

  private BatchNormLoops of(DType type) {
    return type == DType.BFLOAT16 ? halves : vector;
  }

  private static LongToDoubleFunction normal(String what) {
    return RandomKey.of(1, what)::normal;
  }

  /// Rows that do not start at a multiple of a vector.
  private Rows rows(long count, int channels, LongToDoubleFunction element) {
    return rows(DType.FLOAT32, count, channels, element);
  }

  private Rows rows(DType type, long count, int channels, LongToDoubleFunction element) {
    long n = count * channels;
    MemorySegment memory =
        arena.allocate(type.bytes() * (n + 1), 64).asSlice(type.bytes(), type.bytes() * n);
    for (long i = 0; i < n; i++) {
      double v = element.applyAsDouble(i);
      switch (type) {
        case FLOAT32 -> memory.setAtIndex(JAVA_FLOAT, i, (float) v);
        case FLOAT64 -> memory.setAtIndex(JAVA_DOUBLE, i, v);
        case BFLOAT16 -> memory.setAtIndex(JAVA_SHORT, i, BFloat16.nearest((float) v));
        case INT64 -> throw new IllegalArgumentException("not of " + type);
      }
    }
    return new Rows(memory, type, count, channels);
  }

  private Rows like(Rows x) {
    return rows(x.type(), x.count(), x.channels(), _ -> 77);
  }

  /// The same numbers in float64.
  private @Nullable Rows exact(@Nullable Rows x) {
    if (x == null) {
      return null;
    }
    double[] elements = elements(x);
    return rows(DType.FLOAT64, x.count(), x.channels(), i -> elements[(int) i]);
  }

  private static double[] elements(Rows rows) {
    double[] elements = new double[Math.toIntExact(rows.count() * rows.channels())];
    for (int i = 0; i < elements.length; i++) {
      elements[i] =
          switch (rows.type()) {
            case FLOAT32 -> rows.memory().getAtIndex(JAVA_FLOAT, i);
            case FLOAT64 -> rows.memory().getAtIndex(JAVA_DOUBLE, i);
            case BFLOAT16 -> BFloat16.value(rows.memory().getAtIndex(JAVA_SHORT, i));
            case INT64 -> throw new IllegalArgumentException("not of " + rows.type());
          };
    }
    return elements;
  }

  private static double[] perChannel(int channels, LongToDoubleFunction element) {
    double[] values = new double[channels];
    for (int c = 0; c < channels; c++) {
      values[c] = element.applyAsDouble(c);
    }
    return values;
  }

  private static void assertNear(
      String what, double[] expected, double[] actual, double tolerance) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - actual[i]) <= tolerance * Math.max(1, Math.abs(expected[i])))) {
        throw new AssertionError(
            "%s: element %s is %s, but should be %s".formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  // ---- Vector and scalar

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 7, 8, 9, 16, 17, 24, 31, 32, 48, 64, 100, 207})
  void theVectorKernelDoesWhatTheLoopsDo(int channels) {
    for (int count : ROWS) {
      String what = count + " rows of " + channels + ", ";
      Rows x = rows(count, channels, i -> 3 + 2 * normal("x").applyAsDouble(i));
      Rows dy = rows(count, channels, normal("dy"));
      Rows addend = rows(count, channels, normal("addend"));
      double[] mean = perChannel(channels, c -> 3 + 0.1 * normal("mean").applyAsDouble(c));
      double[] scale = perChannel(channels, normal("scale"));
      double[] shift = perChannel(channels, normal("shift"));
      moments(what, x);
      for (Rows added : new @Nullable Rows[] {null, addend}) {
        for (boolean rectify : new boolean[] {false, true}) {
          if (count > 100 && rectify == (added == null)) {
            continue; // the small ones have tried it
          }
          String how =
              what + (added == null ? "" : "with addend, ") + (rectify ? "rectified, " : "");
          Rows y = like(x);
          scalar.normalize(x, mean, scale, shift, added, rectify, y);
          Rows actual = like(x);
          vector.normalize(x, mean, scale, shift, added, rectify, actual);
          assertNear(how + "normalize", elements(y), elements(actual), 2e-6);
          if (added == null) {
            back(how, dy, x, mean, rectify ? new Rectified(scale, shift) : null);
          } else if (rectify) {
            backPastAddend(how, dy, y, x, mean);
          }
        }
      }
    }
  }

  private void moments(String what, Rows x) {
    double[] expected = perChannel(2 * x.channels(), c -> c); // they are added to what is there
    double[] actual = expected.clone();
    scalar.moments(x, expected);
    vector.moments(x, actual);
    assertNear(what + "moments", expected, actual, 1e-6);
  }

  private void back(String what, Rows dy, Rows x, double[] mean, @Nullable Rectified rectified) {
    int channels = x.channels();
    double[] expected = perChannel(2 * channels, c -> c);
    double[] actual = expected.clone();
    scalar.momentsBack(dy, x, mean, rectified, expected);
    vector.momentsBack(dy, x, mean, rectified, actual);
    double tolerance = 1e-5 * Math.sqrt(x.count() + 1.0); // of sums that may be near zero
    assertNear(what + "momentsBack", expected, actual, tolerance);
    double[] a = perChannel(channels, normal("a"));
    double[] b = perChannel(channels, normal("b"));
    double[] c = perChannel(channels, normal("c"));
    Rows dx = like(x);
    Rows actualDx = like(x);
    scalar.normalizeBack(dy, x, mean, rectified, a, b, c, dx);
    vector.normalizeBack(dy, x, mean, rectified, a, b, c, actualDx);
    assertNear(what + "normalizeBack", elements(dx), elements(actualDx), 5e-6);
  }

  private void backPastAddend(String what, Rows dy, Rows y, Rows x, double[] mean) {
    double[] expected = perChannel(2 * x.channels(), c -> c);
    double[] actual = expected.clone();
    Rows g = like(x);
    Rows actualG = like(x);
    scalar.momentsBack(dy, y, x, mean, g, expected);
    vector.momentsBack(dy, y, x, mean, actualG, actual);
    assertNear(what + "momentsBack", expected, actual, 1e-5 * Math.sqrt(x.count() + 1.0));
    assertArrayEquals(elements(g), elements(actualG), what + "g");
  }

  /// The rectified value is not kept for the backward pass, which decides anew what came through:
  /// it must decide as the way forward did, also where a value is zero but for rounding.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 31})
  void theWayBackLetsThroughWhatTheWayForwardDid(int channels) {
    for (DType type : new DType[] {DType.FLOAT32, DType.BFLOAT16}) {
      Rows x = rows(type, 777, channels, i -> RandomKey.of(1, "few").below(i, 5) * 0.1 + 7);
      Rows one = rows(type, 777, channels, _ -> 1);
      double[] mean = perChannel(channels, c -> 7.2 + 1e-9 * normal("mean").applyAsDouble(c));
      double[] scale = perChannel(channels, c -> 1e6 * normal("scale").applyAsDouble(c));
      double[] shift = perChannel(channels, c -> -scale[(int) c] * ((float) 7.3 - mean[(int) c]));
      double[] all = perChannel(channels, _ -> 1);
      double[] none = new double[channels];
      for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, of(type)}) {
        Rows y = like(x);
        kernel.normalize(x, mean, scale, shift, null, true, y);
        Rows dx = like(x);
        kernel.normalizeBack(one, x, mean, new Rectified(scale, shift), all, none, none, dx);
        double[] value = elements(y);
        double[] through = elements(dx);
        for (int i = 0; i < value.length; i++) {
          assertEquals(value[i] > 0 ? 1 : 0, through[i], "element " + i + ", " + value[i]);
        }
      }
    }
  }

  // ---- bfloat16

  /// A value with 8 bits is at most 2^-8 of itself away from what it was before it was rounded.
  private static void assertRounded(String what, double[] expected, double[] actual) {
    for (int i = 0; i < expected.length; i++) {
      double size = Math.abs(expected[i]);
      double float32 = 5e-6 * Math.max(1, size); // as of the kernel for float32
      if (!(Math.abs(expected[i] - actual[i]) <= 0x1p-8 * size + float32)) {
        throw new AssertionError(
            "%s: element %s is %s, but should be %s rounded to 8 bits"
                .formatted(what, i, actual[i], expected[i]));
      }
    }
  }

  /// Nothing is rounded to 8 bits but what is stored: not the sums, and nothing on the way.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 7, 8, 9, 16, 31, 64, 100})
  void bfloat16IsFloat64Rounded(int channels) {
    double[] mean = perChannel(channels, c -> 3 + 0.1 * normal("mean").applyAsDouble(c));
    double[] scale = perChannel(channels, normal("scale"));
    double[] shift = perChannel(channels, normal("shift"));
    for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, halves}) {
      for (int count : ROWS) {
        String what = "%s, %s rows, ".formatted(kernel.getClass().getSimpleName(), count);
        Rows x = ofHalves(count, channels, i -> 3 + 2 * normal("x").applyAsDouble(i));
        Rows dy = ofHalves(count, channels, normal("dy"));
        Rows addend = ofHalves(count, channels, normal("addend"));
        double[] expected = perChannel(2 * channels, c -> c);
        double[] actual = expected.clone();
        scalar.moments(inDoubles(x), expected);
        kernel.moments(x, actual);
        assertNear(what + "moments", expected, actual, 1e-6);
        for (Rows added : new @Nullable Rows[] {null, addend}) {
          for (boolean rectify : new boolean[] {false, true}) {
            Rows y = like(x);
            kernel.normalize(x, mean, scale, shift, added, rectify, y);
            Rows exactY = like(inDoubles(x));
            scalar.normalize(inDoubles(x), mean, scale, shift, exact(added), rectify, exactY);
            assertRounded(what + "normalize", elements(exactY), elements(y));
            if (added == null) {
              var rectified = rectify ? new Rectified(scale, shift) : null;
              backRounded(what, kernel, dy, x, mean, rectified);
            } else if (rectify) {
              backPastAddendRounded(what, kernel, dy, y, x, mean);
            }
          }
        }
      }
    }
  }

  private Rows ofHalves(long count, int channels, LongToDoubleFunction element) {
    return rows(DType.BFLOAT16, count, channels, element);
  }

  private Rows inDoubles(Rows x) {
    return Objects.requireNonNull(exact(x));
  }

  private void backRounded(
      String what,
      BatchNormLoops kernel,
      Rows dy,
      Rows x,
      double[] mean,
      @Nullable Rectified rectified) {
    int channels = x.channels();
    double[] expected = perChannel(2 * channels, c -> c);
    double[] actual = expected.clone();
    scalar.momentsBack(inDoubles(dy), inDoubles(x), mean, rectified, expected);
    kernel.momentsBack(dy, x, mean, rectified, actual);
    assertNear(what + "momentsBack", expected, actual, 1e-5 * Math.sqrt(x.count() + 1.0));
    double[] a = perChannel(channels, normal("a"));
    double[] b = perChannel(channels, normal("b"));
    double[] c = perChannel(channels, normal("c"));
    Rows dx = like(x);
    Rows exactDx = like(inDoubles(x));
    scalar.normalizeBack(inDoubles(dy), inDoubles(x), mean, rectified, a, b, c, exactDx);
    kernel.normalizeBack(dy, x, mean, rectified, a, b, c, dx);
    assertRounded(what + "normalizeBack", elements(exactDx), elements(dx));
  }

  private void backPastAddendRounded(
      String what, BatchNormLoops kernel, Rows dy, Rows y, Rows x, double[] mean) {
    double[] expected = perChannel(2 * x.channels(), c -> c);
    double[] actual = expected.clone();
    Rows g = like(x);
    Rows exactG = like(inDoubles(x));
    scalar.momentsBack(inDoubles(dy), inDoubles(y), inDoubles(x), mean, exactG, expected);
    kernel.momentsBack(dy, y, x, mean, g, actual);
    assertNear(what + "momentsBack", expected, actual, 1e-5 * Math.sqrt(x.count() + 1.0));
    assertArrayEquals(elements(exactG), elements(g), what + "g");
  }

  // ---- Against float64

  @Test
  void theLoopsAreTheFormulas() {
    var x = doubles(1, 10, 3, 20);
    double[] sums = new double[4];
    scalar.moments(x, sums);
    assertArrayEquals(new double[] {4, 30, 10, 500}, sums);
    double[] mean = {2, 15};
    Rows y = doubles(0, 0, 0, 0);
    double[] scale = {2, 0.2};
    double[] shift = {1, -1};
    scalar.normalize(x, mean, scale, shift, null, false, y);
    assertArrayEquals(new double[] {-1, -2, 3, 0}, doubles(y));
    scalar.normalize(x, mean, scale, shift, doubles(2, 1, -4, 5), true, y);
    assertArrayEquals(new double[] {1, 0, 0, 5}, doubles(y)); // of 1, -1, -1, 5
    Rows dy = doubles(1, 2, 3, 4);
    double[] back = new double[4];
    scalar.momentsBack(dy, x, mean, null, back);
    assertArrayEquals(new double[] {4, 6, 2, 10}, back);
    back = new double[4];
    Rows g = doubles(0, 0, 0, 0);
    scalar.momentsBack(dy, y, x, mean, g, back); // 1 and 4 came through
    assertArrayEquals(new double[] {1, 4, -1, 20}, back);
    assertArrayEquals(new double[] {1, 0, 0, 4}, doubles(g));
    Rows dx = doubles(0, 0, 0, 0);
    double[] a = {1, 2};
    double[] b = {10, 0.2};
    double[] c = {100, 1000};
    scalar.normalizeBack(g, x, mean, null, a, b, c, dx);
    assertArrayEquals(new double[] {91, 999, 110, 1009}, doubles(dx));
    var rectified =
        new Rectified(scale, shift); // without the addend 3 came through, of -1, -2, 3, 0
    back = new double[4];
    scalar.momentsBack(dy, x, mean, rectified, back);
    assertArrayEquals(new double[] {3, 0, 3, 0}, back);
    scalar.normalizeBack(dy, x, mean, rectified, a, b, c, dx);
    assertArrayEquals(new double[] {90, 999, 113, 1001}, doubles(dx));
  }

  /// Two rows of two channels.
  private Rows doubles(double... elements) {
    return new Rows(arena.allocateFrom(JAVA_DOUBLE, elements), DType.FLOAT64, 2, 2);
  }

  private static double[] doubles(Rows rows) {
    return rows.memory().toArray(JAVA_DOUBLE);
  }

  /// What a kernel makes of one batch, by the way that `BatchNorm` goes: gain 1 and bias 0.
  private record Normed(double[] y, double[] dx, double[] variance) {}

  private Normed norm(BatchNormLoops kernel, Rows x, Rows dy) {
    int channels = x.channels();
    double n = x.count();
    double[] sums = new double[2 * channels];
    kernel.moments(x, sums);
    double[] mean = perChannel(channels, c -> sums[(int) c] / n);
    double[] variance =
        perChannel(
            channels,
            c -> Math.max(0, sums[channels + (int) c] / n - mean[(int) c] * mean[(int) c]));
    double[] r = perChannel(channels, c -> 1 / Math.sqrt(variance[(int) c] + EPSILON));
    Rows y = like(x);
    kernel.normalize(x, mean, r, new double[channels], null, false, y);
    double[] back = new double[2 * channels];
    kernel.momentsBack(dy, x, mean, null, back);
    Rows dx = like(x);
    kernel.normalizeBack(
        dy,
        x,
        mean,
        null,
        r,
        perChannel(channels, c -> -Math.pow(r[(int) c], 3) * back[channels + (int) c] / n),
        perChannel(channels, c -> -r[(int) c] * back[(int) c] / n),
        dx);
    return new Normed(elements(y), elements(dx), variance);
  }

  /// The same by formulas that cancel nothing: the variance is a mean of squared differences.
  private static Normed formulas(Rows rows, Rows cotangent) {
    double[] x = elements(rows);
    double[] dy = elements(cotangent);
    int channels = rows.channels();
    int n = (int) rows.count();
    var result = new Normed(new double[x.length], new double[x.length], new double[channels]);
    for (int c = 0; c < channels; c++) {
      double mean = 0;
      double meanDy = 0;
      for (int i = c; i < x.length; i += channels) {
        mean += x[i] / n;
        meanDy += dy[i] / n;
      }
      double variance = 0;
      for (int i = c; i < x.length; i += channels) {
        variance += (x[i] - mean) * (x[i] - mean) / n;
      }
      double r = 1 / Math.sqrt(variance + EPSILON);
      double meanDyY = 0;
      for (int i = c; i < x.length; i += channels) {
        result.y[i] = (x[i] - mean) * r;
        meanDyY += dy[i] * result.y[i] / n;
      }
      for (int i = c; i < x.length; i += channels) {
        result.dx[i] = r * (dy[i] - meanDy - result.y[i] * meanDyY);
      }
      result.variance[c] = variance;
    }
    return result;
  }

  private void assertNormed(Rows x, double tolerance) {
    Rows dy = rows(x.count(), x.channels(), normal("dy"));
    Normed expected = formulas(x, dy);
    for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, vector}) {
      String what = kernel.getClass().getSimpleName();
      Normed actual = norm(kernel, x, dy);
      assertNear(what + ", y", expected.y, actual.y, tolerance);
      for (int i = 0; i < expected.dx.length; i++) { // dx may be nothing beside what it is made of
        double size = 1 / Math.sqrt(expected.variance[i % x.channels()] + EPSILON);
        assertEquals(expected.dx[i], actual.dx[i], tolerance * size, what + ", dx " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 31})
  void aMeanOfTenThousandStandardDeviationsIsNoTrouble(int channels) {
    for (int count : new int[] {2, 33, 5000}) {
      assertNormed(
          rows(
              count,
              channels,
              i -> (i % channels % 2 == 0 ? 1e4 : -3e4) + normal("x").applyAsDouble(i)),
          1e-3);
    }
  }

  @Test
  void aFirstRowFarFromTheOthersIsNoTrouble() {
    for (double far : new double[] {10, 100, 1000}) {
      assertNormed(rows(5000, 16, i -> i < 16 ? far : normal("x").applyAsDouble(i)), 1e-3);
    }
  }

  @Test
  void numbersAsLargeAsFloatsCanSquareAreNoTrouble() {
    for (double size : new double[] {1e-4, 1e6, 1e15}) {
      assertNormed(rows(1000, 24, i -> size * normal("x").applyAsDouble(i)), 1e-4);
    }
  }

  /// Their squares are no floats: a sum of them must not become infinite, for then they would all
  /// be normalised to zero and nobody would see it.
  @Test
  void numbersThatFloatsCannotSquareAreNormalisedToo() {
    for (double size : new double[] {1e18, 1e25, 1e36}) {
      Rows x = rows(1000, 24, i -> size * normal("x").applyAsDouble(i));
      Rows dy = rows(1000, 24, normal("dy"));
      assertNear("y", formulas(x, dy).y, norm(vector, x, dy).y, 1e-4);
    }
  }

  @Test
  void aConstantChannelIsNormalisedToItsBias() {
    for (double constant : new double[] {0, 0.1, -7, 1e4, 1e15}) {
      Rows x = rows(777, 5, i -> i % 5 == 2 ? constant : normal("x").applyAsDouble(i));
      for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, vector}) {
        Normed normed = norm(kernel, x, rows(777, 5, normal("dy")));
        for (int i = 2; i < normed.y.length; i += 5) {
          assertEquals(0, normed.y[i], 1e-3 * Math.max(1, constant / 1e4), "constant " + constant);
          assertTrue(Double.isFinite(normed.dx[i]));
        }
      }
    }
  }

  // ---- What is not a number

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void whatIsNotANumberIsPassedOn(DType type) {
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      for (int count : new int[] {1, 3, 100}) {
        for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, of(type)}) {
          int channels = 7;
          long at = count * 7L - 4;
          Rows x = rows(type, count, channels, i -> i == at ? bad : normal("x").applyAsDouble(i));
          double[] sums = new double[2 * channels];
          kernel.moments(x, sums);
          for (int c = 0; c < channels; c++) {
            assertEquals(c != 3, Double.isFinite(sums[c]), "the sum of channel " + c);
            assertEquals(c != 3, Double.isFinite(sums[channels + c]), "the squares of " + c);
          }
          double[] zero = new double[channels];
          double[] one = perChannel(channels, _ -> 1);
          for (boolean rectify : new boolean[] {false, true}) {
            Rows y = like(x);
            kernel.normalize(x, zero, one, zero, null, rectify, y);
            assertBad(bad, at, elements(y));
            kernel.normalize(rows(type, count, channels, _ -> 0), zero, one, zero, x, rectify, y);
            assertBad(bad, at, elements(y));
          }
          Rows dx = like(x);
          kernel.normalizeBack(x, dx, zero, null, one, zero, zero, dx);
          assertBad(bad, at, elements(dx));
        }
      }
    }
  }

  private static void assertBad(double expected, long at, double[] actual) {
    for (int i = 0; i < actual.length; i++) {
      if (i == at) {
        assertEquals(expected, actual[i], "element " + i);
      } else {
        assertTrue(Double.isFinite(actual[i]), "element " + i + " is " + actual[i]);
      }
    }
  }

  // ---- What is refused and what is chosen

  @Test
  void operandsOfAnotherSizeAreRefused() {
    Rows x = rows(16, 4, normal("x"));
    double[] p = new double[4];
    for (Rows other :
        new Rows[] {rows(15, 4, normal("x")), rows(17, 4, normal("x")), rows(8, 8, normal("x"))}) {
      for (BatchNormLoops kernel : new BatchNormLoops[] {scalar, vector}) {
        refuse(x, other, () -> kernel.normalize(x, p, p, p, null, false, other));
        refuse(x, other, () -> kernel.normalize(x, p, p, p, other, false, like(x)));
        refuse(x, other, () -> kernel.momentsBack(other, x, p, null, new double[8]));
        refuse(x, other, () -> kernel.momentsBack(other, x, x, p, like(x), new double[8]));
        refuse(x, other, () -> kernel.momentsBack(x, other, x, p, like(x), new double[8]));
        refuse(x, other, () -> kernel.momentsBack(x, x, x, p, other, new double[8]));
        refuse(x, other, () -> kernel.normalizeBack(other, x, p, null, p, p, p, like(x)));
        refuse(x, other, () -> kernel.normalizeBack(x, x, p, null, p, p, p, other));
      }
    }
    MemorySegment memory = arena.allocate(64);
    var e =
        assertThrows(IllegalArgumentException.class, () -> new Rows(memory, DType.FLOAT32, 5, 3));
    assertEquals("5 rows of 3 FLOAT32 need 60 bytes, but the memory has 64", e.getMessage());
  }

  private static void refuse(Rows x, Rows other, Runnable call) {
    var e = assertThrows(IllegalArgumentException.class, call::run);
    for (Rows rows : new Rows[] {x, other}) {
      assertTrue(e.getMessage().contains(rows.count() + "×" + rows.channels()), e.getMessage());
    }
  }

  @Test
  void theVectorKernelIsChosen() {
    assertInstanceOf(VectorBatchNorm.class, loops(DType.FLOAT32));
    assertInstanceOf(ScalarBatchNorm.class, loops(DType.FLOAT64));
    assertTrue(loops(DType.BFLOAT16).getClass().isHidden(), "a copy of " + VectorBatchNorm.class);
  }

  private static BatchNormLoops loops(DType type) {
    try (var _ = Scope.open()) {
      var kernel = Kernels.batchNorm(Tensor.zeros(type, 1));
      return assertInstanceOf(BatchNormInMemory.class, kernel).loops();
    }
  }

  @Test
  void wholeNumbersAreRefused() {
    var x = new Rows(arena.allocate(32), DType.INT64, 2, 2);
    assertThrows(IllegalArgumentException.class, () -> scalar.moments(x, new double[4]));
  }
}
