package fathom.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.nn.BatchNorm;
import fathom.nn.Fused;
import fathom.nn.Init;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
  private static final int CLASSES = 10;
  private static final CifarNet NET =
      new CifarNet(8, Shortcut.A, Norm.BATCH, 5, new ImageShape(1, 8, 8), CLASSES);

  /// What one worker has after one batch: gradients and buffers by path, and the sum of the losses.
  private record Outcome(
      Map<String, double[]> gradients, Map<String, double[]> buffers, double loss) {}

  /// One batch of `rows` images on `workers` workers, as the trainer does it. The outcome of each.
  private static Outcome[] batch(int workers, int rows, DType type, boolean shardStatistics) {
    var outcomes = new Outcome[workers];
    var shared = new AtomicReference<FlatParams>();
    Workers.run(
        workers,
        all -> {
          try (var _ = Scope.open()) {
            Layer net = net(type, shardStatistics);
            if (all.rank() == 0) {
              shared.set(FlatParams.of(net.params()));
            }
            all.barrier();
            FlatParams flat = all.rank() == 0 ? shared.get() : shared.get().shareWith(net.params());
            Rows own = new Rows(0, rows).share(all.rank(), all.size());
            double[] loss = {
              new Step(1, 0, all, rows).run(() -> step(Fused.of(net), type, rows, own))
            };
            all.allReduce(loss);
            all.allReduce(flat.gradient());
            outcomes[all.rank()] = outcome(net, loss[0]);
          }
        });
    return outcomes;
  }

  private static Layer net(DType type, boolean shardStatistics) {
    Layer net = NET.build(Init.he(5));
    net.state().values().forEach(param -> param.convert(type));
    return shardStatistics
        ? Layer.map(net, (_, layer) -> layer instanceof BatchNorm norm ? norm.ofShards() : layer)
        : net;
  }

  private static double step(Layer net, DType type, int rows, Rows own) {
    Tensor batch =
        Tensor.normal(RandomKey.of(6, "pictures"), DType.FLOAT32, rows, 1, 8, 8).to(type);
    int[] labels = new int[own.count()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = (own.from() + i) * 3 % CLASSES;
    }
    Traced logits = net.forward(batch.narrow(0, own.from(), own.to()));
    Traced loss = CrossEntropy.of(logits.value(), labels);
    logits.accumulate(loss.back(Tensor.scalar(type, 1)));
    return loss.value().item();
  }

  private static Outcome outcome(Layer net, double loss) {
    var outcome = new Outcome(new LinkedHashMap<>(), new LinkedHashMap<>(), loss);
    net.state()
        .forEach((path, param) -> {
          if (param.trained()) {
            outcome.gradients.put(path, param.grad().toDoubles());
          } else {
            outcome.buffers.put(path, param.value().toDoubles());
          }
        });
    return outcome;
  }

  private static double distance(double[] a, double[] b) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < a.length; i++) {
      difference += (a[i] - b[i]) * (a[i] - b[i]);
      size += a[i] * a[i];
    }
    return Math.sqrt(difference / Math.max(size, 1e-12));
  }

  private static void assertClose(
      Map<String, double[]> expected, Map<String, double[]> actual, double tolerance) {
    assertEquals(expected.keySet(), actual.keySet());
    expected.forEach((path, values) -> {
      double distance = distance(values, actual.get(path));
      assertTrue(
          distance <= tolerance, // false for NaN
          "%s differs by %s of its size, more than %s".formatted(path, distance, tolerance));
    });
  }

  // ---- Gradients

  @ParameterizedTest
  @CsvSource({
    "FLOAT64, 1, 1e-10", "FLOAT64, 2, 1e-10", "FLOAT64, 5, 1e-10", "FLOAT64, 7, 1e-10",
    "FLOAT32, 1, 1e-3", "FLOAT32, 2, 1e-3", "FLOAT32, 5, 1e-3", "FLOAT32, 7, 1e-3",
  })
  void anyNumberOfWorkersGivesTheSameGradients(DType type, int rows, double tolerance) {
    Outcome alone = batch(1, rows, type, false)[0];
    for (int workers = 2; workers <= 3; workers++) {
      Outcome[] shared = batch(workers, rows, type, false);
      for (Outcome worker : shared) {
        assertClose(alone.gradients, worker.gradients, tolerance);
        assertClose(alone.buffers, worker.buffers, tolerance);
        assertEquals(alone.loss, worker.loss, tolerance * alone.loss);
        shared[0].gradients.forEach((path, g) ->
            assertArrayEquals(g, worker.gradients.get(path), path + " differs between workers"));
        shared[0].buffers.forEach((path, b) ->
            assertArrayEquals(b, worker.buffers.get(path), path + " differs between workers"));
      }
    }
  }

  @Test
  void statisticsOfShardsAreThoseOfEachWorkersShare() {
    Outcome[] sharded = batch(2, 7, DType.FLOAT64, true);
    Outcome exact = batch(1, 7, DType.FLOAT64, false)[0];
    String mean = "bn1.running_mean";
    assertTrue(distance(sharded[0].buffers.get(mean), sharded[1].buffers.get(mean)) > 1e-3);
    assertTrue(distance(sharded[0].buffers.get(mean), exact.buffers.get(mean)) > 1e-3);
    assertTrue(
        distance(sharded[0].gradients.get("conv1.weight"), exact.gradients.get("conv1.weight"))
            > 1e-3);
    // The first share is three images: as if there were no others.
    Outcome three = batch(1, 3, DType.FLOAT64, false)[0];
    assertClose(
        Map.of(mean, three.buffers.get(mean)), Map.of(mean, sharded[0].buffers.get(mean)), 1e-10);
    // The mean of the first layer over the batch is that of the shares, weighted.
    double[] weighted = new double[NET.width()];
    for (int c = 0; c < weighted.length; c++) {
      weighted[c] = (3 * sharded[0].buffers.get(mean)[c] + 4 * sharded[1].buffers.get(mean)[c]) / 7;
    }
    assertArrayEquals(exact.buffers.get(mean), weighted, 1e-10);
  }

  @Test
  void aWorkerWithoutRowsHasNoStatisticsOfItsOwn() {
    Outcome[] sharded = batch(3, 1, DType.FLOAT64, true); // the last worker has the image
    Outcome alone = batch(1, 1, DType.FLOAT64, false)[0];
    assertClose(alone.gradients, sharded[0].gradients, 1e-10);
    assertClose(alone.buffers, sharded[2].buffers, 1e-10);
    assertArrayEquals(new double[NET.width()], sharded[0].buffers.get("bn1.running_mean"));
  }

  // ---- Collectives

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void sumsAreTakenInTheOrderOfRanksAndAreTheSameEverywhere(int size) {
    int count = 103;
    Workers.run(
        size,
        all -> {
          try (var _ = Scope.open()) {
            for (int round = 0; round < 50; round++) {
              double[] expected = new double[count];
              float[] expectedFloats = new float[count];
              for (int rank = 0; rank < size; rank++) {
                double[] values = values(rank, round, count);
                for (int i = 0; i < count; i++) {
                  expected[i] += values[i];
                  expectedFloats[i] += (float) values[i];
                }
              }
              double[] own = values(all.rank(), round, count);
              Tensor doubles = Tensor.of(own, count);
              Tensor floats = doubles.to(DType.FLOAT32);
              all.allReduce(own);
              all.allReduce(floats);
              all.allReduce(doubles);
              assertArrayEquals(expected, own);
              assertArrayEquals(expected, doubles.toDoubles());
              for (int i = 0; i < count; i++) {
                assertEquals(expectedFloats[i], floats.toDoubles()[i]);
              }
            }
          }
        });
  }

  /// Numbers whose sum depends on the order.
  private static double[] values(int rank, int round, int count) {
    RandomKey key = RandomKey.of(round, "values").at(rank);
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = key.normal(i) * Math.pow(10, 20 * key.uniform(count + i) - 10);
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 1000})
  void tensorsOfAnySizeAreSummed(int count) {
    Workers.run(
        3,
        all -> {
          try (var _ = Scope.open()) {
            Tensor t = Tensor.zeros(DType.FLOAT32, count).plus(all.rank() + 1);
            all.allReduce(t);
            for (double v : t.toDoubles()) {
              assertEquals(6, v);
            }
          }
        });
  }

  @Test
  void everyWorkerGetsWhatTheRootHas() {
    Workers.run(
        3,
        all -> {
          try (var _ = Scope.open()) {
            for (int root = 0; root < 3; root++) {
              Tensor t =
                  Tensor.normal(RandomKey.of(all.rank(), "broadcast"), DType.FLOAT64, 2, 3, 4, 5);
              Tensor expected =
                  Tensor.normal(RandomKey.of(root, "broadcast"), DType.FLOAT64, 2, 3, 4, 5);
              all.broadcast(t, root);
              assertArrayEquals(expected.toDoubles(), t.toDoubles());
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 5})
  void nobodyPassesABarrierBeforeAllHaveCome(int size) {
    var come = new AtomicInteger();
    Workers.run(
        size,
        all -> {
          for (int round = 1; round <= 300; round++) {
            come.incrementAndGet();
            all.barrier();
            assertEquals(size * round, come.get());
            all.barrier();
          }
        });
  }

  @Test
  void aWorkerAloneMeetsNobody() {
    for (Consumer<Consumer<Collective>> run :
        List.<Consumer<Consumer<Collective>>>of(
            program -> Workers.run(1, program), program -> program.accept(Collective.ALONE))) {
      run.accept(all -> {
        try (var _ = Scope.open()) {
          assertEquals(0, all.rank());
          assertEquals(1, all.size());
          double[] values = {1, 2};
          Tensor t = Tensor.of(values, 2);
          all.allReduce(values);
          all.allReduce(t);
          all.broadcast(t, 0);
          all.barrier();
          assertArrayEquals(new double[] {1, 2}, values);
          assertArrayEquals(new double[] {1, 2}, t.toDoubles());
        }
      });
    }
  }

  @Test
  void ranksAreCountedAndThreadsAreNamed() {
    var names = new String[3];
    Workers.run(
        3,
        all -> {
          assertEquals(3, all.size());
          names[all.rank()] = Thread.currentThread().getName();
        });
    assertArrayEquals(
        new String[] {"fathom-worker-0", "fathom-worker-1", "fathom-worker-2"}, names);
    assertThrows(IllegalArgumentException.class, () -> Workers.run(0, _ -> {}));
  }

  // ---- Failures

  private static <T extends Throwable> T assertFails(
      Class<T> type, int size, Duration patience, Consumer<Collective> program) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> assertThrows(type, () -> Workers.run(size, patience, program)));
  }

  @Test
  void whatAWorkerThrowsEndsTheOthersAndIsTheResult() {
    for (int failing = 0; failing < 3; failing++) {
      int rank = failing;
      for (Throwable cause :
          new Throwable[] {new IllegalStateException("boom"), new StackOverflowError("deep")}) {
        var others = new Throwable[3];
        Throwable thrown =
            assertFails(
                cause.getClass(),
                3,
                Duration.ofMinutes(1),
                all -> {
                  try {
                    for (int round = 0; ; round++) {
                      if (round == 3 && all.rank() == rank) {
                        throwUnchecked(cause);
                      }
                      all.allReduce(new double[] {1});
                    }
                  } catch (Throwable e) {
                    others[all.rank()] = e;
                    throw e;
                  }
                });
        assertSame(cause, thrown);
        for (int other = 0; other < 3; other++) {
          if (other != rank) {
            var lost = assertInstanceOf(LostWorkerException.class, others[other]);
            assertSame(cause, lost.getCause());
            assertEquals("worker %s failed: %s".formatted(rank, cause), lost.getMessage());
          }
        }
      }
    }
  }

  private static void throwUnchecked(Throwable e) {
    switch (e) {
      case RuntimeException r -> throw r;
      case Error r -> throw r;
      default -> throw new AssertionError(e);
    }
  }

  @Test
  void aWorkerThatHangsIsNamedAndLeftBehind() {
    var end = new CountDownLatch(1);
    var e =
        assertFails(
            LostWorkerException.class,
            3,
            Duration.ofMillis(200),
            all -> {
              all.barrier();
              if (all.rank() == 1) {
                try {
                  end.await();
                } catch (InterruptedException _) {
                  Thread.currentThread().interrupt();
                }
              }
              all.barrier();
            });
    end.countDown();
    assertTrue(
        e.getMessage().matches("worker [02] has waited 0.2 s for worker 1, which .*"),
        e.getMessage());
  }

  @Test
  void aWorkerThatLeavesEarlyIsNamed() {
    var e =
        assertFails(
            LostWorkerException.class,
            2,
            Duration.ofMillis(200),
            all -> {
              if (all.rank() == 1) {
                all.barrier();
              }
            });
    assertTrue(e.getMessage().contains("for worker 0"), e.getMessage());
  }

  @Test
  void patienceIsForEachMeetingAndNotForTheWholeProgram() {
    Workers.run(
        2,
        Duration.ofMillis(300),
        all -> {
          for (int i = 0; i < 4; i++) {
            if (all.rank() == 1) {
              sleep(100);
            }
            all.barrier();
          }
        });
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void tensorsThatDifferBetweenWorkersAreRefused() {
    var e =
        assertFails(
            IllegalArgumentException.class,
            2,
            Duration.ofMinutes(1),
            all -> {
              try (var _ = Scope.open()) {
                all.allReduce(Tensor.zeros(DType.FLOAT32, 3 + all.rank()));
              }
            });
    assertTrue(e.getMessage().contains("12") && e.getMessage().contains("16"), e.getMessage());
    assertFails(
        IllegalArgumentException.class,
        2,
        Duration.ofMinutes(1),
        all -> {
          try (var _ = Scope.open()) {
            all.allReduce(Tensor.zeros(DType.INT64, 3));
          }
        });
    assertFails(
        RuntimeException.class,
        2,
        Duration.ofMinutes(1),
        all -> all.allReduce(new double[3 + all.rank()]));
  }

  @Test
  void workersShareValuesAndHaveGradientsOfTheirOwn() {
    try (var _ = Scope.open()) {
      Layer one = NET.build(Init.he(1));
      Layer two = NET.build(Init.zeros());
      FlatParams flat = FlatParams.of(one.params());
      FlatParams twin = flat.shareWith(two.params());
      for (int i = 0; i < one.params().size(); i++) {
        Param a = one.params().get(i);
        Param b = two.params().get(i);
        assertArrayEquals(a.value().toDoubles(), b.value().toDoubles());
        a.value().add_(a.value());
        assertArrayEquals(a.value().toDoubles(), b.value().toDoubles());
        assertEquals(0, a.value().segment().address() % 64);
        a.grad().add_(a.value());
        assertEquals(0, b.grad().square().sum().item());
      }
      assertNotEquals(flat.gradients().address(), twin.gradients().address());
      assertEquals(flat.values().address(), twin.values().address());
      var e =
          assertThrows(
              IllegalArgumentException.class,
              () -> flat.shareWith(NET.withWidth(6).build(Init.zeros()).params()));
      assertTrue(e.getMessage().contains("5×1×3×3") && e.getMessage().contains("6×1×3×3"));
      assertThrows(
          IllegalArgumentException.class, () -> flat.shareWith(one.params().subList(0, 3)));
      assertThrows(IllegalArgumentException.class, () -> FlatParams.of(List.of()));
    }
  }
}
