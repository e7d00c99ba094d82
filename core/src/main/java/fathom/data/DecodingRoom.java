package fathom.data;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The share of the heap in which images are decoded. Every decoding thread takes what its image
/// needs, in the order in which the threads come, so whether an image can be decoded depends on the
/// image and the heap and not on the number of threads.
///
/// An image that needs more than there is waits until it is alone. Both the room and an image's
/// need are estimates: an image that fails for lack of memory beside others is decoded again,
/// alone.
final class DecodingRoom {
  /// The room of this process.
  static final DecodingRoom SHARED = new DecodingRoom(DecodingRoom::free);

  private static final long ALL = Long.MAX_VALUE;

  /// Says how many bytes there are.
  interface Room {
    long bytes();
  }

  interface Work<T, E extends Exception> {
    T done() throws E;
  }

  private final Room room;
  private final ReentrantLock turn = new ReentrantLock(true);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition returned = lock.newCondition();
  private long taken;

  DecodingRoom(Room room) {
    this.room = room;
  }

  /// Runs `work`, which takes about `bytes` bytes of the heap. Throws [OutOfMemoryError] only after
  /// `work` has failed while it was alone.
  <T, E extends Exception> T with(long bytes, Work<T, E> work) throws E {
    try {
      return taking(bytes, work);
    } catch (OutOfMemoryError e) {
      return taking(ALL, work);
    }
  }

  private <T, E extends Exception> T taking(long bytes, Work<T, E> work) throws E {
    take(bytes);
    try {
      return work.done();
    } finally {
      give(bytes);
    }
  }

  private void take(long bytes) {
    turn.lock(); // no overtaking: a large image would wait forever
    lock.lock();
    try {
      while (taken > 0 && (taken == ALL || bytes > room.bytes() - taken)) {
        returned.awaitUninterruptibly();
      }
      taken += bytes;
    } finally {
      lock.unlock();
      turn.unlock();
    }
  }

  private void give(long bytes) {
    lock.lock();
    try {
      taken -= bytes;
      returned.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /// Returns half of what the heap has beside the objects that survived the last collection; the
  /// other half is for objects allocated since.
  private static long free() {
    long living = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      MemoryUsage collected = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
      living += collected == null ? 0 : collected.getUsed();
    }
    return (Runtime.getRuntime().maxMemory() - living) / 2;
  }
}
