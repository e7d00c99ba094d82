package fathom.serve;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A connection, on which one request after the other is received and answered. All methods but
/// [#enter], [#endIfIdle] and [#close()] run on the thread of its channel.
///
/// The connection is read even while a request is answered, for only so does it tell that the
/// client has gone. What comes meanwhile waits, and if it is much, reading stops.
final class Connection extends ChannelInboundHandlerAdapter {
  /// A refused body up to this length is read to its end, so that the connection can stay.
  private static final int DISCARDED = 1 << 20;

  private static final int MOST_LATER = 16;
  private static final int LINGER_MILLIS = 500;

  private enum State {
    IDLE,
    RECEIVING,
    ANSWERING,
    CLOSING
  }

  private final Connections all;
  private final Routes routes;
  private final Limits limits;
  private final ServerMetrics metrics;
  private final AccessLog log;
  private final ArrayDeque<Object> later = new ArrayDeque<>();
  private volatile State state = State.IDLE;
  private volatile @Nullable ChannelHandlerContext context;
  private @Nullable Future<?> timer;
  private @Nullable Request request;
  private @Nullable Reply refusal;
  private @Nullable ByteArrayOutputStream body;
  private String remote = "";
  private String method = "";
  private String target = "";
  private long began;
  private long received;
  private long held;
  private boolean keepsAlive;
  private boolean admitted;

  Connection(Connections all, Routes routes, Limits limits, ServerMetrics metrics, AccessLog log) {
    this.all = all;
    this.routes = routes;
    this.limits = limits;
    this.metrics = metrics;
    this.log = log;
  }

  /// Takes a place among all connections. It is called before the channel is registered.
  void enter() {
    admitted = all.enter(this);
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    context = ctx;
    if (ctx.channel().remoteAddress() instanceof InetSocketAddress from) {
      remote = from.getAddress().getHostAddress();
    }
    if (!admitted) {
      refuse(
          ctx,
          new Reply.RefusedException(
              503, "connections", "the server has no connection left; try again"));
      return;
    }
    after(ctx, limits.receiving(), () -> end(ctx));
  }

  /// Called when bytes have come that may not be a request yet.
  void bytesHaveCome() {
    ChannelHandlerContext ctx = context;
    if (ctx != null && state == State.IDLE) {
      state = State.RECEIVING;
      began = System.nanoTime();
      after(
          ctx,
          limits.receiving(),
          () ->
              refuse(
                  ctx,
                  new Reply.RefusedException(
                      408,
                      "slow",
                      "a request is sent within %s s, but this one was not here by then"
                          .formatted(limits.receiving().toSeconds()))));
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    switch (state) {
      case CLOSING -> ReferenceCountUtil.release(message);
      case ANSWERING -> {
        later.add(message);
        if (later.size() >= MOST_LATER) {
          ctx.channel().config().setAutoRead(false);
        }
      }
      default -> take(ctx, message);
    }
  }

  private void take(ChannelHandlerContext ctx, Object message) {
    try {
      if (message instanceof HttpObject part && part.decoderResult().isFailure()) {
        refuse(ctx, malformed(part.decoderResult().cause()));
        return;
      }
      if (message instanceof HttpRequest head) {
        begin(ctx, head);
      }
      if (message instanceof HttpContent content && state == State.RECEIVING) {
        append(content.content());
        if (content instanceof LastHttpContent && state == State.RECEIVING) {
          answer(ctx);
        }
      }
    } catch (Reply.RefusedException e) {
      refuse(ctx, e);
    } catch (OutOfMemoryError e) {
      refuse(ctx, new Reply.RefusedException(503, "memory", "the heap of the server is full"));
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private static Reply.RefusedException malformed(Throwable cause) {
    return switch (cause) {
      case TooLongHttpLineException _ ->
          new Reply.RefusedException(414, "malformed", "the target of the request is too long");
      case TooLongHttpHeaderException _ ->
          new Reply.RefusedException(431, "malformed", "the header of the request is too long");
      default ->
          new Reply.RefusedException(
              400, "malformed", "this is no request of HTTP/1.1: " + cause.getMessage());
    };
  }

  private void begin(ChannelHandlerContext ctx, HttpRequest head) {
    bytesHaveCome(); // of a request that came together with the one before
    method = head.method().name();
    target = head.uri();
    received = 0;
    refusal = null;
    keepsAlive = HttpUtil.isKeepAlive(head);
    var now = new Request(head, limits.answering().toNanos());
    request = now;
    body = new ByteArrayOutputStream();
    refusal = routes.refusal(now);
    long length = HttpUtil.getContentLength(head, -1L);
    if (refusal == null && length > limits.body()) {
      refusal = tooLarge().reply();
    }
    boolean expects = HttpUtil.is100ContinueExpected(head);
    Reply known = refusal;
    if (known != null
        && (expects || length > DISCARDED || HttpUtil.isTransferEncodingChunked(head))) {
      keepsAlive = false;
      send(ctx, known);
    } else if (expects) {
      var _ =
          ctx.writeAndFlush(
              new DefaultFullHttpResponse(
                  HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }
  }

  private Reply.RefusedException tooLarge() {
    return Reply.tooLarge(
        "a body has at most %s bytes, but this one has more; send a smaller image"
            .formatted(limits.body()));
  }

  private void append(ByteBuf bytes) {
    int count = bytes.readableBytes();
    received += count;
    ByteArrayOutputStream to = body;
    if (count == 0 || to == null || refusal != null) {
      return;
    }
    if (received > limits.body()) {
      throw tooLarge();
    }
    if (!all.hold(count)) {
      throw new Reply.RefusedException(
          503, "bodies", "the bodies of all requests have no room for this one; try again");
    }
    held += count;
    byte[] copy = new byte[count];
    bytes.readBytes(copy);
    to.writeBytes(copy);
  }

  private void answer(ChannelHandlerContext ctx) {
    Request now = Objects.requireNonNull(request);
    Reply known = refusal;
    state = State.ANSWERING;
    if (known != null) {
      send(ctx, known);
      return;
    }
    now.received(Objects.requireNonNull(body).toByteArray());
    body = null;
    after(
        ctx,
        limits.answering(),
        () ->
            finish(
                ctx,
                now,
                new Reply.RefusedException(
                        503,
                        "late",
                        "the answer was not there within %s s; try again"
                            .formatted(limits.answering().toSeconds()))
                    .reply()));
    CompletableFuture<Reply> answer = routes.answer(now);
    var _ =
        answer.whenComplete((reply, failed) -> {
          if (failed == null || !(failed instanceof CancellationException)) {
            ctx.executor().execute(() -> finish(ctx, now, reply));
          }
        });
  }

  /// Sends the answer to this request, unless it was answered already.
  private void finish(ChannelHandlerContext ctx, Request of, Reply reply) {
    if (request == of && state == State.ANSWERING) {
      send(ctx, reply);
    }
  }

  private void refuse(ChannelHandlerContext ctx, Reply.RefusedException e) {
    keepsAlive = false;
    send(ctx, e.reply());
  }

  private void send(ChannelHandlerContext ctx, Reply reply) {
    Request of = request;
    boolean stays = keepsAlive && !routes.isDraining();
    boolean whole = state == State.ANSWERING;
    state = stays ? State.ANSWERING : State.CLOSING;
    free();
    request = null;
    if (!reply.reason().isEmpty()) {
      metrics.rejected(reply.reason());
    }
    boolean head = method.equals("HEAD");
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1,
            HttpResponseStatus.valueOf(reply.status()),
            head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(reply.body()));
    var headers = response.headers();
    headers.set(HttpHeaderNames.CONTENT_TYPE, reply.type());
    headers.set(HttpHeaderNames.CONTENT_LENGTH, reply.body().length);
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store");
    reply.headers().forEach(headers::set);
    if (!stays) {
      headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
    after(ctx, limits.receiving(), () -> close(ctx)); // a client that does not read
    var _ =
        ctx.writeAndFlush(response)
            .addListener((ChannelFutureListener) sent -> sent(ctx, sent, of, reply, stays, whole));
  }

  private void sent(
      ChannelHandlerContext ctx,
      ChannelFuture sent,
      @Nullable Request of,
      Reply reply,
      boolean stays,
      boolean whole) {
    if (of != null) {
      metrics.answered(of, reply.status(), Duration.ofNanos(System.nanoTime() - of.began()));
    }
    log.add(
        remote,
        method,
        target,
        reply.status(),
        System.nanoTime() - (began == 0 ? System.nanoTime() : began),
        received,
        reply.body().length);
    if (!sent.isSuccess() || (!stays && whole)) {
      close(ctx);
    } else if (!stays) {
      linger(ctx);
    } else {
      next(ctx);
    }
  }

  /// Ends a connection of which something is still coming. If it were closed at once, the system
  /// would tell the client so in a way that makes it throw away the answer.
  private void linger(ChannelHandlerContext ctx) {
    if (all.areTooManyLeaving()) {
      close(ctx);
      return;
    }
    if (ctx.channel() instanceof SocketChannel socket) {
      var _ = socket.shutdownOutput();
    }
    after(ctx, Duration.ofMillis(LINGER_MILLIS), () -> close(ctx));
  }

  private void next(ChannelHandlerContext ctx) {
    state = State.IDLE;
    method = "";
    target = "";
    began = 0;
    after(ctx, limits.idle(), () -> end(ctx));
    while (!later.isEmpty() && (state == State.IDLE || state == State.RECEIVING)) {
      take(ctx, later.remove());
    }
    if (later.size() < MOST_LATER) {
      ctx.channel().config().setAutoRead(true);
    }
  }

  /// Ends the connection if no request is on its way, so that a client that was sending one right
  /// now sees an end and no failure. Any thread may call this.
  boolean endIfIdle() {
    ChannelHandlerContext ctx = context;
    if (ctx == null || state != State.IDLE) {
      return false;
    }
    ctx.executor()
        .execute(() -> {
          if (state == State.IDLE) {
            end(ctx);
          }
        });
    return true;
  }

  /// Ends a connection without a request.
  private void end(ChannelHandlerContext ctx) {
    state = State.CLOSING;
    linger(ctx);
  }

  /// Closes the connection. Any thread may call this.
  void close() {
    ChannelHandlerContext ctx = context;
    if (ctx != null) {
      var _ = ctx.close();
    }
  }

  private void close(ChannelHandlerContext ctx) {
    state = State.CLOSING;
    var _ = ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    if (state == State.ANSWERING && request != null) {
      metrics.rejected("gone");
    }
    state = State.CLOSING;
    free();
    stop();
    later.forEach(ReferenceCountUtil::release);
    later.clear();
    all.leave(this);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    close(ctx); // the client broke the connection
  }

  /// Gives back what the request held.
  private void free() {
    Request now = request;
    if (now != null) {
      now.end();
    }
    body = null;
    all.give(held);
    held = 0;
  }

  private void after(ChannelHandlerContext ctx, Duration time, Runnable work) {
    stop();
    timer = ctx.executor().schedule(work, time.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void stop() {
    Future<?> running = timer;
    if (running != null) {
      running.cancel(false);
    }
  }
}
