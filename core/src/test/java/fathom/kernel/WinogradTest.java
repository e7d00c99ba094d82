package fathom.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import fathom.RandomKey;
import fathom.parallel.Cores;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Convolutions by tiles against the sums of the definition in float64.
class WinogradTest {
  private static final int L = PackedMatrix.lanes();

  /// Of the root mean square of all errors to that of what should be there. It does not depend on
  /// how many elements there are, as the largest error does, of which wide vectors have more: by
  /// 2304 weights it is 4.5 times the root mean square, by 55296 it is 8 times.
  private static final double USUAL = 2.5e-6;

  /// Of the largest error to the root mean square of what should be there.
  private static final double LARGEST = 8 * USUAL;

  private final Arena arena = Arena.ofShared();

  @AfterEach
  void free() {
    arena.close();
  }

  /// A convolution with all that goes in and comes out, in memory that does not start at a multiple
  /// of a vector.
  private record Case(FeatureMaps x, MemorySegment w, FeatureMaps dy) {
    int in() {
      return x.channels();
    }

    int out() {
      return dy.channels();
    }
  }

  private Case normal(int count, int height, int width, int in, int out) {
    return new Case(
        maps(count, height, width, in, "x"),
        memory(9 * in * out, "w"),
        maps(count, height, width, out, "dy"));
  }

  private FeatureMaps maps(int count, int height, int width, int channels, String what) {
    MemorySegment memory = memory(count * height * width * channels, what);
    return new FeatureMaps(memory, count, height, width, channels);
  }

  private MemorySegment memory(int elements, String what) {
    MemorySegment memory = arena.allocate(4L * (elements + 1), 64).asSlice(4);
    RandomKey key = RandomKey.of(1, what);
    for (int i = 0; i < elements; i++) {
      memory.setAtIndex(JAVA_FLOAT, i, (float) key.normal(i));
    }
    return memory;
  }

  private FeatureMaps like(FeatureMaps maps, int channels) {
    return maps((int) maps.count(), maps.height(), maps.width(), channels, "overwritten");
  }

  private FeatureMaps value(Case c) {
    FeatureMaps y = like(c.x, c.out());
    Winograd.convolve(c.x, c.w, y);
    return y;
  }

  private FeatureMaps back(Case c) {
    FeatureMaps dx = like(c.x, c.in());
    Winograd.convolveBack(c.dy, c.w, dx);
    return dx;
  }

  private MemorySegment gradient(Case c) {
    MemorySegment dw = memory(9 * c.in() * c.out(), "overwritten");
    Winograd.weightGradient(c.x, c.dy, dw);
    return dw;
  }

  private static float[] floats(MemorySegment memory) {
    return memory.toArray(JAVA_FLOAT);
  }

  static List<Arguments> sizes() {
    var sizes = new ArrayList<Arguments>();
    int[][] images = {
      {1, 1, 1}, {3, 2, 3}, {2, 4, 4}, {2, 5, 9}, {5, 7, 7}, {60, 8, 8}, {4, 13, 6}, {1, 33, 17}
    };
    int[][] channels = {{1, 1}, {1, 2}, {2, 1}, {3, 3}, {2, 5}, {6, 4}};
    for (int[] p : images) {
      for (int[] c : channels) {
        sizes.add(Arguments.of(p[0], p[1], p[2], c[0] * L, c[1] * L));
      }
    }
    return sizes;
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void valueAndDerivativesAreTheSumsOfTheDefinition(
      int count, int height, int width, int in, int out) {
    Case c = normal(count, height, width, in, out);
    var exact = new Exact(c);
    assertNear("y", exact.y, floats(value(c).memory()));
    assertNear("dE/dx", exact.dx, floats(back(c).memory()));
    assertNear("dE/dw", exact.dw, floats(gradient(c)));
  }

  /// The definition, and its derivatives by every product that is in it.
  private static final class Exact {
    final double[] y;
    final double[] dx;
    final double[] dw;

    Exact(Case c) {
      float[] x = floats(c.x.memory());
      float[] w = floats(c.w);
      float[] dy = floats(c.dy.memory());
      y = new double[dy.length];
      dx = new double[x.length];
      dw = new double[w.length];
      int height = c.x.height();
      int width = c.x.width();
      for (int pixel = 0; pixel < dy.length / c.out(); pixel++) {
        int row = pixel / width % height;
        int column = pixel % width;
        for (int tap = 0; tap < 9; tap++) {
          int down = tap / 3 - 1;
          int right = tap % 3 - 1;
          if (row + down < 0
              || row + down >= height
              || column + right < 0
              || column + right >= width) {
            continue;
          }
          for (int o = 0; o < c.out(); o++) {
            int yAt = pixel * c.out() + o;
            int xAt = (pixel + down * width + right) * c.in();
            int wAt = (o * 9 + tap) * c.in();
            for (int i = 0; i < c.in(); i++) {
              y[yAt] += (double) w[wAt + i] * x[xAt + i];
              dx[xAt + i] += (double) w[wAt + i] * dy[yAt];
              dw[wAt + i] += (double) x[xAt + i] * dy[yAt];
            }
          }
        }
      }
    }
  }

  private static void assertNear(String what, double[] expected, float[] actual) {
    assertEquals(expected.length, actual.length, what);
    double squares = 0;
    for (double e : expected) {
      squares += e * e;
    }
    double scale = Math.sqrt(squares / expected.length);
    double errors = 0;
    for (int i = 0; i < expected.length; i++) {
      errors += (expected[i] - actual[i]) * (expected[i] - actual[i]);
      if (!(Math.abs(expected[i] - actual[i]) <= LARGEST * scale)) {
        fail(
            "%s: element %s is %s, but should be %s, where they are about %s"
                .formatted(what, i, actual[i], expected[i], scale));
      }
    }
    double usual = Math.sqrt(errors / expected.length) / scale;
    assertTrue(
        usual <= USUAL,
        "%s: the root mean square of its errors is %s of what should be there"
            .formatted(what, usual));
  }

  @ParameterizedTest
  @CsvSource({"true, true", "true, false", "false, true", "false, false"})
  void filtersThatAreKeptAddTheirBiasAndRectify(boolean add, boolean rectify) {
    Case c = normal(5, 9, 7, 2 * L, 3 * L);
    float[] bias = floats(memory(3 * L, "bias"));
    FeatureMaps y = like(c.x, c.out());
    float[] before = floats(y.memory());
    double[] expected = new Exact(c).y;
    for (int i = 0; i < expected.length; i++) {
      expected[i] += bias[i % bias.length] + (add ? before[i] : 0);
      expected[i] = rectify ? Math.max(0, expected[i]) : expected[i];
    }
    MemorySegment kept = memory(36 * 6 * L * L, "overwritten");
    var filters = Winograd.Filters.of(c.w, c.in(), bias, kept);
    value(normal(1, 4, 4, L, L)); // they are not in the memory that all layers use
    filters.convolve(c.x, add, rectify, y);
    assertNear("y", expected, floats(y.memory()));
    var other =
        assertThrows(IllegalArgumentException.class, () -> filters.convolve(c.dy, add, rectify, y));
    assertTrue(other.getMessage().contains("of %s, but".formatted(2 * L)), other::getMessage);
  }

  /// However many cores share the tiles of an image, or its channels where these are more.
  @ParameterizedTest
  @CsvSource({"37, 30", "8, 8"})
  void theCoresThatShareTilesChangeNoBit(int height, int width) {
    Case c = normal(1, height, width, 4 * L, 8 * L);
    float[] bias = floats(memory(8 * L, "bias"));
    var filters = Winograd.Filters.of(c.w, c.in(), bias, memory(36 * 32 * L * L, "kept"));
    FeatureMaps alone = like(c.x, c.out());
    Cores.alone(() -> filters.convolve(c.x, true, true, alone));
    for (int i = 0; i < 20; i++) {
      FeatureMaps shared = like(c.x, c.out());
      filters.convolve(c.x, true, true, shared);
      assertArrayEquals(floats(alone.memory()), floats(shared.memory()));
    }
  }

  @Test
  void noImageChangesWithTheOthersOfItsBatch() {
    Case all = normal(25, 8, 7, 2 * L, 3 * L);
    float[] y = floats(value(all).memory());
    float[] dx = floats(back(all).memory());
    for (int image : new int[] {0, 11, 24}) {
      Case one = new Case(only(all.x, image), all.w, only(all.dy, image));
      assertPart(y, image, floats(value(one).memory()));
      assertPart(dx, image, floats(back(one).memory()));
    }
  }

  private static FeatureMaps only(FeatureMaps maps, int image) {
    long bytes = maps.memory().byteSize() / maps.count();
    MemorySegment memory = maps.memory().asSlice(image * bytes, bytes);
    return new FeatureMaps(memory, 1, maps.height(), maps.width(), maps.channels());
  }

  private static void assertPart(float[] all, int which, float[] part) {
    for (int i = 0; i < part.length; i++) {
      assertEquals(all[which * part.length + i], part[i], "image " + which + ", element " + i);
    }
  }

  @Test
  void noImagesHaveNoGradient() {
    Case none = normal(0, 8, 8, L, 2 * L);
    assertEquals(0, value(none).memory().byteSize());
    assertArrayEquals(new float[18 * L * L], floats(gradient(none)));
  }

  @Test
  void aSmallerLayerAfterALargerOneFindsNoTraceOfIt() {
    Case small = normal(3, 5, 6, L, L);
    float[] y = floats(value(small).memory());
    float[] dx = floats(back(small).memory());
    float[] dw = floats(gradient(small));
    Case large = normal(9, 16, 16, 4 * L, 4 * L);
    large.x.memory().setAtIndex(JAVA_FLOAT, 0, Float.NaN);
    value(large);
    back(large);
    gradient(large);
    assertArrayEquals(y, floats(value(small).memory()));
    assertArrayEquals(dx, floats(back(small).memory()));
    assertArrayEquals(dw, floats(gradient(small)));
  }

  @Test
  void whatIsNotANumberIsSeen() {
    Case c = normal(1, 12, 12, L, L);
    float[] clean = floats(value(c).memory());
    c.x.memory().setAtIndex(JAVA_FLOAT, L * (5L * 12 + 5), Float.NaN);
    float[] y = floats(value(c).memory());
    for (int pixel = 0; pixel < 144; pixel++) {
      int row = pixel / 12;
      int column = pixel % 12;
      if (Math.abs(row - 5) <= 1 && Math.abs(column - 5) <= 1) {
        assertTrue(Float.isNaN(y[pixel * L]), "row " + row + ", column " + column);
      } else if (row >= 8 || column >= 8) { // in no tile that sees it
        assertEquals(clean[pixel * L], y[pixel * L], "row " + row + ", column " + column);
      }
    }
  }

  @Test
  void compiledCodeMakesNoGarbageAndTheSameValues() throws IOException, InterruptedException {
    List<String> width =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(flag -> flag.startsWith("-XX:MaxVectorSize"))
            .toList();
    var ended = OtherJvm.run(List.of(), width, Alone.class.getName());
    assertEquals(0, ended.exitCode(), ended.output());
  }

  /// What the compiler did not take into one piece makes an object of every vector, megabytes a
  /// call, and takes three times as long. And it must not change the result. Run in a JVM of its
  /// own, because what ran before decides what the compiler takes into one piece.
  static final class Alone {
    private final WinogradTest tiles = new WinogradTest();

    @AfterEach
    void free() {
      tiles.free();
    }

    @ParameterizedTest
    @CsvSource({"2, 2", "1, 1"})
    void compiledCodeMakesNoGarbageAndTheSameValues(int in, int out) throws InterruptedException {
      Case c = tiles.normal(24, 8, 8, in * L, out * L);
      FeatureMaps y = tiles.like(c.x, c.out());
      FeatureMaps dx = tiles.like(c.x, c.in());
      MemorySegment dw = tiles.memory(9 * c.in() * c.out(), "overwritten");
      float[] interpreted = floats(tiles.value(c).memory());
      float[] interpretedBack = floats(tiles.back(c).memory());
      float[] interpretedGradient = floats(tiles.gradient(c));
      var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      long patience = System.nanoTime() + 60_000_000_000L;
      for (int round = 0; least > 10_000 && System.nanoTime() < patience; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        Winograd.convolve(c.x, c.w, y);
        Winograd.convolveBack(c.dy, c.w, dx);
        Winograd.weightGradient(c.x, c.dy, dw);
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        if (round % 100 == 99) {
          Thread.sleep(20); // the compiler has threads of its own
        }
      }
      assertTrue(least <= 10_000, "bytes of garbage in three operations: " + least);
      assertArrayEquals(interpreted, floats(y.memory()));
      assertArrayEquals(interpretedBack, floats(dx.memory()));
      assertArrayEquals(interpretedGradient, floats(dw));
    }
  }

  @Test
  void itIsForManyTilesThatAreNearlyFull() {
    assertTrue(Winograd.pays(64, 32, 32, 2 * L, 2 * L));
    assertTrue(Winograd.pays(8, 7, 7, 8 * L, 8 * L), "32 tiles of 7×7 of 8×8 pixels");
    assertFalse(Winograd.pays(7, 7, 7, 8 * L, 8 * L), "28 tiles");
    assertFalse(Winograd.pays(64, 5, 5, 2 * L, 2 * L), "25 of 64 pixels");
    assertFalse(Winograd.pays(64, 1, 64, 2 * L, 2 * L), "a row of four");
    assertFalse(Winograd.pays(64, 32, 32, 3, 2 * L), "channels that do not fill vectors");
    assertFalse(Winograd.pays(64, 32, 32, 2 * L, 2 * L + 1));
    assertTrue(Winograd.pays(64, 7, 7, 512, 512));
    assertFalse(Winograd.pays(64, 7, 7, 1024, 1024), "151 MB of filters for each thread");
    assertFalse(Winograd.pays(1, 40, 100_000, 64, 64), "225 MB of a row of tiles");
  }

  @Test
  void whatDoesNotFitIsRefusedWithItsSizes() {
    Case c = normal(2, 8, 8, L, 2 * L);
    FeatureMaps y = like(c.x, c.out());
    var short_ =
        assertThrows(
            IllegalArgumentException.class, () -> Winograd.convolve(c.x, c.w.asSlice(4), y));
    assertTrue(
        short_.getMessage().contains("have %s bytes".formatted(72 * L * L)), short_::getMessage);
    FeatureMaps fewer = only(y, 0);
    var other =
        assertThrows(IllegalArgumentException.class, () -> Winograd.convolve(c.x, c.w, fewer));
    assertTrue(other.getMessage().contains("2 of 8×8 and 1 of 8×8"), other::getMessage);
    FeatureMaps odd = maps(2, 8, 8, L + 1, "odd");
    MemorySegment w = memory(9 * (L + 1) * 2 * L, "w");
    var channels = assertThrows(IllegalArgumentException.class, () -> Winograd.convolve(odd, w, y));
    assertTrue(channels.getMessage().contains("multiples of " + L), channels::getMessage);
    var gap = assertThrows(IllegalArgumentException.class, () -> new FeatureMaps(c.w, 1, 2, 3, 4));
    assertTrue(gap.getMessage().contains("need 96 bytes"), gap::getMessage);
    var room =
        assertThrows(
            IllegalArgumentException.class,
            () -> Winograd.Filters.of(c.w, L, new float[2 * L], c.w));
    assertTrue(
        room.getMessage().contains("need %s bytes".formatted(288 * L * L)), room::getMessage);
  }
}
