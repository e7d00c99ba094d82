package fathom.serve;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A request, of which the head has come and maybe the body.
final class Request {
  private final String method;
  private final String target;
  private final HttpHeaders headers;
  private final String path;
  private final QueryStringDecoder query;
  private final long began = System.nanoTime();
  private final long until;
  private byte[] body = new byte[0];
  private volatile boolean over;
  private volatile String operation = "other";
  private volatile String model = "";

  /// Throws [Reply.RefusedException] if the target is none.
  ///
  /// @param nanos how long it is worth to work on the answer
  Request(HttpRequest head, long nanos) {
    this.method = head.method().name();
    this.target = head.uri();
    this.headers = head.headers();
    this.until = began + nanos;
    this.query = new QueryStringDecoder(target);
    try {
      this.path = query.path();
      query.parameters();
    } catch (IllegalArgumentException e) {
      throw Reply.bad("the target of the request is none: " + e.getMessage());
    }
  }

  String method() {
    return method;
  }

  String target() {
    return target;
  }

  /// Returns the parts of the path between its slashes; none for `/`.
  List<String> path() {
    return Arrays.stream(path.split("/", -1)).filter(part -> !part.isEmpty()).toList();
  }

  @Nullable String header(String name) {
    return headers.get(name);
  }

  /// Returns the first value of this name behind the question mark, or null.
  @Nullable String parameter(String name) {
    List<String> values = query.parameters().get(name);
    return values == null ? null : values.getFirst();
  }

  byte[] body() {
    return body;
  }

  void received(byte[] bytes) {
    body = bytes;
  }

  long began() {
    return began;
  }

  /// Says that nobody waits for the answer any more: it was given, or the client has gone.
  void end() {
    over = true;
    body = new byte[0];
  }

  /// Returns whether work on the answer is lost, because nobody waits or will wait for it.
  boolean isOver() {
    return over || System.nanoTime() - until > 0;
  }

  /// Says what is asked for, for the metrics: both are from a short list.
  void about(String what, String ofModel) {
    operation = what;
    model = ofModel;
  }

  String operation() {
    return operation;
  }

  String model() {
    return model;
  }
}
