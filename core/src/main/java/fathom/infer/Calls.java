package fathom.infer;

import fathom.Lifetime;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;

/// Guards an opened net: any number of threads may call it at a time, and closing waits until their
/// calls have ended.
final class Calls implements AutoCloseable {
  private final String what;
  private final Lifetime life;
  private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  /// @param what the kind of object that is called, for the message of a call after [#close]
  /// @param life what [#close] frees
  Calls(String what, Lifetime life) {
    this.what = what;
    this.life = life;
  }

  /// Runs `work`. Throws `IllegalStateException` after [#close].
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

  /// Frees the net after all running calls have ended. A second call does nothing. Throws
  /// `IllegalStateException` inside a call, which would wait for itself.
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
