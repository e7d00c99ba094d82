package fathom;

import java.util.function.Supplier;

/// A lifetime for tensors that is not tied to a block of code. It lasts until any thread closes it,
/// and many threads may read the tensors in it.
///
/// A [Scope] is opened and closed by one thread, as a block is entered and left. Tensors that are
/// made once and used for long, such as the weights of a net that answers requests, do not fit into
/// such a block.
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

  /// Runs `make`, whose tensors live as long as this lifetime. Tensors of scopes that `make` opens
  /// and closes still die with those scopes. Only one thread at a time runs this method; others
  /// wait. Throws `IllegalStateException` if this lifetime is closed.
  public synchronized <T> T in(Supplier<T> make) {
    if (over) {
      throw new IllegalStateException(
          "tensors are made in a lifetime that lasts, but this one is closed; open another");
    }
    return scope.during(make);
  }

  /// Frees all tensors of this lifetime; no thread may use them afterwards. Closing twice has no
  /// further effect.
  @Override
  public synchronized void close() {
    over = true;
    scope.free();
  }
}
