package fathom;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A lexical lifetime for tensors. One that is not lexical is a [Lifetime].
///
/// A tensor belongs to the innermost scope that is open on its thread when it is made, and dies
/// when that scope closes. Who opens a scope [keeps][#keep] what it returns. Outside any scope no
/// tensor can be made, so none can be forgotten.
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

  /// Opens a scope in which tensors have shapes and no elements, as have those of scopes inside it:
  /// in it a net is built in no time and without libtorch, to be counted. What asks for elements
  /// throws `IllegalStateException`.
  public static Scope ofShapes() {
    return innermost(new Scope(INNERMOST.get(), true));
  }

  private static Scope innermost(Scope scope) {
    INNERMOST.set(scope);
    return scope;
  }

  /// A scope that no thread has open: for a [Lifetime].
  static Scope ofNoThread() {
    return new Scope(null, false);
  }

  /// Runs `make` with this scope, which is of no thread, as the innermost one of this thread.
  <T> T during(Supplier<T> make) {
    Scope before = INNERMOST.get();
    INNERMOST.set(this);
    try {
      return make.get();
    } finally {
      INNERMOST.set(before);
    }
  }

  /// Whether what is made here now has a shape and no elements.
  static boolean hasShapesOnly() {
    return innermost().shapesOnly;
  }

  /// Hands `tensor` to the enclosing scope, and returns it. A tensor of an outer scope stays where
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
  /// an inner scope is still open, or on another thread than the one that opened it.
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

  /// Ends it on whichever thread.
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
