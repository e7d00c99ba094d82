package fathom.data;

import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The proxy that the environment names for an address, by the rules of curl, npm and git:
/// `https_proxy` or `http_proxy`, otherwise `all_proxy`, unless `no_proxy` lists the host. The
/// names may be in capitals. This class exists because Java itself knows only system properties,
/// which a service does not have.
///
/// @param variable the name of the variable that names the proxy
/// @param user the user name, with the password after a colon; null if there is none
record ProxySetting(String variable, Proxy proxy, @Nullable String user) {
  /// Returns the proxy for `address`, or empty if the address is reached directly. Throws
  /// `IllegalArgumentException` for a variable that names no proxy.
  static Optional<ProxySetting> of(URI address, Function<String, @Nullable String> environment) {
    if (isExempt(address, environment)) {
      return Optional.empty();
    }
    for (String name : List.of(address.getScheme() + "_proxy", "all_proxy")) {
      for (String variable : List.of(name, name.toUpperCase(Locale.ROOT))) {
        String value = environment.apply(variable);
        if (value != null && !value.isBlank()) {
          return Optional.of(parse(variable, value.strip()));
        }
      }
    }
    return Optional.empty();
  }

  /// Returns whether `no_proxy` lists the host. A listed host also stands for all hosts below it,
  /// and `*` stands for every host.
  private static boolean isExempt(URI address, Function<String, @Nullable String> environment) {
    String host = address.getHost().toLowerCase(Locale.ROOT);
    for (String variable : List.of("no_proxy", "NO_PROXY")) {
      String value = environment.apply(variable);
      for (String each : value == null ? List.<String>of() : List.of(value.split("[,\\s]+", -1))) {
        String exempt = each.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", "");
        if (exempt.equals("*")
            || (!exempt.isEmpty() && (host.equals(exempt) || host.endsWith("." + exempt)))) {
          return true;
        }
      }
    }
    return false;
  }

  private static ProxySetting parse(String variable, String value) {
    URI uri;
    try {
      uri = new URI(value.contains("://") ? value : "http://" + value);
    } catch (URISyntaxException e) {
      throw wrong(variable, value, e);
    }
    Proxy.Type type =
        switch (uri.getScheme().toLowerCase(Locale.ROOT)) {
          case "http" -> Proxy.Type.HTTP;
          case "socks", "socks5", "socks5h" -> Proxy.Type.SOCKS;
          default -> throw wrong(variable, value, null);
        };
    if (uri.getHost() == null) {
      throw wrong(variable, value, null);
    }
    int usual = type == Proxy.Type.HTTP ? 80 : 1080;
    int port = uri.getPort() < 0 ? usual : uri.getPort();
    String user = uri.getRawUserInfo();
    return new ProxySetting(
        variable,
        new Proxy(type, new InetSocketAddress(uri.getHost(), port)),
        user == null ? null : URLDecoder.decode(user.replace("+", "%2B"), StandardCharsets.UTF_8));
  }

  /// Makes an error whose message does not contain the value, which may hold a password.
  private static IllegalArgumentException wrong(
      String variable, String value, @Nullable Exception cause) {
    return new IllegalArgumentException(
        "%s names a proxy as http://HOST:PORT or socks5://HOST:PORT, but what it has is none (%s characters); correct or unset it"
            .formatted(variable, value.length()),
        cause);
  }

  /// Returns what answers the proxy's request for a user and password; empty if no user is given.
  Optional<Authenticator> authenticator() {
    if (user == null) {
      return Optional.empty();
    }
    int colon = user.indexOf(':');
    String name = colon < 0 ? user : user.substring(0, colon);
    char[] password = colon < 0 ? new char[0] : user.substring(colon + 1).toCharArray();
    return Optional.of(
        new Authenticator() {
          @Override
          protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            return getRequestorType() == RequestorType.PROXY
                ? new PasswordAuthentication(name, password)
                : null;
          }
        });
  }

  /// Returns a description for messages, for example `the proxy 127.0.0.1:3128 of https_proxy`.
  @Override
  public String toString() {
    var place = (InetSocketAddress) proxy.address();
    return "the proxy %s:%s of %s".formatted(place.getHostString(), place.getPort(), variable);
  }
}
