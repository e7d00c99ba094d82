package fathom.data;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Threads that decode photos before they are needed. They make no tensors, and end when they are
/// closed.
///
/// How many there are decides nothing but time: with none, who needs an image decodes it.
public final class Decoders implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final long POLL_NANOS = 100_000;

  private final int count;
  private final List<Thread> started = new CopyOnWriteArrayList<>();
  private final ThreadPoolExecutor threads;

  /// What was asked for and is not done: a thread between two tasks is neither waiting nor active,
  /// so the executor's own numbers do not tell.
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
            new ThreadPoolExecutor.DiscardPolicy()); // what comes after the end is done by who asks
  }

  private Thread thread(Runnable work) {
    Thread thread =
        Thread.ofPlatform().daemon().name("fathom-decoder-" + started.size()).unstarted(work);
    started.add(thread);
    return thread;
  }

  /// Returns `count`. Throws `IllegalArgumentException` unless so many threads can be started.
  public static int check(int count) {
    if (count < 0) {
      throw new IllegalArgumentException(
          "0 or more threads decode images, but `decoders` is " + count);
    }
    return count;
  }

  /// So many threads, 0 or more.
  public static Decoders start(int count) {
    return new Decoders(check(count));
  }

  /// One for each core.
  public static Decoders start() {
    return start(Runtime.getRuntime().availableProcessors());
  }

  boolean areNone() {
    return count == 0;
  }

  /// Runs it on one of the threads after what was asked for before; perhaps never.
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

  /// Returns when nothing that was asked for is left to be done, or the threads are to end.
  public void settle() {
    while (left.get() > 0 && !threads.isShutdown()) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /// Ends the threads, and returns when they have ended what they are doing.
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
