package fathom.serve;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The open connections of a server, and the bytes that they hold together.
final class Connections {
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();

  /// Those that have no place and are only still told so. They keep nobody out.
  private final Set<Connection> leaving = ConcurrentHashMap.newKeySet();

  private final AtomicLong held = new AtomicLong();
  private final Limits limits;

  Connections(Limits limits) {
    this.limits = limits;
  }

  /// Returns the number of those that have a place.
  int count() {
    return open.size();
  }

  /// Returns whether all have been closed, also those without a place.
  boolean areClosed() {
    return open.isEmpty() && leaving.isEmpty();
  }

  /// Returns the bytes of all bodies that are not decoded.
  long held() {
    return held.get();
  }

  /// Adds a connection. If there are as many as there may be, one without a request is ended in its
  /// favour; if all have one, the result is false.
  boolean enter(Connection connection) {
    boolean admitted = open.size() < limits.connections() || makeRoom();
    (admitted ? open : leaving).add(connection);
    return admitted;
  }

  private boolean makeRoom() {
    for (Connection each : open) {
      if (each.endIfIdle()) {
        leaving.add(each);
        return open.remove(each);
      }
    }
    return false;
  }

  void leave(Connection connection) {
    open.remove(connection);
    leaving.remove(connection);
  }

  /// Returns whether there are so many that are leaving that they are closed at once.
  boolean areTooManyLeaving() {
    return leaving.size() > limits.connections();
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

  /// Ends those without a request.
  void endIdle() {
    open.forEach(Connection::endIfIdle);
  }

  void closeAll() {
    open.forEach(Connection::close);
    leaving.forEach(Connection::close);
  }
}
