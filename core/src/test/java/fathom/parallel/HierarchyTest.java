package fathom.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.Scope;
import fathom.Tensor;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A collective whose outer one is threads too, in the place of processes.
class HierarchyTest {
  @ParameterizedTest
  @CsvSource({"2, 1", "1, 2", "2, 3", "3, 2", "4, 2"})
  void sumsAndBroadcastsReachEveryWorker(int processes, int threads) {
    int all = processes * threads;
    var ranks = new AtomicInteger[all];
    Arrays.setAll(ranks, _ -> new AtomicInteger());
    Workers.run(
        processes,
        outer ->
            Workers.run(
                threads,
                outer,
                worker -> {
                  try (var _ = Scope.open()) {
                    ranks[worker.rank()].incrementAndGet();
                    assertEquals(all, worker.size());
                    assertEquals(threads, worker.local().size());
                    assertEquals(worker.rank() % threads, worker.local().rank());
                    double[] numbers = {worker.rank(), 1, 0.1};
                    worker.allReduce(numbers);
                    assertArrayEquals(
                        new double[] {all * (all - 1) / 2.0, all, 0.1 * all}, numbers, 1e-12);
                    Tensor tensor = Tensor.of(new float[] {worker.rank(), 2}, 2);
                    worker.allReduce(tensor);
                    assertArrayEquals(
                        new double[] {all * (all - 1) / 2.0, 2 * all}, tensor.toDoubles());
                    for (int root = 0; root < all; root++) {
                      Tensor own = Tensor.of(new float[] {worker.rank()}, 1);
                      worker.broadcast(own, root);
                      assertEquals(root, own.toDoubles()[0]);
                    }
                  }
                }));
    for (AtomicInteger rank : ranks) {
      assertEquals(1, rank.get(), "each rank is there once");
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 2", "3, 1"})
  void nobodyPassesABarrierBeforeAllHaveCome(int processes, int threads) {
    var come = new AtomicInteger();
    Workers.run(
        processes,
        outer ->
            Workers.run(
                threads,
                outer,
                worker -> {
                  come.incrementAndGet();
                  worker.barrier();
                  assertTrue(come.get() >= processes * threads);
                }));
  }

  @ParameterizedTest
  @CsvSource({"1", "3"})
  void inAProcessAloneTheWorkersAreLocal(int threads) {
    Workers.run(threads, Processes.NONE, worker -> assertSame(worker, worker.local()));
  }
}
