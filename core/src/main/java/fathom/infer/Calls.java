package fathom.infer;

import fathom.Lifetime;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/// The calls of one opened net, by any number of threads, and its end, which waits for them.
final class Calls implements AutoCloseable {
  private final String what;
  private final Lifetime life;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  /// @param what is called, for the message of a call that comes too late
  Calls(String what, Lifetime life) {
    this.what = what;
    this.life = life;
  }

  /// Throws `IllegalStateException` after [#close].
  <R> R call(Supplier<R> work) {
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException(
            "a %s answers until it is closed, and this one was closed; open another"
                .formatted(what));
      }
      return work.get();
    } finally {
      lock.readLock().unlock();
    }
  }

  /// Frees what is called when all calls that run have ended. Once is enough. Throws
  /// `IllegalStateException` in a call, which would wait for itself.
  @Override
  public void close() {
    if (lock.getReadHoldCount() > 0) {
      throw new IllegalStateException(
          "a %s is closed when its calls have ended, but this is one of them".formatted(what));
    }
    lock.writeLock().lock();
    try {
      closed = true;
      life.close();
    } finally {
      lock.writeLock().unlock();
    }
  }
}
