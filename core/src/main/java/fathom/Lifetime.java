package fathom;

import java.util.function.Supplier;

/// A lifetime for tensors that is not that of a block: it lasts until it is closed, by whichever
/// thread, and many threads may read what lives in it.
///
/// A [Scope] is opened and closed by one thread, as a block is entered and left. What is made once
/// and used for long, such as the weights of a net that answers requests, belongs to no such block.
///
/// ```java
/// var life = new Lifetime();
/// Layer net = life.in(() -> architecture.build(init));
/// ...                                        // any thread: try (var _ = Scope.open()) { net.predict(x) ... }
/// life.close();
/// ```
public final class Lifetime implements AutoCloseable {
  private final Scope scope = Scope.ofNoThread();
  private boolean over;

  /// Makes something whose tensors live as long as this. Tensors of scopes that `make` opens and
  /// closes die with those, as ever. One thread at a time makes something; others wait. Throws
  /// `IllegalStateException` if this is closed.
  public synchronized <T> T in(Supplier<T> make) {
    if (over) {
      throw new IllegalStateException(
          "tensors are made in a lifetime that lasts, but this one is closed; open another");
    }
    return scope.during(make);
  }

  /// Frees all its tensors, which nobody may use any more. Once is enough.
  @Override
  public synchronized void close() {
    over = true;
    scope.free();
  }
}
