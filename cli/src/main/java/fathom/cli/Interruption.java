package fathom.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;

/// Handles Ctrl-C and SIGTERM during long work. The first signal requests a stop and lets the work
/// save its state, and the process ends with the exit code of the signal. A second Ctrl-C ends the
/// JVM at once. A second signal within half a second counts as the same one, because tools that
/// stop a group of processes, as `timeout` does, signal both the group and its leader.
///
/// A container runtime usually kills a container 10 seconds after it asks it to stop. Work that has
/// not ended after [#PATIENCE_SECONDS] is therefore not waited for: a last attempt saves what it
/// can, reports what it saved, and the JVM ends. Where the JVM has no access to signals, a shutdown
/// hook does the same.
final class Interruption implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 5;
  private static final long SAME_PRESS_NANOS = 500_000_000;

  /// Saves, from another thread, the state of work that has not ended in time. Reports to standard
  /// error what it saved, and returns whether everything that was done is saved.
  private final BooleanSupplier lastAttempt;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::ending, "fathom-interruption");
  private final IntConsumer halt;
  private final LongSupplier nanos;
  private final Signals signals = new Signals();
  private volatile boolean requested;
  private volatile int code = Exit.TERMINATED;
  private long pressedAt;

  Interruption(BooleanSupplier lastAttempt) {
    this(lastAttempt, Runtime.getRuntime()::halt, System::nanoTime);
  }

  /// Creates an interruption with another way to end the process and another clock, for tests.
  Interruption(BooleanSupplier lastAttempt, IntConsumer halt, LongSupplier nanos) {
    this.lastAttempt = lastAttempt;
    this.halt = halt;
    this.nanos = nanos;
    Runtime.getRuntime().addShutdownHook(hook);
    signals.on("INT", () -> signalled(Exit.INTERRUPTED));
    signals.on("TERM", () -> signalled(Exit.TERMINATED));
  }

  boolean requested() {
    return requested;
  }

  /// Returns the exit code for work that was stopped and has saved: the code of the signal.
  int code() {
    return code;
  }

  /// Handles a signal that ends a process with this exit code. Each signal arrives on a thread of
  /// its own.
  synchronized void signalled(int code) {
    if (requested) {
      if (nanos.getAsLong() - pressedAt > SAME_PRESS_NANOS && code == Exit.INTERRUPTED) {
        System.err.println("\nstopped at once: what was not saved yet is lost");
        halt.accept(Exit.FAILED);
      }
      return;
    }
    this.code = code;
    pressedAt = nanos.getAsLong();
    requested = true;
    System.err.println(
        "\nfinishing this step and saving%s"
            .formatted(code == Exit.INTERRUPTED ? "; Ctrl-C again stops at once" : ""));
    Thread.ofPlatform().name("fathom-last-attempt").daemon().start(this::ending);
  }

  /// Waits for the end of the work, for at most [#PATIENCE_SECONDS].
  private void ending() {
    requested = true;
    try {
      if (!ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        boolean saved = lastAttempt.getAsBoolean();
        System.err.flush();
        halt.accept(saved ? code : Exit.FAILED);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Ends the handling of signals, because nothing is left to save, and restores the earlier
  /// handlers.
  @Override
  public void close() {
    ended.countDown();
    signals.close();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      requested = true; // the JVM has just begun to end
    }
  }
}
