package fathom.serve;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The open connections of a server, and the bytes that they hold together.
final class Connections {
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong held = new AtomicLong();
  private final Limits limits;

  Connections(Limits limits) {
    this.limits = limits;
  }

  int count() {
    return open.size();
  }

  /// Returns the bytes of all bodies that are not decoded.
  long held() {
    return held.get();
  }

  /// Adds a connection. If there are as many as there may be, one without a request is closed in
  /// its favour; if all have one, the result is false.
  boolean enter(Connection connection) {
    return (open.size() < limits.connections() || makeRoom()) && open.add(connection);
  }

  private boolean makeRoom() {
    return open.stream()
        .filter(Connection::closeIfIdle)
        .findFirst()
        .filter(open::remove)
        .isPresent();
  }

  void leave(Connection connection) {
    open.remove(connection);
  }

  /// Takes room for bytes of a body, or returns false if there is none.
  boolean hold(long bytes) {
    if (held.addAndGet(bytes) > limits.bodies()) {
      held.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  void give(long bytes) {
    held.addAndGet(-bytes);
  }

  /// Closes those without a request.
  void closeIdle() {
    open.forEach(Connection::closeIfIdle);
  }

  void closeAll() {
    open.forEach(Connection::close);
  }
}
