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

/// The proxy that the environment names for an address, as curl, npm and git read it: `https_proxy`
/// or `http_proxy`, else `all_proxy`, unless `no_proxy` lists the host. The names may be in
/// capitals. Java itself knows only system properties, and a service has none.
///
/// @param variable where it comes from
/// @param user with the password behind a colon, or null
record ProxySetting(String variable, Proxy proxy, @Nullable String user) {
  /// Of an address, or empty where it is reached directly. Throws `IllegalArgumentException` for a
  /// variable that names no proxy.
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

  /// `no_proxy` is a list of hosts, which stand for all below them too; `*` is every host.
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

  /// Without the value, which may hold a password.
  private static IllegalArgumentException wrong(
      String variable, String value, @Nullable Exception cause) {
    return new IllegalArgumentException(
        "%s names a proxy as http://HOST:PORT or socks5://HOST:PORT, but what it has is none (%s characters); correct or unset it"
            .formatted(variable, value.length()),
        cause);
  }

  /// Tells the proxy who asks.
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

  /// For example `the proxy 127.0.0.1:3128 of https_proxy`.
  @Override
  public String toString() {
    var place = (InetSocketAddress) proxy.address();
    return "the proxy %s:%s of %s".formatted(place.getHostString(), place.getPort(), variable);
  }
}
