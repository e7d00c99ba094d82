package fathom.parallel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.Tensor;
import fathom.Torch;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs one program on several threads, which communicate through a [Collective] and run libtorch's
/// operations with one thread each. This class owns the threads and libtorch's thread setting
/// during a training; layers start no threads.
public final class Workers {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final Duration POLL = Duration.ofMillis(50);

  /// The most workers per core, and the most on a machine of few cores. With more they would only
  /// wait for one another.
  private static final int MOST_PER_CORE = 8;

  private static final int MOST_ANYWHERE = 64;

  /// The number of elements that are summed at a time.
  private static final int BLOCK = 2048;

  private Workers() {}

  /// Runs `program` on `size` threads and returns when all have ended. If workers fail, throws what
  /// the first of them threw; the others are woken at their barriers. Throws
  /// `IllegalArgumentException` if [#check] refuses `size`.
  public static void run(int size, Consumer<Collective> program) {
    run(size, PATIENCE, program);
  }

  /// Throws `IllegalArgumentException` unless `size` is at least 1 and at most 64, or 8 for each
  /// core where that is more: a larger number of workers is of no use on this machine.
  public static void check(int size) {
    int cores = Runtime.getRuntime().availableProcessors();
    int most = Math.max(MOST_ANYWHERE, MOST_PER_CORE * cores);
    if (size < 1 || size > most) {
      throw new IllegalArgumentException(
          "`workers` is at least 1 and, on a machine of %s cores, at most %s, but is %s"
              .formatted(cores, most, size));
    }
  }

  /// Runs `program` in the same way in each of several processes, whose workers together are those
  /// of one [Collective]. Every process runs the same number of threads.
  ///
  /// @param processes the processes as one thread of each calls them; [Collective#ALONE] for none
  ///   but this
  public static void run(int size, Collective processes, Consumer<Collective> program) {
    run(
        size,
        PATIENCE,
        processes.size() == 1
            ? program
            : threads -> program.accept(new Hierarchy(threads, processes)));
  }

  static void run(int size, Duration patience, Consumer<Collective> program) {
    check(size);
    var group = new Group(size, patience);
    var threads = new Thread[size];
    for (int rank = 0; rank < size; rank++) {
      var member = new Member(group, rank);
      threads[rank] =
          Thread.ofPlatform()
              .name("fathom-worker-" + rank)
              .daemon()
              .start(() -> work(member, program));
    }
    for (Thread thread : threads) {
      join(thread, group, patience);
    }
    group.throwFailure();
  }

  private static void work(Member member, Consumer<Collective> program) {
    try {
      Torch.threads(1);
      Cores.alone(() -> program.accept(member)); // the other cores belong to the other workers
    } catch (Throwable e) {
      member.group.fail(member.rank, e);
    }
  }

  /// Waits for a worker to end. Once another worker has failed, it waits only for `patience` and
  /// then abandons a worker that has not ended.
  private static void join(Thread thread, Group group, Duration patience) {
    boolean interrupted = false;
    while (true) {
      boolean failed = group.failure.get() != null;
      try {
        if (thread.join(failed ? patience : POLL) || failed) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true; // the workers use the caller's data, so the caller must not go on
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /// The barrier of the workers, and the data that they show each other there.
  private static final class Group {
    private static final int SPINS = 20_000;

    final int size;
    final @Nullable MemorySegment[] segments;
    final double[][][] numbers;
    private final long patienceNanos;
    private final int spins;
    private final AtomicInteger arrived = new AtomicInteger();
    private final AtomicIntegerArray arrivals; // the barriers that each worker has reached
    private final AtomicReferenceArray<@Nullable Thread> sleepers;
    private final AtomicReference<@Nullable Failure> failure = new AtomicReference<>();
    private volatile int generation;

    record Failure(int rank, Throwable cause) {}

    Group(int size, Duration patience) {
      this.size = size;
      this.patienceNanos = patience.toNanos();
      this.segments = new MemorySegment[size];
      this.arrivals = new AtomicIntegerArray(size);
      this.sleepers = new AtomicReferenceArray<>(size);
      this.numbers = new double[2][size][0];
      // Waiting workers spin if each has a core of its own, because a step has a hundred barriers.
      this.spins = size <= Runtime.getRuntime().availableProcessors() ? SPINS : 0;
    }

    void await(int rank) {
      if (size == 1) {
        return;
      }
      int now = generation;
      arrivals.set(rank, now + 1);
      if (arrived.incrementAndGet() == size) {
        arrived.set(0);
        generation = now + 1;
        wake();
      } else {
        waitFor(now, rank);
      }
      throwLost();
    }

    /// Spins, then sleeps until woken. A thread that polled every few microseconds would take time
    /// from the core of the worker that it waits for.
    private void waitFor(int now, int rank) {
      for (int i = 0; i < spins && generation == now; i++) {
        Thread.onSpinWait();
      }
      if (generation == now) {
        sleepers.set(rank, Thread.currentThread());
        long start = System.nanoTime();
        for (long left = patienceNanos; generation == now && failure.get() == null; ) {
          LockSupport.parkNanos(this, left);
          left = patienceNanos - (System.nanoTime() - start);
          if (left <= 0 && generation == now) {
            failWaiting(now, rank);
          }
        }
        sleepers.set(rank, null);
      }
    }

    private void failWaiting(int now, int rank) {
      int lost = missing(now + 1);
      fail(
          lost,
          new LostWorkerException(
              "worker %s has waited %s s for worker %s, which hangs or has died"
                  .formatted(rank, patienceNanos / 1e9, lost),
              null));
    }

    private void wake() {
      for (int i = 0; i < size; i++) {
        LockSupport.unpark(sleepers.get(i)); // null is permitted and does nothing
      }
    }

    private int missing(int group) {
      int rank = 0;
      while (rank < size - 1 && arrivals.get(rank) == group) {
        rank++;
      }
      return rank;
    }

    void fail(int rank, Throwable cause) {
      failure.compareAndSet(null, new Failure(rank, cause));
      wake();
    }

    private void throwLost() {
      Failure failed = failure.get();
      if (failed != null) {
        throw new LostWorkerException(
            "worker %s failed: %s".formatted(failed.rank, failed.cause), failed.cause);
      }
    }

    void throwFailure() {
      Failure failed = failure.get();
      switch (failed == null ? null : failed.cause) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new LostWorkerException("worker failed: " + e, e);
      }
    }
  }

  private static final class Member implements Collective {
    private final Group group;
    private final int rank;
    private int turn;

    Member(Group group, int rank) {
      this.group = group;
      this.rank = rank;
    }

    @Override
    public int rank() {
      return rank;
    }

    @Override
    public int size() {
      return group.size;
    }

    @Override
    public void barrier() {
      group.await(rank);
    }

    /// Two sets of places are used in turn. No worker can be a whole barrier ahead of another, so
    /// one barrier per sum suffices.
    @Override
    public void allReduce(double[] values) {
      if (group.size == 1) {
        return;
      }
      double[][] places = group.numbers[turn];
      turn ^= 1;
      places[rank] = values.clone();
      group.await(rank);
      Arrays.fill(values, 0);
      for (double[] each : places) {
        for (int i = 0; i < values.length; i++) {
          values[i] += each[i];
        }
      }
    }

    /// Every worker sums one part of the elements for all.
    @Override
    public void allReduce(Tensor tensor) {
      if (group.size == 1) {
        return;
      }
      long count = tensor.shape().elements();
      long from = count * rank / group.size;
      long to = count * (rank + 1) / group.size;
      MemorySegment[] segments = show(tensor);
      switch (tensor.type()) {
        case FLOAT32 -> sumFloats(segments, from, to);
        case FLOAT64 -> sumDoubles(segments, from, to);
        case BFLOAT16, INT64 ->
            throw new IllegalArgumentException("FLOAT32 and FLOAT64 are summed, but not " + tensor);
      }
      group.await(rank);
    }

    /// Sums in blocks that fit the first-level cache, copied into arrays, because a loop over
    /// several segments at once is not compiled to vectors.
    private static void sumFloats(MemorySegment[] segments, long from, long to) {
      float[] sum = new float[BLOCK];
      float[] other = new float[BLOCK];
      for (long at = from; at < to; at += BLOCK) {
        int n = (int) Math.min(BLOCK, to - at);
        MemorySegment.copy(segments[0], JAVA_FLOAT, Float.BYTES * at, sum, 0, n);
        for (int s = 1; s < segments.length; s++) {
          MemorySegment.copy(segments[s], JAVA_FLOAT, Float.BYTES * at, other, 0, n);
          for (int i = 0; i < n; i++) {
            sum[i] += other[i];
          }
        }
        for (MemorySegment each : segments) {
          MemorySegment.copy(sum, 0, each, JAVA_FLOAT, Float.BYTES * at, n);
        }
      }
    }

    private static void sumDoubles(MemorySegment[] segments, long from, long to) {
      for (long i = from; i < to; i++) {
        double sum = 0;
        for (MemorySegment each : segments) {
          sum += each.getAtIndex(JAVA_DOUBLE, i);
        }
        for (MemorySegment each : segments) {
          each.setAtIndex(JAVA_DOUBLE, i, sum);
        }
      }
    }

    @Override
    public void broadcast(Tensor tensor, int root) {
      if (group.size == 1) {
        return;
      }
      MemorySegment[] segments = show(tensor);
      if (rank != root) {
        tensor.segment().copyFrom(segments[root]);
      }
      group.await(rank);
    }

    private MemorySegment[] show(Tensor tensor) {
      MemorySegment[] shown = new MemorySegment[group.size];
      group.segments[rank] = tensor.segment();
      group.await(rank);
      for (int i = 0; i < shown.length; i++) {
        MemorySegment each = Objects.requireNonNull(group.segments[i]);
        if (each.byteSize() != tensor.segment().byteSize()) {
          throw new IllegalArgumentException(
              "workers meet with tensors of one size, but worker %s has %s bytes and worker %s %s"
                  .formatted(rank, tensor.segment().byteSize(), i, each.byteSize()));
        }
        shown[i] = each;
      }
      return shown;
    }
  }
}
