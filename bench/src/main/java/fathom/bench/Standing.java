package fathom.bench;

import fathom.Collective;
import fathom.Scope;
import fathom.train.Workers;
import java.util.concurrent.SynchronousQueue;

/// Work of ours over workers that wait between two runs, so that its runs alternate with those of
/// others.
final class Standing implements AutoCloseable {
  /// What one worker does.
  @FunctionalInterface
  interface Program {
    /// Makes what the worker keeps, in the innermost scope, and returns what it does in every run.
    Runnable prepare(Collective all);
  }

  private final SynchronousQueue<Boolean> orders = new SynchronousQueue<>();
  private final SynchronousQueue<Double> answers = new SynchronousQueue<>();
  private final Thread thread;

  private Standing(int workers, Program program) {
    this.thread =
        Thread.ofPlatform().daemon().start(() -> Workers.run(workers, all -> work(program, all)));
  }

  /// Starts the workers and lets them run `warmUp` times, for the compiler.
  static Standing start(int workers, int warmUp, Program program) {
    var standing = new Standing(workers, program);
    for (int i = 0; i < warmUp; i++) {
      standing.run();
    }
    return standing;
  }

  private void work(Program program, Collective all) {
    try (var _ = Scope.open()) {
      Runnable run = program.prepare(all);
      while (told(all)) {
        double milliseconds =
            Alternation.milliseconds(() -> {
              run.run();
              all.barrier();
            });
        if (all.rank() == 0) {
          put(answers, milliseconds);
        }
      }
    }
  }

  /// The first worker waits for the order, and all hear it.
  private boolean told(Collective all) {
    double[] go = {all.rank() == 0 && take(orders) ? 1 : 0};
    all.allReduce(go);
    return go[0] > 0;
  }

  /// The milliseconds of one run.
  double run() {
    put(orders, true);
    return take(answers);
  }

  @Override
  public void close() {
    put(orders, false);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static <T> void put(SynchronousQueue<T> queue, T value) {
    try {
      queue.put(value);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }

  private static <T> T take(SynchronousQueue<T> queue) {
    try {
      return queue.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }
}
