package fathom.cli;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Handlers of the system's signals, until they are closed. The classes of `sun.misc` are the only
/// way to see a second Ctrl-C in the JVM. They are looked up by name, because javac warns when they
/// are named in the code.
final class Signals implements AutoCloseable {
  private final List<Runnable> before = new ArrayList<>();

  /// Runs `heard` at each signal of this name. Returns whether the JVM has access to signals.
  boolean on(String name, Runnable heard) {
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
      return true;
    } catch (ReflectiveOperationException e) {
      return false;
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

  /// Restores the earlier handlers.
  @Override
  public void close() {
    before.forEach(Runnable::run);
    before.clear();
  }
}
