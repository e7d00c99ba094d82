package fathom;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;

/// Texts by their keys, which several processes share over the network: libtorch's TCPStore. One
/// process hosts it, or a launcher does, and it lasts as long as that process.
///
/// It talks in plain text, and its host listens on all interfaces. All methods throw
/// `RuntimeException` if the host does not answer.
public final class KeyStore {
  /// Native owners that have to live as long as the process: libtorch counts no reference to them.
  private static final List<Object> KEPT = new CopyOnWriteArrayList<>();

  private final Store store;

  private KeyStore(Store raw) {
    KEPT.add(raw);
    this.store = raw.clone(); // the clone is an owner that libtorch counts, and raw is none
    KEPT.add(store);
  }

  /// Hosts a store at this port. Throws `RuntimeException` if the port is taken.
  public static KeyStore host(int port, Duration timeout) {
    return open("127.0.0.1", port, true, timeout);
  }

  /// Connects to the store of another process, which must be there.
  public static KeyStore at(String host, int port, Duration timeout) {
    return open(host, port, false, timeout);
  }

  private static KeyStore open(String host, int port, boolean hosts, Duration timeout) {
    Gloo.load();
    try (var options = new TCPStoreOptions();
        var milliseconds = new Milliseconds(timeout.toMillis());
        var anyNumber = new SizeTPointer(1).put(1)) {
      options.port((short) port).isServer(hosts).waitWorkers(false);
      options.timeout(milliseconds).useLibUV(true);
      options.numWorkers(anyNumber);
      Supplier<Store> made = () -> new TCPStore(host, options);
      return new KeyStore(Silence.during(made));
    }
  }

  /// Returns the part of this store whose keys begin with a prefix, which is left out there.
  public KeyStore within(String prefix) {
    return new KeyStore(new PrefixStore(prefix, store));
  }

  /// Sets a text.
  public void set(String key, String text) {
    store.set(key, URLEncoder.encode(text, StandardCharsets.UTF_8));
  }

  /// Returns whether there is a text of this key.
  public boolean has(String key) {
    try (var keys = new StringVector(key)) {
      return store.check(keys);
    }
  }

  /// Returns the text of a key that is [#has(String) there].
  public String get(String key) {
    return URLDecoder.decode(store.get_to_str(key), StandardCharsets.UTF_8);
  }

  /// Adds to a count that begins with 0, and returns its sum.
  public long add(String key, long more) {
    return store.add(key, more);
  }

  Store raw() {
    return store;
  }
}
