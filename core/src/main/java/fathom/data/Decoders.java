package fathom.data;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// Threads that decode photographs before they are needed. They make no tensors, and end when they
/// are closed.
///
/// How many there are decides nothing but time: with none, who needs a picture decodes it.
public final class Decoders implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 10;
  private static final long POLL_NANOS = 100_000;

  /// Threads that wait for work this long end, so that none is left where nobody closes.
  private static final int IDLE_SECONDS = 30;

  private final int count;
  private final ThreadPoolExecutor threads;

  private Decoders(int count) {
    this.count = count;
    var number = new AtomicInteger();
    this.threads =
        new ThreadPoolExecutor(
            Math.max(1, count),
            Math.max(1, count),
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work ->
                Thread.ofPlatform()
                    .daemon()
                    .name("fathom-decoder-" + number.getAndIncrement())
                    .unstarted(work),
            new ThreadPoolExecutor.DiscardPolicy()); // what comes after the end is done by who asks
    threads.allowCoreThreadTimeOut(true);
  }

  /// So many threads, 0 or more.
  public static Decoders start(int count) {
    if (count < 0) {
      throw new IllegalArgumentException(
          "0 or more threads decode pictures, but --decoders is " + count);
    }
    return new Decoders(count);
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
    threads.execute(work);
  }

  /// Returns when nothing that was asked for is left to be done.
  public void settle() {
    while (!threads.getQueue().isEmpty() || threads.getActiveCount() > 0) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  /// Ends the threads, and returns when they have ended what they are doing.
  @Override
  public void close() {
    threads.shutdownNow();
    try {
      threads.awaitTermination(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
