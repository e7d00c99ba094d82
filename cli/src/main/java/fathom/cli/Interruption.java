package fathom.cli;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Ctrl-C and SIGTERM during something long: the first asks it to stop and lets it save, and the
/// process ends with the code of the signal. A second Ctrl-C ends the JVM at once. One that follows
/// within half a second is the same one: who stops a group of processes, as `timeout` does, signals
/// the group and its leader.
///
/// Who stops a container kills it 10 seconds later. So what has not come to its end in
/// [#PATIENCE_SECONDS] is not waited for: a last attempt saves what it can, says what became of it,
/// and the JVM ends. Where the platform's signals cannot be had, a hook at the end of the JVM does
/// the same.
final class Interruption implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 5;
  private static final long SAME_PRESS_NANOS = 500_000_000;

  /// Saves, from another thread, what has not come to its end; says to standard error what became
  /// of it, and returns whether all is saved that was done.
  private final BooleanSupplier lastAttempt;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::ending, "fathom-interruption");
  private final IntConsumer halt;
  private final LongSupplier nanos;
  private final List<Runnable> before = new ArrayList<>();
  private volatile boolean requested;
  private volatile int code = Exit.TERMINATED;
  private long pressedAt;

  Interruption(BooleanSupplier lastAttempt) {
    this(lastAttempt, Runtime.getRuntime()::halt, System::nanoTime);
  }

  /// Ended by other means and in a time of its own.
  Interruption(BooleanSupplier lastAttempt, IntConsumer halt, LongSupplier nanos) {
    this.lastAttempt = lastAttempt;
    this.halt = halt;
    this.nanos = nanos;
    Runtime.getRuntime().addShutdownHook(hook);
    on("INT", () -> signalled(Exit.INTERRUPTED));
    on("TERM", () -> signalled(Exit.TERMINATED));
  }

  boolean requested() {
    return requested;
  }

  /// The exit code of what was stopped and has saved: that of the signal.
  int code() {
    return code;
  }

  /// A signal that ends a process with this code. Each comes on a thread of its own.
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

  /// Waits for the end of what was asked to stop, but not for long.
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

  /// Has `heard` run at a signal until this is closed. The JVM has no other way to hear of a second
  /// Ctrl-C; javac warns of the names, so they are looked up.
  private void on(String name, Runnable heard) {
    try {
      Class<?> type = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              type.getClassLoader(),
              new Class<?>[] {type},
              (self, method, arguments) ->
                  switch (method.getName()) {
                    case "handle" -> {
                      heard.run();
                      yield null;
                    }
                    case "hashCode" -> System.identityHashCode(self);
                    case "equals" -> false;
                    default -> "fathom-interruption";
                  });
      Object previous = handle(name, handler);
      before.add(() -> restore(name, previous));
    } catch (ReflectiveOperationException e) {
      return; // the hook does what can be done
    }
  }

  private static @Nullable Object handle(String name, Object handler)
      throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    return signal
        .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
  }

  private static void restore(String name, @Nullable Object previous) {
    try {
      if (previous != null) {
        handle(name, previous);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("what was heard before cannot be heard again: " + name, e);
    }
  }

  /// Nothing is left to save.
  @Override
  public void close() {
    ended.countDown();
    before.forEach(Runnable::run);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      requested = true; // the JVM began to end just now
    }
  }
}
