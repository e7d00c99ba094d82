package fathom.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Clients of a service on this machine: many connections, which one thread reads.
///
/// Either every connection sends its next request when it has its answer, which is how the most
/// that a service can do is found; or requests come at a constant rate whatever the service does,
/// as from people who do not know of each other, and the time of a request counts from when it was
/// due. With the former alone a service that stands still for a second is asked for nothing
/// meanwhile, and the second counts once.
final class HttpLoad {
  private static final int BUFFER = 1 << 16;

  /// How long answers are awaited after the last request.
  private static final long LATEST_NANOS = 20_000_000_000L;

  private final InetSocketAddress at;
  private final List<byte[]> requests;
  private final ConcurrentLinkedQueue<Client> free = new ConcurrentLinkedQueue<>();
  private final List<Long> latencies = new ArrayList<>();
  private final Selector selector;
  private int next;
  private int answered;
  private int unavailable;
  private int others;
  private int lost;
  private int refused;

  /// What became of the requests.
  ///
  /// @param nanos the times of those with an answer of status 200, in increasing order
  /// @param unavailable answers of status 503
  /// @param others answers of any other status
  /// @param lost requests whose connection ended or was reset without an answer
  /// @param refused connections that nobody listened for
  /// @param seconds from the first request to the last answer
  record Outcome(long[] nanos, int unavailable, int others, int lost, int refused, double seconds) {
    double rate() {
      return nanos.length / seconds;
    }

    /// Returns the time in milliseconds below which this share of the times lies.
    double milliseconds(double share) {
      return nanos.length == 0
          ? Double.NaN
          : nanos[(int) Math.min(nanos.length - 1, share * nanos.length)] / 1e6;
    }
  }

  /// A connection and the request that is on it.
  private static final class Client {
    final ByteBuffer in = ByteBuffer.allocate(BUFFER);
    @Nullable SocketChannel channel;
    long due;
  }

  private HttpLoad(InetSocketAddress at, List<byte[]> requests) throws IOException {
    this.at = at;
    this.requests = requests;
    this.selector = Selector.open();
  }

  /// Sends the next request on each connection when the one before is answered, until the time is
  /// over or nobody listens any more.
  static Outcome closed(
      InetSocketAddress at, List<byte[]> requests, int connections, double seconds) {
    return run(at, requests, connections, seconds, 0);
  }

  /// Sends so many requests a second, on at most so many connections.
  static Outcome constant(
      InetSocketAddress at, List<byte[]> requests, int connections, double seconds, double rate) {
    return run(at, requests, connections, seconds, rate);
  }

  private static Outcome run(
      InetSocketAddress at, List<byte[]> requests, int connections, double seconds, double rate) {
    try {
      var load = new HttpLoad(at, requests);
      try (load.selector) {
        return load.run(connections, (long) (1e9 * seconds), rate);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the requests could not be sent", e);
    }
  }

  private Outcome run(int connections, long time, double rate) throws IOException {
    long begun = System.nanoTime();
    long end = begun + time;
    for (int i = 0; i < connections; i++) {
      free.add(new Client());
    }
    long[] sent = {0};
    if (rate == 0) {
      for (Client client = free.poll(); client != null; client = free.poll()) {
        client.due = System.nanoTime();
        send(client);
        sent[0]++;
      }
    }
    Thread sender = rate == 0 ? null : Thread.ofPlatform().start(() -> sent[0] = pace(end, rate));
    long last = begun;
    while (System.nanoTime() < end + LATEST_NANOS) {
      selector.select(20);
      for (SelectionKey key : selector.selectedKeys()) {
        var client = (Client) key.attachment();
        boolean complete = read(client, key);
        if (complete) {
          last = System.nanoTime();
          if (rate > 0) {
            free.add(client);
          } else if (last < end && refused < connections) {
            client.due = last;
            send(client);
            sent[0]++;
          }
        }
      }
      selector.selectedKeys().clear();
      if ((sender == null || !sender.isAlive())
          && answered + lost + refused >= sent[0]
          && (System.nanoTime() >= end || refused >= connections)) {
        break;
      }
    }
    for (SelectionKey key : selector.keys()) {
      key.channel().close();
    }
    long[] nanos = latencies.stream().mapToLong(Long::longValue).toArray();
    Arrays.sort(nanos);
    return new Outcome(nanos, unavailable, others, lost, refused, (last - begun) / 1e9);
  }

  /// Sends requests when they are due, and returns how many. One for which there is no connection
  /// is late, and counts as such.
  private long pace(long end, double rate) {
    double interval = 1e9 / rate;
    double due = System.nanoTime();
    long count = 0;
    while (due < end && System.nanoTime() < end) {
      long wait = (long) due - System.nanoTime();
      if (wait > 0) {
        LockSupport.parkNanos(wait);
        continue;
      }
      Client client = free.poll();
      if (client == null) {
        LockSupport.parkNanos(200_000);
        continue;
      }
      client.due = (long) due;
      send(client);
      count++;
      due += interval;
    }
    return count;
  }

  private void send(Client client) {
    SocketChannel channel = client.channel;
    try {
      if (channel == null) {
        channel = SocketChannel.open(at);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        client.channel = channel;
        write(channel);
        channel.configureBlocking(false);
        selector.wakeup();
        channel.register(selector, SelectionKey.OP_READ, client);
      } else {
        write(channel);
      }
    } catch (ConnectException e) {
      gone(client, false);
    } catch (IOException e) {
      gone(client, true);
    }
  }

  private void write(SocketChannel channel) throws IOException {
    ByteBuffer request;
    synchronized (requests) {
      request = ByteBuffer.wrap(requests.get(next++ % requests.size()));
    }
    while (request.hasRemaining()) {
      if (channel.write(request) == 0) {
        Thread.onSpinWait();
      }
    }
  }

  private synchronized void gone(Client client, boolean wasSent) {
    SocketChannel channel = client.channel;
    client.channel = null;
    client.in.clear();
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        // it is gone already
      }
    }
    if (wasSent) {
      lost++;
    } else {
      refused++;
    }
  }

  /// Reads what has come, and returns whether an answer is complete, or will never be.
  private boolean read(Client client, SelectionKey key) {
    SocketChannel channel = client.channel;
    if (channel == null) {
      return false;
    }
    try {
      if (channel.read(client.in) < 0) {
        key.cancel();
        gone(client, true);
        return true;
      }
    } catch (IOException e) {
      key.cancel();
      gone(client, true);
      return true;
    }
    String came =
        new String(client.in.array(), 0, client.in.position(), StandardCharsets.ISO_8859_1);
    int head = came.indexOf("\r\n\r\n");
    if (head < 0) {
      return false;
    }
    String said = came.substring(0, head).toLowerCase(Locale.ROOT);
    int at = said.indexOf("content-length: ") + "content-length: ".length();
    int stop = said.indexOf('\r', at);
    int length = Integer.parseInt(said.substring(at, stop < 0 ? said.length() : stop));
    if (came.length() < head + 4 + length) {
      return false;
    }
    count(Integer.parseInt(came.substring(9, 12)), System.nanoTime() - client.due);
    client.in.clear();
    if (said.contains("connection: close")) {
      key.cancel();
      client.channel = null;
      try {
        channel.close();
      } catch (IOException e) {
        // it is closed all the same
      }
    }
    return true;
  }

  private synchronized void count(int status, long nanos) {
    answered++;
    switch (status) {
      case 200 -> latencies.add(nanos);
      case 503 -> unavailable++;
      default -> others++;
    }
  }
}
