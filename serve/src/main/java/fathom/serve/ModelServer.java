package fathom.serve;

import fathom.train.Machine;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Image classifiers behind HTTP/1.1, by the Open Inference Protocol and a route of our own that
/// takes files of images. `docs/design/serving.md` has all routes and their answers.
///
/// ```java
/// var models = Map.<String, ModelSource>of("digits", () -> ImageClassifier.open(Path.of("runs/mine")));
/// try (var server = ModelServer.start(ServerSettings.usual().at("127.0.0.1", 0), models)) {
///   System.out.println(server.address());
///   ...
/// }
/// ```
///
/// There is no encryption: what listens to other machines belongs behind a proxy that has it.
public final class ModelServer implements AutoCloseable {
  private static final int LONGEST_LINE = 4096;
  private static final int LONGEST_HEADER = 8192;
  private static final int CHUNK = 1 << 16;

  /// How long a connection without a request stays open when the server stops: its client may have
  /// read the answer to its last one, and be sending the next.
  private static final long GRACE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private static final int CORES = Runtime.getRuntime().availableProcessors();

  private final Limits limits;
  private final ServerMetrics metrics = new ServerMetrics();
  private final AccessLog log;
  private final Models models;
  private final Routes routes;
  private final Connections connections;
  private final ExecutorService decoding;
  private final EventLoopGroup loops;
  private final Listener listener;
  private boolean closed;

  private ModelServer(
      ServerSettings settings, Map<String, ModelSource> sources, ExecutorService decoding)
      throws IOException {
    this.limits = settings.limits();
    this.models = new Models(sources, limits, metrics);
    this.log = new AccessLog(settings.accessLog());
    this.connections = new Connections(limits);
    metrics.connections(connections::count);
    this.decoding = decoding;
    this.routes = new Routes(models, metrics, settings, Machine.VERSION, decoding);
    this.loops =
        new MultiThreadIoEventLoopGroup(
            Math.min(2, CORES),
            new DefaultThreadFactory("fathom-serve-http", true),
            NioIoHandler.newFactory());
    try {
      this.listener = new Listener(settings.host(), settings.port(), this::serve);
    } catch (IOException e) {
      stop();
      throw e;
    }
    listener.start();
  }

  /// Opens the models and answers requests from now on, on threads of its own.
  ///
  /// @param models the models by their names in paths, which have letters, digits, points, dashes
  ///   and underscores
  /// @throws UncheckedIOException if the address cannot be listened at
  /// @throws IllegalArgumentException if there is no model, or a name does not fit into a path
  public static ModelServer start(ServerSettings settings, Map<String, ModelSource> models) {
    return start(
        settings,
        models,
        Executors.newFixedThreadPool(
            CORES, Thread.ofPlatform().name("fathom-serve-decode-", 0).daemon().factory()));
  }

  /// Does the same, with threads of the caller's for what decodes; they are shut down on closing.
  static ModelServer start(
      ServerSettings settings, Map<String, ModelSource> models, ExecutorService decoding) {
    try {
      return new ModelServer(settings, models, decoding);
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /// Receives the requests of a connection from now on, on Netty's threads.
  private void serve(SocketChannel accepted) {
    NioSocketChannel channel;
    try {
      channel = new NioSocketChannel(accepted);
      channel.config().setTcpNoDelay(true);
    } catch (ChannelException e) {
      return; // the client has gone
    }
    var connection = new Connection(connections, routes, limits, metrics, log);
    channel
        .pipeline()
        .addLast(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelRead(ChannelHandlerContext ctx, Object bytes) {
                connection.bytesHaveCome();
                ctx.fireChannelRead(bytes);
              }
            })
        .addLast(
            new HttpServerCodec(
                new HttpDecoderConfig()
                    .setMaxInitialLineLength(LONGEST_LINE)
                    .setMaxHeaderSize(LONGEST_HEADER)
                    .setMaxChunkSize(CHUNK)))
        .addLast(connection);
    connection.enter();
    var _ = loops.register(channel);
  }

  /// Returns where it listens, with the port that it has.
  public URI address() {
    InetSocketAddress at = listener.address();
    String host = at.getAddress().getHostAddress();
    return URI.create(
        "http://%s:%s".formatted(host.contains(":") ? "[" + host + "]" : host, at.getPort()));
  }

  /// Returns the names of the models.
  public List<String> models() {
    return models.names();
  }

  /// Returns the number of images that were admitted and are not answered.
  int depth() {
    return models.depth();
  }

  /// Returns the open connections and what they hold.
  Connections connections() {
    return connections;
  }

  /// Opens a model again, as `POST /v2/repository/models/NAME/load` does. Requests that come
  /// meanwhile are answered by the version until now, none is lost. Throws what the source throws;
  /// then that version stays. Returns the new version's number.
  ///
  /// @throws IllegalArgumentException if there is no such model
  public int reload(String name) {
    if (!models.names().contains(name)) {
      throw new IllegalArgumentException(
          "a model that is served is loaded again, but there is no %s; there are %s"
              .formatted(name, models.names()));
    }
    return models.load(name);
  }

  /// Stops: says that it is not ready, refuses what comes, answers what it has accepted for at most
  /// [Limits#draining()], and frees the models. Whoever has connected before it ends is answered,
  /// or finds the connection closed in order. Closing again does nothing.
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    routes.drain();
    long begun = System.nanoTime();
    long end = begun + limits.draining().toNanos();
    while (models.depth() > 0 && System.nanoTime() < end) {
      pause();
    }
    listener.close(limits.connections());
    while (!connections.areClosed() && System.nanoTime() < end) {
      if (System.nanoTime() - begun > GRACE_NANOS) {
        connections.endIdle();
      }
      pause();
    }
    connections.closeAll();
    stop();
  }

  private static void pause() {
    try {
      Thread.sleep(5);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      LockSupport.parkNanos(5_000_000);
    }
  }

  private void stop() {
    var _ =
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    decoding.shutdown();
    models.close();
    log.close();
    metrics.close();
  }
}
