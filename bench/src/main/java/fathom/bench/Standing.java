package fathom.bench;

import fathom.Scope;
import fathom.parallel.Collective;
import fathom.parallel.Workers;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Work of Fathom over workers that wait between two runs, so that its runs alternate with those of
/// others.
final class Standing implements AutoCloseable {
  /// The work of one worker.
  @FunctionalInterface
  interface Program {
    /// Allocates what the worker keeps, in the innermost scope, and returns what it does in every
    /// run.
    Runnable prepare(Collective all);
  }

  private static final long POLL_MILLIS = 100;

  /// For each worker one, because a worker that waited for the first in a collective would give up
  /// after ten minutes, which others may take to warm up.
  private final List<SynchronousQueue<Boolean>> orders;

  private final SynchronousQueue<Double> answers = new SynchronousQueue<>();
  private final Thread thread;
  private volatile @Nullable Throwable failure;

  private Standing(int workers, Program program) {
    this.orders = Stream.generate(SynchronousQueue<Boolean>::new).limit(workers).toList();
    this.thread =
        Thread.ofPlatform()
            .daemon()
            .uncaughtExceptionHandler((_, problem) -> failure = problem)
            .start(() -> Workers.run(workers, all -> work(program, all)));
  }

  /// Starts the workers and lets them run `warmUp` times, so that the JIT compiler has compiled the
  /// code.
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
      while (take(orders.get(all.rank()))) {
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

  /// Tells every worker whether to run again, the first one last, because its clock counts.
  private void tell(boolean again) {
    orders.reversed().forEach(queue -> put(queue, again));
  }

  /// Returns the milliseconds of one run.
  double run() {
    tell(true);
    return take(answers);
  }

  @Override
  public void close() {
    tell(false);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private <T> void put(SynchronousQueue<T> queue, T value) {
    try {
      while (!queue.offer(value, POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        throwFailure();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }

  private <T> T take(SynchronousQueue<T> queue) {
    try {
      T value = queue.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
      while (value == null) {
        throwFailure();
        value = queue.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
      }
      return value;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the benchmark was interrupted", e);
    }
  }

  /// Throws what ended the workers, because waiting for them would not end.
  private void throwFailure() {
    switch (failure) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
  }
}
