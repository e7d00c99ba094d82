package fathom.data;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Threads that decode photos before they are needed. They create no tensors, and end when this is
/// closed.
///
/// Their number affects nothing but time: with no threads, the thread that needs an image decodes
/// it itself.
public final class Decoders implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long POLL_NANOS = 100_000;

  private final int count;
  private final List<Thread> started = new CopyOnWriteArrayList<>();
  private final ThreadPoolExecutor threads;

  /// The number of tasks that were submitted and are not done. The executor's own numbers do not
  /// tell, because a thread between two tasks is neither waiting nor active.
  private final AtomicInteger left = new AtomicInteger();

  private Decoders(int count) {
    this.count = count;
    this.threads =
        new ThreadPoolExecutor(
            Math.max(1, count),
            Math.max(1, count),
            0,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            this::thread,
            new ThreadPoolExecutor.DiscardPolicy()); // after close, the caller decodes itself
  }

  private Thread thread(Runnable work) {
    Thread thread =
        Thread.ofPlatform().daemon().name("fathom-decoder-" + started.size()).unstarted(work);
    started.add(thread);
    return thread;
  }

  /// Returns `count`. Throws `IllegalArgumentException` if it is negative.
  public static int check(int count) {
    if (count < 0) {
      throw new IllegalArgumentException(
          "0 or more threads decode images, but `decoders` is " + count);
    }
    return count;
  }

  /// Starts `count` threads, 0 or more. Throws `IllegalArgumentException` if `count` is negative.
  public static Decoders start(int count) {
    return new Decoders(check(count));
  }

  /// Starts as many threads as there are cores.
  public static Decoders start() {
    return start(Runtime.getRuntime().availableProcessors());
  }

  boolean areNone() {
    return count == 0;
  }

  /// Submits `work` to the threads. Work that has not begun when [#close] is called never runs.
  void soon(Runnable work) {
    left.incrementAndGet();
    threads.execute(() -> {
      try {
        work.run();
      } finally {
        left.decrementAndGet();
      }
    });
  }

  /// Waits until all submitted work is done, or until the threads are told to end.
  public void settle() {
    while (left.get() > 0 && !threads.isShutdown()) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /// Tells the threads to end, and waits up to ten seconds for each of them to finish its current
  /// task.
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      for (Thread thread : started) {
        thread.join(PATIENCE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
