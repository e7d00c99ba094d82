package fathom.serve;

import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/// How a server is started.
///
/// @param host the address that it listens at
/// @param port the port, or 0 for any that is free
/// @param token what `Authorization: Bearer` has to carry, or null if everybody is answered
/// @param limits what it holds at a time
/// @param accessLog where a line of JSON is written for each request, or null; it stays open
public record ServerSettings(
    String host,
    int port,
    @Nullable String token,
    Limits limits,
    @Nullable OutputStream accessLog) {
  private static final int PORTS = 1 << 16;

  /// Throws `IllegalArgumentException` for a port that does not exist or an empty token.
  public ServerSettings {
    if (port < 0 || port >= PORTS) {
      throw new IllegalArgumentException(
          "a port is from 0 to %s, but %s was given".formatted(PORTS - 1, port));
    }
    if (token != null && token.isBlank()) {
      throw new IllegalArgumentException(
          "a token has a character at least, but this one is empty; leave it out to answer everybody");
    }
  }

  /// Returns the settings of a server for this machine alone: loopback, port 8080, no token, no
  /// log.
  public static ServerSettings usual() {
    return new ServerSettings("127.0.0.1", 8080, null, Limits.usual(), null);
  }

  /// Returns these settings with another address.
  public ServerSettings at(String address, int number) {
    return new ServerSettings(address, number, token, limits, accessLog);
  }

  /// Returns these settings with a token, without which a request is answered by 401.
  public ServerSettings withToken(@Nullable String secret) {
    return new ServerSettings(host, port, secret, limits, accessLog);
  }

  /// Returns these settings with other limits.
  public ServerSettings withLimits(Limits other) {
    return new ServerSettings(host, port, token, other, accessLog);
  }

  /// Returns these settings with a log of requests.
  public ServerSettings withAccessLog(@Nullable OutputStream out) {
    return new ServerSettings(host, port, token, limits, out);
  }
}
