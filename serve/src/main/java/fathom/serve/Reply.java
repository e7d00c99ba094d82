package fathom.serve;

import fathom.io.Json;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// The answer to a request.
///
/// @param reason why it was refused, in one word for the metrics; empty if it was not
record Reply(int status, String type, byte[] body, Map<String, String> headers, String reason) {
  private static final String JSON = "application/json";

  /// The body of every error, as the protocol has it.
  private record Failure(String error) {}

  static Reply json(Object of) {
    return json(Json.text(of));
  }

  static Reply json(String text) {
    return of(JSON, text.getBytes(StandardCharsets.UTF_8));
  }

  static Reply of(String type, byte[] body) {
    return new Reply(200, type, body, Map.of(), "");
  }

  static Reply empty() {
    return of(JSON, new byte[0]);
  }

  Reply with(String header, String value) {
    return new Reply(status, type, body, Map.of(header, value), reason);
  }

  /// A request that cannot be answered, and the status that says so.
  static final class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String reason;

    RefusedException(int status, String reason, String message) {
      super(message, null, false, false); // it is an answer, so where it was thrown is of no use
      this.status = status;
      this.reason = reason;
    }

    Reply reply() {
      var failure = Json.text(new Failure(String.valueOf(getMessage())));
      return new Reply(
          status, JSON, failure.getBytes(StandardCharsets.UTF_8), headers(status), reason);
    }
  }

  private static Map<String, String> headers(int status) {
    return switch (status) {
      case 401 -> Map.of("WWW-Authenticate", "Bearer");
      case 503 -> Map.of("Retry-After", "1");
      default -> Map.of();
    };
  }

  static RefusedException bad(String message) {
    return new RefusedException(400, "bad", message);
  }

  static RefusedException tooLarge(String message) {
    return new RefusedException(413, "large", message);
  }

  static RefusedException full(String message) {
    return new RefusedException(503, "full", message);
  }

  static RefusedException unknown(String message) {
    return new RefusedException(404, "unknown", message);
  }
}
