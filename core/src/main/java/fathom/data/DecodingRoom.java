package fathom.data;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The part of the heap that images are decoded in, of which every thread that decodes takes what
/// its image needs, in the order in which they come. So what can be decoded depends on the image
/// and the heap, and not on the number of threads.
///
/// An image that needs more than there is waits until it is alone. How much there is is an
/// estimate, and so is what an image needs: one that fails for memory beside others is decoded
/// again, alone.
final class DecodingRoom {
  /// Of this process.
  static final DecodingRoom SHARED = new DecodingRoom(DecodingRoom::free);

  private static final long ALL = Long.MAX_VALUE;

  /// What is asked for a number of bytes.
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

  /// Does what takes about so many bytes of the heap. Throws [OutOfMemoryError] only if it has been
  /// tried alone.
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
    turn.lock(); // who waits for room lets nobody pass: a large image would wait forever
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

  /// Half of what the heap has beside what lived when it was last collected: the other half is for
  /// what has come since.
  private static long free() {
    long living = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      MemoryUsage collected = pool.getType() == MemoryType.HEAP ? pool.getCollectionUsage() : null;
      living += collected == null ? 0 : collected.getUsed();
    }
    return (Runtime.getRuntime().maxMemory() - living) / 2;
  }
}
