package fathom;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A lexical lifetime for tensors. A [Lifetime] serves tensors whose lifetime is not lexical.
///
/// A tensor belongs to the innermost scope that is open on its thread when it is made, and dies
/// when that scope closes. A method that opens a scope [keeps][#keep] the tensors that it returns.
/// No tensor can be made outside a scope, so none can leak.
///
/// ```java
/// try (var scope = Scope.open()) {
///   return scope.keep(x.times(y).sum());   // the product dies here, the sum goes to the caller's scope
/// }
/// ```
public final class Scope implements AutoCloseable {
  private static final ThreadLocal<@Nullable Scope> INNERMOST = new ThreadLocal<>();

  private final @Nullable Scope outer;
  private final boolean shapesOnly;
  private final Thread thread = Thread.currentThread();
  private final List<Tensor> made = new ArrayList<>();
  private boolean open = true;

  private Scope(@Nullable Scope outer, boolean shapesOnly) {
    this.outer = outer;
    this.shapesOnly = shapesOnly;
  }

  /// Opens a scope inside this thread's innermost one.
  public static Scope open() {
    Scope outer = INNERMOST.get();
    return innermost(new Scope(outer, outer != null && outer.shapesOnly));
  }

  /// Opens a scope in which tensors have shapes and no elements; scopes opened inside it are of the
  /// same kind. A net is built in it quickly and without libtorch, to count its parameters and
  /// operations. An operation that needs elements throws `IllegalStateException`.
  public static Scope ofShapes() {
    return innermost(new Scope(INNERMOST.get(), true));
  }

  private static Scope innermost(Scope scope) {
    INNERMOST.set(scope);
    return scope;
  }

  /// Returns a scope that no thread has opened, for a [Lifetime].
  static Scope ofNoThread() {
    return new Scope(null, false);
  }

  /// Runs `make` with this scope as the innermost one of this thread. The scope must belong to no
  /// thread.
  <T> T during(Supplier<T> make) {
    Scope before = INNERMOST.get();
    INNERMOST.set(this);
    try {
      return make.get();
    } finally {
      INNERMOST.set(before);
    }
  }

  /// Whether tensors made here now have a shape and no elements.
  static boolean hasShapesOnly() {
    return innermost().shapesOnly;
  }

  /// Hands `tensor` to the enclosing scope and returns it. A tensor of an outer scope stays where
  /// it is. Throws `IllegalStateException` if there is no enclosing scope.
  public Tensor keep(Tensor tensor) {
    if (tensor.scope == this) {
      if (outer == null) {
        throw new IllegalStateException(
            "keep() hands a tensor to the enclosing scope, but this one is outermost on its thread;"
                + " open a scope around it");
      }
      outer.adopt(tensor);
    }
    return tensor;
  }

  /// Frees every tensor that was made in this scope and not kept. Throws `IllegalStateException` if
  /// an inner scope is still open, or if another thread than the one that opened this scope calls
  /// it. Closing twice has no further effect.
  @Override
  public void close() {
    if (!open) {
      return;
    }
    if (INNERMOST.get() != this) {
      throw new IllegalStateException(
          "scopes close innermost first, on their own thread: this one was opened on \"%s\", and \"%s\" %s"
              .formatted(
                  thread.getName(),
                  Thread.currentThread().getName(),
                  thread == Thread.currentThread() ? "has an inner one open" : "closes it"));
    }
    INNERMOST.set(outer);
    free();
  }

  /// Frees the tensors of this scope, on whichever thread.
  void free() {
    open = false;
    for (Tensor tensor : made) {
      if (tensor.scope == this) {
        tensor.release();
      }
    }
    made.clear();
  }

  static Scope innermost() {
    Scope scope = INNERMOST.get();
    if (scope == null) {
      throw new IllegalStateException(
          "a tensor needs an open scope on its thread (\"%s\") to live in: try (var scope = Scope.open()) { ... }"
              .formatted(Thread.currentThread().getName()));
    }
    return scope;
  }

  void adopt(Tensor tensor) {
    tensor.scope = this;
    made.add(tensor);
  }
}
