package fathom.serve;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The socket at which a server listens, and the thread that accepts its connections.
///
/// To a client a connection exists as soon as the system has made it, which is before the server
/// accepts it; and whatever the system has made and the server has not accepted is reset when the
/// socket is closed. So it is closed when nothing waits at it. A client that is answered connects
/// again at once, so those who come last are accepted and get their answer only after that.
final class Listener {
  private static final int BACKLOG = 1024;

  /// For how long nobody may come before the socket is closed, and for how long that is tried.
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// How long nothing is accepted after a failure, which is that the process has too many files.
  private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long STEP_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  private final ServerSocketChannel socket;
  private final Selector selector;
  private final InetSocketAddress address;
  private final Consumer<SocketChannel> accepted;
  private final Thread thread =
      Thread.ofPlatform().name("fathom-serve-accept").daemon().unstarted(this::accept);
  private volatile boolean closing;

  /// Listens from now on, and accepts when it is started.
  ///
  /// @param accepted gets each connection
  Listener(String host, int port, Consumer<SocketChannel> accepted) throws IOException {
    this.accepted = accepted;
    this.socket = ServerSocketChannel.open();
    try {
      socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      socket.bind(new InetSocketAddress(host, port), BACKLOG);
      socket.configureBlocking(false);
      this.address = (InetSocketAddress) socket.getLocalAddress();
      this.selector = Selector.open();
      socket.register(selector, SelectionKey.OP_ACCEPT);
    } catch (IOException | UnresolvedAddressException e) {
      socket.close();
      String why = e instanceof UnresolvedAddressException ? "no such host" : e.getMessage();
      throw new IOException("%s:%s cannot be listened at: %s".formatted(host, port, why));
    }
  }

  void start() {
    thread.start();
  }

  InetSocketAddress address() {
    return address;
  }

  private void accept() {
    try (selector) {
      while (!closing) {
        selector.select();
        selector.selectedKeys().clear();
        for (SocketChannel next = next(); next != null; next = next()) {
          accepted.accept(next);
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("the system cannot wait for connections", e);
    }
  }

  /// Returns a connection that waits, or null.
  private @Nullable SocketChannel next() {
    try {
      return socket.accept();
    } catch (IOException e) {
      LockSupport.parkNanos(RETRY_NANOS);
      return null;
    }
  }

  /// Stops listening. Who had come by then is accepted.
  ///
  /// @param most how many more connections may be held until the socket is closed
  void close(int most) {
    closing = true;
    selector.wakeup();
    boolean interrupted = false;
    while (thread.isAlive()) { // a socket that a selector knows is not closed at once
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    List<SocketChannel> last = new ArrayList<>();
    long came = System.nanoTime();
    long end = came + PATIENCE_NANOS;
    for (long now = came; now < end && now - came < QUIET_NANOS; now = System.nanoTime()) {
      SocketChannel next = next();
      if (next == null) {
        LockSupport.parkNanos(STEP_NANOS);
      } else if (last.size() < most) {
        last.add(next);
        came = now;
      } else {
        accepted.accept(next);
      }
    }
    try {
      for (SocketChannel next = next(); next != null && last.size() < most; next = next()) {
        last.add(next);
      }
      socket.close();
    } catch (IOException e) {
      // It is closed all the same.
    }
    last.forEach(accepted);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
