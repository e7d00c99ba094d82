package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import fathom.io.BadFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against a server on this machine, with CIFAR-100 of three images in an archive.
class FetchTest {
  @TempDir Path place;
  private HttpServer server;
  private byte[] archive = new byte[0];
  private int breaksAfter = Integer.MAX_VALUE;
  private final List<String> ranges = new ArrayList<>();
  private final List<String> heard = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();

  private final Fetch fetch =
      new Fetch(
          new Fetch.Watcher() {
            @Override
            public void tries(Catalogue.Source source) {
              heard.add("tries " + source.getClass().getSimpleName());
            }

            @Override
            public void failed(Catalogue.Source source, String why) {
              heard.add(why);
            }

            @Override
            public void at(String file, long bytes, long of) {
              assertTrue(bytes <= of, bytes + " of " + of);
            }
          },
          Duration.ofSeconds(1),
          environment::get);

  @BeforeEach
  void serve() throws IOException {
    archive = archive("x/train.bin", "../../x/test.bin");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    ranges.add(String.valueOf(range));
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    if (!exchange.getRequestURI().getPath().endsWith("small.tar.gz")) {
      exchange.sendResponseHeaders(404, -1);
      return;
    }
    byte[] part = Arrays.copyOfRange(archive, from, archive.length);
    exchange.sendResponseHeaders(range == null ? 200 : 206, part.length);
    try (var out = exchange.getResponseBody()) {
      out.write(part, 0, Math.min(part.length, breaksAfter));
      out.flush();
    } catch (IOException _) {
      return; // fewer bytes than promised: the connection falls silent
    }
    exchange.close();
  }

  private static byte[] archive(String... names) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var tar = new TarArchiveOutputStream(new GZIPOutputStream(bytes))) {
      for (String name : names) {
        byte[] records = new byte[3 * 3074];
        for (int i = 0; i < 3; i++) {
          records[i * 3074] = 7; // the group, which does not count
          records[i * 3074 + 1] = (byte) (97 + i);
          records[i * 3074 + 2] = (byte) (10 * i);
        }
        var entry = new TarArchiveEntry(name, true);
        entry.setSize(records.length);
        tar.putArchiveEntry(entry);
        tar.write(records);
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private Catalogue.Download download(String name, String digest) {
    return new Catalogue.Download(
        URI.create("http://localhost:%s/".formatted(server.getAddress().getPort())),
        List.of(new Catalogue.RemoteFile(name, archive.length, digest)));
  }

  private String digest() throws IOException {
    Path file = place.resolve("digest");
    Files.write(file, archive);
    return Fetch.digest(file);
  }

  private Path get(Catalogue.Source... sources) {
    return fetch.get(new Catalogue.Entry("small", "three images", List.of(sources)), place);
  }

  private String refused(Catalogue.Source... sources) {
    return String.valueOf(assertThrows(BadFileException.class, () -> get(sources)).getMessage());
  }

  /// Where only a proxy knows the host.
  @Test
  void aProxyOfTheEnvironmentIsUsed() throws IOException {
    var far =
        new Catalogue.Download(
            URI.create("http://nowhere.invalid/"),
            List.of(new Catalogue.RemoteFile("small.tar.gz", archive.length, digest())));
    String without = refused(far);
    assertTrue(without.contains("cannot be reached") && without.contains("https_proxy"), without);
    environment.put("http_proxy", "localhost:" + server.getAddress().getPort());
    assertEquals(place.resolve("small"), get(far));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      textBlock =
          """
          https://a.b/c  | https_proxy=http://p:3128                  | p:3128 of https_proxy
          https://a.b/c  | HTTPS_PROXY=http://p                       | p:80 of HTTPS_PROXY
          https://a.b/c  | all_proxy=socks5://p                       | p:1080 of all_proxy
          https://a.b/c  | https_proxy=u:w@p:1                        | p:1 of https_proxy
          https://a.b/c  | http_proxy=p:1                             | -
          http://a.b/c   | http_proxy=p:1;https_proxy=q:1             | p:1 of http_proxy
          https://a.b/c  | https_proxy=p:1;no_proxy=*                 | -
          https://a.b/c  | https_proxy=p:1;no_proxy=x,.b              | -
          https://A.b/c  | https_proxy=p:1;NO_PROXY=a.B               | -
          https://xa.b/c | https_proxy=p:1;no_proxy=a.b               | p:1 of https_proxy
          https://a.b/c  | https_proxy=                               | -
          """)
  void whatTheEnvironmentSaysOfProxies(String address, String variables, @Nullable String proxy) {
    for (String each : variables.split(";")) {
      environment.put(each.substring(0, each.indexOf('=')), each.substring(each.indexOf('=') + 1));
    }
    assertEquals(
        proxy == null ? null : "the proxy " + proxy,
        ProxySetting.of(URI.create(address), environment::get)
            .map(ProxySetting::toString)
            .orElse(null));
  }

  @Test
  void whatNamesNoProxyIsRefusedWithoutItsPassword() {
    environment.put("http_proxy", "ftp://user:secret@p");
    String why = refused(download("small.tar.gz", "0"));
    assertTrue(why.contains("http_proxy names a proxy as"), why);
    assertFalse(why.contains("secret"), why);
  }

  @Test
  void whatArrivesIsADataSet() throws IOException {
    Path folder = get(download("small.tar.gz", digest()));
    assertEquals(place.resolve("small"), folder);
    DataSet data = DataSet.open(folder.toString());
    assertEquals("3×3×32×32", data.train().toString());
    assertEquals(100, data.classes().size());
    assertEquals(List.of(97, 98, 99), Arrays.stream(data.train().labels()).boxed().toList());
    assertEquals(20, data.test().images().pixels()[2 * 3072]);
    assertFalse(Files.exists(place.resolve(".small.fetch")), "what was on the way is left");
    assertFalse(Files.exists(place.resolve("x")), "the archive wrote elsewhere");
    assertEquals(folder, get()); // it is there: no source is needed
  }

  @Test
  void aDownloadThatStallsGoesOnWhereItStopped() throws IOException {
    breaksAfter = archive.length / 3;
    var source = download("small.tar.gz", digest());
    assertTrue(refused(source).contains("the same command goes on from there"));
    breaksAfter = Integer.MAX_VALUE;
    get(source);
    assertEquals("null", ranges.getFirst());
    long from = Long.parseLong(ranges.getLast().replaceAll("\\D", ""));
    assertTrue(from > 0 && from <= archive.length / 3, ranges.toString());
  }

  @Test
  void anotherContentIsNotKept() throws IOException {
    String digest = digest();
    archive[archive.length / 2] ^= 1;
    var source = download("small.tar.gz", digest);
    assertTrue(refused(source).contains("SHA-256 digest of small.tar.gz should be " + digest));
    archive[archive.length / 2] ^= 1;
    get(source); // from the start
    assertEquals(List.of("null", "null"), ranges);
  }

  @Test
  void everySourceIsTriedAndSaysWhyNot() throws IOException {
    var folder = new Catalogue.SystemFolder(place.resolve("none"), "dataset-small");
    var missing = download("other.tar.gz", digest());
    String message = refused(folder, missing);
    assertTrue(message.contains("small could not be had"), message);
    assertTrue(message.contains("dataset-small"), message);
    assertTrue(message.contains("the package is not installed"), message);
    assertTrue(message.contains("status 404"), message);
    assertEquals("tries SystemFolder", heard.getFirst());
    assertFalse(Files.exists(place.resolve("small")));
    get(folder, download("small.tar.gz", digest()));
  }

  @Test
  void aSystemFolderIsCopied() throws IOException {
    Path there = get(download("small.tar.gz", digest()));
    Path packaged = place.resolve("packaged");
    Files.move(there, packaged);
    get(new Catalogue.SystemFolder(packaged, "dataset-small"));
    assertTrue(Files.exists(packaged.resolve("train.bin")), "the package's own is left alone");
  }

  @Test
  void whatIsNoDataSetGetsNoName() throws IOException {
    archive = archive("readme.txt");
    assertTrue(refused(download("small.tar.gz", digest())).contains("a folder per class"));
    assertFalse(Files.exists(place.resolve("small")));
  }

  @Test
  void digestsAndAddressesAreWellFormed() {
    for (Catalogue.Entry entry : Catalogue.entries()) {
      for (Catalogue.Source source : entry.sources()) {
        if (source instanceof Catalogue.Download download) {
          assertTrue(download.base().toString().endsWith("/"), entry.name());
          download.files().forEach(f -> assertTrue(f.sha256().matches("[0-9a-f]{64}"), f.name()));
        }
      }
      assertEquals(entry, Catalogue.find(entry.name().toUpperCase(java.util.Locale.ROOT)).get());
    }
  }
}
