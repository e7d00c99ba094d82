package fathom.cli;

import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Ctrl-C during a training: the first asks the training to stop and lets it save, the second ends
/// the JVM at once. One that follows within half a second is the same one: who stops a group of
/// processes, as `timeout` does, signals the group and its leader. Where the platform's signals
/// cannot be had, and for SIGTERM, the training gets time to save while the JVM ends.
final class Interruption implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;
  private static final long SAME_PRESS_NANOS = 500_000_000;

  private final CountDownLatch saved = new CountDownLatch(1);
  private final Thread hook = new Thread(this::wanted, "fathom-interruption");
  private final Runnable halt;
  private final LongSupplier nanos;
  private final @Nullable Object previous;
  private volatile boolean requested;
  private long pressedAt;

  Interruption() {
    this(() -> Runtime.getRuntime().halt(Exit.INTERRUPTED), System::nanoTime);
  }

  /// Ended by other means and in a time of its own.
  Interruption(Runnable halt, LongSupplier nanos) {
    this.halt = halt;
    this.nanos = nanos;
    Runtime.getRuntime().addShutdownHook(hook);
    this.previous = onInterrupt(handler(this::pressed));
  }

  boolean requested() {
    return requested;
  }

  /// Ctrl-C. Each comes on a thread of its own.
  synchronized void pressed() {
    if (requested) {
      if (nanos.getAsLong() - pressedAt > SAME_PRESS_NANOS) {
        halt.run();
      }
    } else {
      requested = true;
      pressedAt = nanos.getAsLong();
      System.err.println("\nfinishing this step and saving; Ctrl-C again stops at once");
    }
  }

  /// The JVM has no other way to hear of a second Ctrl-C; javac warns of the name, so it is looked
  /// up.
  private static @Nullable Object handler(Runnable heard) {
    try {
      Class<?> type = Class.forName("sun.misc.SignalHandler");
      return Proxy.newProxyInstance(
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
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  /// Returns what was there before; null if nothing was changed.
  private static @Nullable Object onInterrupt(@Nullable Object handler) {
    if (handler == null) {
      return null;
    }
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Object interrupt = signal.getConstructor(String.class).newInstance("INT");
      return signal
          .getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
          .invoke(null, interrupt, handler);
    } catch (ReflectiveOperationException e) {
      return null; // the hook does what can be done
    }
  }

  private void wanted() {
    requested = true;
    try {
      if (!saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        Runtime.getRuntime().halt(Exit.INTERRUPTED);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Nothing is left to save.
  @Override
  public void close() {
    saved.countDown();
    onInterrupt(previous);
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      requested = true; // the JVM began to end just now
    }
  }
}
