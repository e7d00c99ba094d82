package fathom.parallel;

import fathom.DeviceException;
import fathom.KeyStore;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Collections;

/// How the processes of a launch find their store, and this host's address in their network.
final class Rendezvous {
  private static final int LOOK_MILLIS = 1000;
  private static final int AGAIN_MILLIS = 50;

  private Rendezvous() {}

  /// Hosts the store, or waits until its host is there. Throws [DeviceException] if the port is
  /// taken, and [LostProcessException] if the host does not come within three times the timeout.
  static KeyStore store(Launch launch, Duration timeout) {
    try {
      if (launch.hosts()) {
        return KeyStore.host(launch.port(), timeout);
      }
      awaitHost(launch, timeout);
      return KeyStore.at(launch.host(), launch.port(), timeout);
    } catch (LostProcessException e) {
      throw e;
    } catch (RuntimeException e) {
      String why = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new DeviceException(
          "the processes cannot meet at %s:%s (%s); is the port free on the host of rank 0, and open to the others? MASTER_PORT names another"
              .formatted(launch.host(), launch.port(), why));
    }
  }

  /// How long to wait for a process to start: hosts do not start at the same moment, and a JVM
  /// takes seconds where there is much to do.
  static Duration start(Duration timeout) {
    return timeout.multipliedBy(3);
  }

  private static void awaitHost(Launch launch, Duration timeout) {
    long start = System.nanoTime();
    while (true) {
      try (var socket = new Socket()) {
        socket.connect(new InetSocketAddress(launch.host(), launch.port()), LOOK_MILLIS);
        return;
      } catch (IOException e) {
        if (System.nanoTime() - start > start(timeout).toNanos()) {
          throw new LostProcessException(
              "%s at %s:%s, where the processes meet, has not started within %s s: %s"
                  .formatted(
                      launch.hosted() ? "the launcher's store" : "rank 0",
                      launch.host(),
                      launch.port(),
                      start(timeout).toMillis() / 1e3,
                      e.getMessage()),
              e);
        }
      }
      sleep(AGAIN_MILLIS);
    }
  }

  static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LostProcessException("the wait for other processes was interrupted", e);
    }
  }

  /// This host's address on the way to the place where the processes meet. A host often takes its
  /// own name for 127.0.1.1, at which no other finds it; then the address of its first interface.
  static String address(Launch launch) {
    try (var socket = new DatagramSocket()) {
      var place = new InetSocketAddress(launch.host(), launch.port());
      socket.connect(place); // sends nothing, but finds the way
      InetAddress own = socket.getLocalAddress();
      boolean meant =
          launch.host().equals("localhost")
              || launch.host().startsWith("127.")
              || launch.host().equals("::1");
      return (own.isLoopbackAddress() && !meant ? firstAddress(own) : own).getHostAddress();
    } catch (IOException e) {
      throw new DeviceException(
          "%s, where the processes meet, cannot be reached from here (%s); check MASTER_ADDR"
              .formatted(launch.host(), e.getMessage()));
    }
  }

  private static InetAddress firstAddress(InetAddress otherwise) throws SocketException {
    for (NetworkInterface each : Collections.list(NetworkInterface.getNetworkInterfaces())) {
      if (each.isUp() && !each.isLoopback()) {
        for (InetAddress address : Collections.list(each.getInetAddresses())) {
          if (address instanceof Inet4Address) {
            return address;
          }
        }
      }
    }
    return otherwise;
  }
}
