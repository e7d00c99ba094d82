package fathom.serve;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The images that were admitted to a version of a model, and the decision which of them are
/// predicted together and when.
///
/// Images count from their admission until they have left. Between that they are coming while they
/// are decoded, then wait, and are then predicted, by any of several threads with a core each.
///
/// A few images together take less of a core for each of them than one alone, and a core that
/// predicts is missing where requests are received and decoded. So half of the cores predict what
/// waits at once, but for images that are just being decoded; another joins them when so many wait
/// that more together would be no cheaper, or when images have waited so long that all cores are
/// needed.
final class BatchQueue {
  /// How long images wait for others that are being decoded.
  private static final long DECODING_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  /// How long images wait for a core of those that predict at once, before another one joins.
  private static final long JOINING_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  /// Which part of a batch is worth another core. ResNet-20 takes 1.15 ms of a core for an image
  /// alone, 0.72 for one of 4 and 0.74 for one of 8 (docs/speed-log.md); a net with more to do for
  /// an image gains less from others beside it.
  private static final int WORTH = 4;

  /// What became of a request for places.
  enum Admission {
    ADMITTED,
    FULL,
    RETIRED
  }

  /// A job that waits.
  ///
  /// @param since when it came, as [System#nanoTime()]
  private record Waiting(Job job, long since) {}

  private final int batch;
  private final int most;
  private final int atOnce;
  private final long joining;
  private final Queue<Waiting> waiting = new ArrayDeque<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition empty = lock.newCondition();
  private int admitted;
  private int coming;
  private int ready;
  private int predicting;
  private boolean retired;

  /// @param batch the most images that are predicted together
  /// @param most the most images that may be admitted
  /// @param cores the number of cores, of which each may predict a batch
  BatchQueue(int batch, int most, int cores) {
    this(batch, most, cores, JOINING_NANOS);
  }

  /// @param joining how many nanoseconds fewer images wait before another core joins
  BatchQueue(int batch, int most, int cores, long joining) {
    this.batch = batch;
    this.most = most;
    this.atOnce = Math.max(1, cores / 2);
    this.joining = joining;
  }

  /// Returns the number of images that were admitted and have not left.
  int depth() {
    lock.lock();
    try {
      return admitted;
    } finally {
      lock.unlock();
    }
  }

  /// Asks for places for images, which are about to be decoded.
  Admission admit(int images) {
    lock.lock();
    try {
      if (retired) {
        return Admission.RETIRED;
      }
      return admitMore(images) ? Admission.ADMITTED : Admission.FULL;
    } finally {
      lock.unlock();
    }
  }

  /// Asks for more places for a request that was admitted, which may be of a version that was
  /// retired meanwhile.
  boolean admitMore(int images) {
    lock.lock();
    try {
      if (admitted + images > most) {
        return false;
      }
      admitted += images;
      coming += images;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /// Gives places back whose images nobody predicts.
  void release(int images) {
    lock.lock();
    try {
      coming -= images;
      leave(images);
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Adds images that were admitted and are decoded.
  void add(Job job) {
    lock.lock();
    try {
      coming -= job.count();
      ready += job.count();
      waiting.add(new Waiting(job, System.nanoTime()));
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Waits for the next batch and takes it. The caller says [#end] when it has predicted it.
  List<Job> take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        Waiting first = waiting.peek();
        if (first == null) {
          changed.await();
          continue;
        }
        long left = first.since + patience() - System.nanoTime();
        if (left <= 0) {
          return taken();
        }
        long _ = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Returns how long the first image that waits does so at most.
  private long patience() {
    if (ready >= batch) {
      return 0;
    }
    if (predicting >= atOnce) {
      return ready >= Math.ceilDiv(batch, WORTH) ? 0 : joining;
    }
    return coming > 0 ? DECODING_NANOS : 0;
  }

  private List<Job> taken() {
    var jobs = new ArrayList<Job>();
    int images = 0;
    for (Waiting next = waiting.peek();
        next != null && (jobs.isEmpty() || images + next.job.count() <= batch);
        next = waiting.peek()) {
      waiting.remove();
      jobs.add(next.job);
      images += next.job.count();
    }
    ready -= images;
    predicting++;
    if (!waiting.isEmpty()) {
      changed.signal(); // somebody has to wait for what is left
    }
    return jobs;
  }

  /// Says that a batch is predicted, whose images leave.
  void end(int images) {
    lock.lock();
    try {
      predicting--;
      leave(images);
    } finally {
      lock.unlock();
    }
  }

  private void leave(int images) {
    admitted -= images;
    if (admitted == 0) {
      empty.signalAll();
    }
  }

  /// Admits nothing more, and waits until all that was admitted has left.
  void retire() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      retired = true;
      while (admitted > 0) {
        empty.await();
      }
    } finally {
      lock.unlock();
    }
  }
}
