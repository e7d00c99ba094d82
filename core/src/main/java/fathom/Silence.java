package fathom;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Keeps native code from printing. Gloo says on standard output to how many processes it is
/// connected, where only the answer of a command belongs, and the store complains at length on
/// standard error of what it throws as well.
final class Silence {
  private static final @Nullable MethodHandle OPEN =
      Torch.function("open", ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
  private static final @Nullable MethodHandle DUP = Torch.function("dup", ValueLayout.JAVA_INT);
  private static final @Nullable MethodHandle DUP2 =
      Torch.function("dup2", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
  private static final @Nullable MethodHandle CLOSE = Torch.function("close", ValueLayout.JAVA_INT);
  private static final int WRITE_ONLY = 1;

  /// The number of threads that want silence now.
  private static int wanted;

  /// What standard output and standard error were before.
  private static int out = -1;

  private static int err = -1;

  private Silence() {}

  /// Returns what `body` returns. Whatever the process prints meanwhile is lost.
  static <T> T during(Supplier<T> body) {
    begin();
    try {
      return body.get();
    } finally {
      end();
    }
  }

  private static synchronized void begin() {
    if (wanted++ > 0 || OPEN == null || DUP == null || DUP2 == null || CLOSE == null) {
      return; // it is silent already, or this is not POSIX
    }
    System.out.flush();
    System.err.flush();
    try (Arena arena = Arena.ofConfined()) {
      int nothing = (int) OPEN.invokeExact(arena.allocateFrom("/dev/null"), WRITE_ONLY);
      if (nothing >= 0) {
        out = (int) DUP.invokeExact(1);
        err = (int) DUP.invokeExact(2);
        int _ = (int) DUP2.invokeExact(nothing, 1);
        int _ = (int) DUP2.invokeExact(nothing, 2);
        int _ = (int) CLOSE.invokeExact(nothing);
      }
    } catch (Throwable e) {
      throw new LinkageError("the C library could not be called", e);
    }
  }

  private static synchronized void end() {
    if (--wanted > 0 || out < 0 || DUP2 == null || CLOSE == null) {
      return;
    }
    try {
      int _ = (int) DUP2.invokeExact(out, 1);
      int _ = (int) DUP2.invokeExact(err, 2);
      int _ = (int) CLOSE.invokeExact(out);
      int _ = (int) CLOSE.invokeExact(err);
    } catch (Throwable e) {
      throw new LinkageError("the C library could not be called", e);
    }
    out = -1;
    err = -1;
  }
}
