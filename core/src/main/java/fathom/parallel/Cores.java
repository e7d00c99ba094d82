package fathom.parallel;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Divides one loop over rows among all cores, if nothing else uses them.
///
/// Inside a worker the other cores belong to the other workers. Code that runs workers therefore
/// wraps them in [#alone], and then a loop runs undivided on its own thread. The division into
/// parts depends on the number of rows and on the machine alone, never on which thread is free, so
/// sums that are taken part by part have the same result every time.
public final class Cores {
  private static final ScopedValue<Boolean> ALONE = ScopedValue.newInstance();

  private Cores() {}

  /// One part of a loop: processes the rows `from .. to-1`, which are part number `part`.
  @FunctionalInterface
  public interface Body {
    void run(long from, long to, int part);
  }

  /// Runs `program` so that no loop in it is divided among cores.
  public static void alone(Runnable program) {
    ScopedValue.where(ALONE, true).run(program);
  }

  /// Returns the number of parts into which [#split] divides `rows` rows on this thread: at least
  /// one, at most one for each core, and no part of fewer than `minimumRowsPerPart` rows unless it
  /// is the only one.
  public static int parts(long rows, long minimumRowsPerPart) {
    if (ALONE.orElse(false)) {
      return 1;
    }
    long most = rows / Math.max(1, minimumRowsPerPart);
    return Math.clamp(most, 1, Crew.SIZE);
  }

  /// Runs `body` on all rows, divided into [#parts], and returns when all parts have ended. If
  /// parts throw, the first thing that was thrown reaches the caller.
  public static void split(long rows, long minimumRowsPerPart, Body body) {
    int parts = parts(rows, minimumRowsPerPart);
    if (parts == 1) {
      body.run(0, rows, 0);
      return;
    }
    var job = new Job(rows, parts, body);
    if (Crew.BUSY.compareAndSet(false, true)) {
      try {
        Crew.work(job);
      } finally {
        Crew.BUSY.set(false);
      }
    } else { // another thread is using the crew
      alone(job::workUntilNoneIsLeft);
    }
    job.throwFailure();
  }

  /// A loop in parts. Each free thread takes the next part.
  private static final class Job {
    private final long rows;
    private final int parts;
    private final Body body;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Job(long rows, int parts, Body body) {
      this.rows = rows;
      this.parts = parts;
      this.body = body;
    }

    boolean hasWork() {
      return next.get() < parts;
    }

    void workUntilNoneIsLeft() {
      for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
        try {
          body.run(rows * part / parts, rows * (part + 1) / parts, part);
        } catch (Throwable e) { // a caller must not wait for a part that will never end
          failure.compareAndSet(null, e);
        } finally {
          done.incrementAndGet();
        }
      }
    }

    void await() {
      for (int i = 0; done.get() < parts; i++) {
        if (i < Crew.WAITING_SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.parkNanos(20_000);
        }
      }
    }

    void throwFailure() {
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException("a part of a loop failed", e);
      }
    }
  }

  /// One thread for every core but the caller's. After a loop they spin for a moment, since layers
  /// follow one another closely, and then sleep.
  private static final class Crew {
    static final int SIZE = Runtime.getRuntime().availableProcessors();
    static final int SPINS = 5_000;
    static final int WAITING_SPINS = 50_000;
    static final AtomicBoolean BUSY = new AtomicBoolean();
    private static final Member[] MEMBERS = new Member[SIZE - 1];
    private static volatile @Nullable Job job;

    static {
      for (int i = 0; i < MEMBERS.length; i++) {
        MEMBERS[i] = new Member(i);
        MEMBERS[i].start();
      }
    }

    static void work(Job now) {
      job = now;
      for (Member member : MEMBERS) {
        if (member.asleep) {
          LockSupport.unpark(member);
        }
      }
      alone(now::workUntilNoneIsLeft);
      now.await();
      job = null;
    }

    private static final class Member extends Thread {
      volatile boolean asleep;

      Member(int index) {
        super("fathom-core-" + index);
        setDaemon(true);
      }

      @Override
      public void run() {
        alone(this::serve);
      }

      private void serve() {
        int idle = 0;
        while (true) {
          Job now = job;
          if (now != null && now.hasWork()) {
            now.workUntilNoneIsLeft();
            idle = 0;
          } else if (idle++ < SPINS) {
            Thread.onSpinWait();
          } else {
            sleep(this);
          }
        }
      }

      private static void sleep(Member member) {
        member.asleep = true;
        Job now = job; // a job that was published before `asleep` was seen
        if (now == null || !now.hasWork()) {
          LockSupport.park(member);
        }
        member.asleep = false;
      }
    }
  }
}
