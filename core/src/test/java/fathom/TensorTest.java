package fathom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.parallel.Collective;
import fathom.parallel.Step;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TensorTest {
  private static final List<DType> TYPES = List.of(DType.values());

  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /// 0, 1, 2, ...
  private static Tensor count(long... shape) {
    int n = Math.toIntExact(Shape.of(shape).elements());
    return Tensor.of(IntStream.range(0, n).asDoubleStream().toArray(), shape);
  }

  private static void assertElements(Tensor actual, double... expected) {
    assertArrayEquals(expected, actual.toDoubles(), 1e-14);
  }

  // ---- What operations give

  @Test
  void arithmeticIsElementByElement() {
    Tensor a = Tensor.of(new double[] {1, 4, 9}, 3);
    Tensor b = Tensor.of(new double[] {2, 2, 3}, 3);
    assertElements(a.plus(b), 3, 6, 12);
    assertElements(a.plus(1.5), 2.5, 5.5, 10.5);
    assertElements(a.minus(b), -1, 2, 6);
    assertElements(a.times(b), 2, 8, 27);
    assertElements(a.times(-2), -2, -8, -18);
    assertElements(a.dividedBy(b), 0.5, 2, 3);
    assertElements(a.sqrt(), 1, 2, 3);
    assertElements(a.square(), 1, 16, 81);
    assertElements(a.log().exp(), 1, 4, 9);
    assertElements(a.minus(b).relu(), 0, 2, 6);
    assertElements(a.tanh(), Math.tanh(1), Math.tanh(4), Math.tanh(9));
    assertElements(
        b.sigmoid(), 1 / (1 + Math.exp(-2)), 1 / (1 + Math.exp(-2)), 1 / (1 + Math.exp(-3)));
    assertElements(a, 1, 4, 9);
  }

  @Test
  void sizesOfOneAreRepeated() {
    assertElements(count(2, 1).plus(count(1, 3)), 0, 1, 2, 1, 2, 3);
    assertElements(count(2, 2).times(Tensor.scalar(DType.FLOAT64, 3)), 0, 3, 6, 9);
    assertElements(count(2, 2).plus(count(2)), 0, 2, 2, 4);
  }

  @Test
  void aMatrixProductIsRowsTimesColumns() {
    assertElements(count(2, 3).matmul(count(3, 2)), 10, 13, 28, 40);
    assertElements(count(2, 3).matmul(count(2, 3).transpose()), 5, 14, 14, 50);
    assertEquals(Shape.of(2, 4), count(2, 0).matmul(count(0, 4)).shape());
    assertElements(count(2, 2).addProduct_(count(2, 1), count(1, 2)), 0, 1, 2, 4);
  }

  @Test
  void matricesOfABatchAreMultipliedInPairs() {
    Tensor products = count(2, 1, 2).matmul(count(2, 2, 3)); // (0 1)·A and (2 3)·B
    assertEquals(Shape.of(2, 1, 3), products.shape());
    assertElements(products, 3, 4, 5, 39, 44, 49);
    for (long[] other : new long[][] {{2, 3}, {1, 2, 3}, {2, 3, 2}}) {
      var e =
          assertThrows(IllegalArgumentException.class, () -> count(2, 1, 2).matmul(count(other)));
      assertTrue(e.getMessage().contains("2×1×2 and " + Shape.of(other)), e.getMessage());
    }
  }

  @Test
  void reductionsKeepTheirDimensions() {
    assertEquals(Shape.of(), count(2, 3).sum().shape());
    assertEquals(15, count(2, 3).sum().item());
    assertEquals(Shape.of(1, 3), count(2, 3).sum(0).shape());
    assertElements(count(2, 3).sum(0), 3, 5, 7);
    assertElements(count(2, 3).mean(-1), 1, 4);
    assertElements(count(2, 1, 3).mean(0, 2), 2.5);
    assertElements(count(1, 3).logSoftmax(1).exp().sum(1), 1);
    assertArrayEquals(
        new int[] {1, 0, 2}, Tensor.of(new double[] {0, 5, 5, 7, 7, 7, -3, -2, -1}, 3, 3).argMax());
  }

  @Test
  void viewsShowTheSameElementsOtherwise() {
    Tensor t = count(2, 3);
    assertElements(t.transpose(), 0, 3, 1, 4, 2, 5);
    assertElements(t.reshape(3, 2), 0, 1, 2, 3, 4, 5);
    assertElements(t.transpose().reshape(6), 0, 3, 1, 4, 2, 5);
    assertElements(t.narrow(1, 1, 3), 1, 2, 4, 5);
    assertElements(t.narrow(0, 1, 1));
    assertElements(count(2, 1).expand(Shape.of(2, 3)), 0, 0, 0, 1, 1, 1);
    assertElements(count(1, 1, 3, 4).every(2), 0, 2, 8, 10);
    Tensor alias = t.alias();
    t.zero_();
    assertElements(alias, 0, 0, 0, 0, 0, 0);
  }

  @Test
  void layoutsAreOrdersOfTheSameElements() {
    Tensor rowMajor = count(2, 3, 2, 2);
    Tensor channelsLast = rowMajor.channelsLast();
    assertArrayEquals(rowMajor.toDoubles(), channelsLast.toDoubles());
    assertArrayEquals(
        new double[] {0, 4, 8, 1, 5, 9},
        Arrays.copyOf(channelsLast.segment().toArray(ValueLayout.JAVA_DOUBLE), 6));
    assertArrayEquals(
        rowMajor.toDoubles(), channelsLast.contiguous().segment().toArray(ValueLayout.JAVA_DOUBLE));
    assertElements(channelsLast.reshape(24), rowMajor.toDoubles());
    assertElements(
        Tensor.zeros(DType.FLOAT64, 2, 3, 2, 2).channelsLast().copy_(rowMajor),
        rowMajor.toDoubles());
    assertTrue(rowMajor.channelsLast().relu().isChannelsLast());
    assertTrue(rowMajor.channelsLast().emptyLike().isChannelsLast());
  }

  @Test
  void aTensorOverMemoryIsThatMemory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory =
          arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
      assertElements(
          Tensor.over(memory, DType.FLOAT32, true, 1, 3, 2, 2),
          0,
          3,
          6,
          9,
          1,
          4,
          7,
          10,
          2,
          5,
          8,
          11);
      assertElements(Tensor.over(memory, DType.FLOAT32, false, 2, 3), 0, 1, 2, 3, 4, 5);
      Tensor.over(memory, DType.FLOAT32, false, 2).zero_();
      assertEquals(0, memory.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
      assertThrows(
          IllegalArgumentException.class, () -> Tensor.over(memory, DType.FLOAT32, false, 13));
      assertThrows(
          IllegalArgumentException.class, () -> Tensor.over(memory, DType.FLOAT32, true, 12));
      assertThrows(
          IllegalArgumentException.class,
          () -> Tensor.over(MemorySegment.ofArray(new float[4]), DType.FLOAT32, false, 4));
    }
  }

  @Test
  void conversionsRound() {
    Tensor t = Tensor.of(new double[] {0.1, -2.7, 3}, 3);
    assertArrayEquals(
        new double[] {0.1f, -2.7f, 3}, t.to(DType.FLOAT32).to(DType.FLOAT64).toDoubles());
    assertElements(t.to(DType.INT64), 0, -2, 3);
    assertEquals("INT64 3", t.to(DType.INT64).toString());
    assertEquals("FLOAT64 scalar", t.sum().toString());
  }

  @Test
  void writingChangesWhatIsThere() {
    Tensor t = Tensor.zeros(DType.FLOAT32, 2, 2);
    assertElements(t.copy_(new double[] {1, 2, 3, 4}), 1, 2, 3, 4);
    assertElements(t.add_(new double[] {1, 1, 1, 1}), 2, 3, 4, 5);
    assertElements(t.add_(t), 4, 6, 8, 10);
    assertElements(t.add_(Tensor.zeros(DType.FLOAT32, 2).plus(1)), 5, 7, 9, 11);
    assertElements(t.copy_(count(2, 2)), 0, 1, 2, 3);
    assertThrows(IllegalStateException.class, () -> t.transpose().copy_(new double[4]));
    assertThrows(IllegalStateException.class, () -> count(3, 2).narrow(1, 0, 1).segment());
  }

  @Test
  void normalDrawsAreAFunctionOfTheirKey() {
    RandomKey key = RandomKey.of(1, "t");
    assertArrayEquals(
        new double[] {key.normal(0), key.normal(1), key.normal(2), key.normal(3)},
        Tensor.normal(key, DType.FLOAT64, 2, 2).toDoubles());
  }

  // ---- What is refused

  @ParameterizedTest
  @CsvSource({
    "FLOAT64 2×3, FLOAT64 3×2",
    "FLOAT64 2×3, FLOAT32 2×3",
    "FLOAT64 2×3, FLOAT64 4",
  })
  void bothSidesAreNamed(String left, String right) {
    Tensor a = parse(left);
    Tensor b = parse(right);
    for (BiFunction<Tensor, Tensor, Tensor> operation : BINARY.values()) {
      if (operation.equals(BINARY.get("matmul")) && a.type() == b.type()) {
        continue;
      }
      var e = assertThrows(IllegalArgumentException.class, () -> operation.apply(a, b));
      assertTrue(e.getMessage().contains(a.shape().toString()), e.getMessage());
      assertTrue(e.getMessage().contains(b.shape().toString()), e.getMessage());
    }
  }

  private static Tensor parse(String text) {
    String[] parts = text.split(" ");
    long[] sizes = Arrays.stream(parts[1].split("×")).mapToLong(Long::parseLong).toArray();
    return Tensor.zeros(DType.valueOf(parts[0]), sizes);
  }

  private static final Map<String, BiFunction<Tensor, Tensor, Tensor>> BINARY =
      new LinkedHashMap<>();
  private static final Map<String, Function<Tensor, Tensor>> UNARY = new LinkedHashMap<>();

  static {
    BINARY.put("plus", Tensor::plus);
    BINARY.put("minus", Tensor::minus);
    BINARY.put("times", Tensor::times);
    BINARY.put("dividedBy", Tensor::dividedBy);
    BINARY.put("add_", Tensor::add_);
    BINARY.put("matmul", Tensor::matmul);
    UNARY.put("exp", Tensor::exp);
    UNARY.put("log", Tensor::log);
    UNARY.put("sqrt", Tensor::sqrt);
    UNARY.put("square", Tensor::square);
    UNARY.put("relu", Tensor::relu);
    UNARY.put("sigmoid", Tensor::sigmoid);
    UNARY.put("tanh", Tensor::tanh);
    UNARY.put("plus 0.5", t -> t.plus(0.5));
    UNARY.put("times 0.5", t -> t.times(0.5));
    UNARY.put("sum", t -> t.sum());
    UNARY.put("zerosLike", Tensor::zerosLike);
    UNARY.put("transpose", Tensor::transpose);
    UNARY.put("contiguous", Tensor::contiguous);
    UNARY.put("channelsLast", Tensor::channelsLast);
    UNARY.put(
        "argMax",
        t -> {
          t.argMax();
          return t;
        });
    UNARY.put(
        "item",
        t -> {
          t.item();
          return t;
        });
    for (int i = -3; i <= 3; i++) {
      int n = i;
      UNARY.put("logSoftmax " + n, t -> t.logSoftmax(n));
      UNARY.put("sum " + n, t -> t.sum(n));
      UNARY.put("sum 0, " + n, t -> t.sum(0, n));
      UNARY.put("mean " + n, t -> t.mean(n));
      UNARY.put("mean 1, " + n, t -> t.mean(1, n));
      UNARY.put("every " + n, t -> t.every(n));
      UNARY.put("narrow " + n, t -> t.narrow(n, 0, 1));
      UNARY.put("narrow 0.." + n, t -> t.narrow(0, 0, n));
      UNARY.put("narrow " + n + "..3", t -> t.narrow(0, n, 3));
      UNARY.put("reshape " + n, t -> t.reshape(n, 2));
      UNARY.put("reshape 2 " + n, t -> t.reshape(2, n, 1));
    }
    for (DType type : DType.values()) {
      UNARY.put("to " + type, t -> t.to(type));
    }
    UNARY.put("expand", t -> t.expand(Shape.of(2, 3)));
    UNARY.put("expand to a scalar", t -> t.expand(Shape.of()));
    UNARY.put("addProduct_", t -> t.addProduct_(count(2, 3), count(3, 2)));
    UNARY.put("addProduct_ of itself", t -> t.addProduct_(t, t));
    UNARY.put("copy_", t -> t.copy_(count(2, 3)));
    UNARY.put("copy_ of elements", t -> t.copy_(new double[6]));
    UNARY.put("add_ of elements", t -> t.add_(new double[6]));
  }

  /// Whatever an operation is given, it works or says in Java why not; it does what it says about
  /// the shape, and no native error comes through.
  @Test
  void anyArgumentIsTakenOrRefused() {
    RandomKey key = RandomKey.of(1, "shapes");
    for (int i = 0; i < 400; i++) {
      try (var _ = Scope.open()) {
        Tensor a = random(key.at(2L * i));
        Tensor b = random(key.at(2L * i + 1));
        UNARY.forEach((name, operation) -> attempt(name + " of " + a, () -> operation.apply(a)));
        BINARY.forEach(
            (name, operation) -> attempt(a + " " + name + " " + b, () -> operation.apply(a, b)));
      }
    }
  }

  private static Tensor random(RandomKey key) {
    long[] sizes = new long[key.below(0, 5)];
    for (int i = 0; i < sizes.length; i++) {
      sizes[i] = key.below(i + 1, 4);
    }
    return Tensor.zeros(TYPES.get(key.below(9, 3)), sizes);
  }

  private static void attempt(String what, Supplier<Tensor> operation) {
    try {
      operation.get().toDoubles();
    } catch (IllegalArgumentException e) {
      assertTrue(e.getMessage() != null && !e.getMessage().contains("Exception"), what);
    } catch (RuntimeException e) {
      throw new AssertionError(what + " gave " + e, e);
    }
  }

  @Test
  void shapesAreCheckedAndPrinted() {
    assertEquals("128×3×32×32", Shape.of(128, 3, 32, 32).toString());
    assertEquals("scalar", Shape.of().toString());
    assertEquals(1, Shape.of().elements());
    assertEquals(0, Shape.of(3, 0).elements());
    assertEquals(5, Shape.of(4, 5).size(-1));
    assertEquals(Shape.of(1, 2), Shape.of(1, 2));
    assertEquals(Shape.of(1, 2).hashCode(), Shape.of(1, 2).hashCode());
    assertThrows(IllegalArgumentException.class, () -> Shape.of(2, -1));
    assertThrows(IllegalArgumentException.class, () -> Shape.of(1L << 40, 1L << 40));
    assertThrows(IllegalArgumentException.class, () -> Shape.of(2).size(1));
    long[] sizes = {2, 3};
    Shape shape = Shape.of(sizes);
    sizes[0] = 9;
    shape.toArray()[1] = 9;
    assertEquals(Shape.of(2, 3), shape);
  }

  @Test
  void aStepIsBoundToItsThreadAndItsBody() {
    assertEquals(1, Step.current().collective().size());
    assertEquals(7, Step.current().total(7));
    var step = new Step(1, 2, Collective.ALONE, 30);
    assertEquals(30L, step.run(() -> Step.current().total(7)));
    assertEquals(7, Step.current().total(7));
  }
}
