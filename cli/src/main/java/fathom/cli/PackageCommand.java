package fathom.cli;

import fathom.DeviceException;
import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "package",
    description = {
      "Makes a folder with everything that runs Fathom, for machines and containers.",
      "It is for this platform, with a Java of its own, and a Dockerfile stands beside it.",
      "It needs no Maven, no checkout and no home folder, runs as any user, and writes only to the"
          + " folder that FATHOM_CACHE names."
    },
    mixinStandardHelpOptions = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  fathom package --out build",
      "  build/fathom/bin/fathom --version",
      "  docker build -t fathom build"
    })
final class PackageCommand implements Callable<Integer> {
  /// What Fathom and its libraries use; all of Java SE, because a library may look for a class only
  /// in a case that no test reaches.
  private static final List<String> MODULES =
      List.of(
          "java.se",
          "jdk.unsupported",
          "jdk.incubator.vector",
          "jdk.httpserver",
          "jdk.zipfs",
          "jdk.management",
          "jdk.crypto.ec");

  private static final Pattern NATIVES =
      Pattern.compile(".*-((?:linux|macosx|windows)-[a-z0-9_]+)\\.jar");

  private static final Pattern LIBRARY = Pattern.compile(".*\\.(so(\\.\\d+)*|dylib|jnilib|dll)");

  @Mixin private final Output output = new Output();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder for the folder fathom, the Dockerfile, and what it copies.")
  private @Nullable Path out;

  /// The answer of `--json`.
  ///
  /// @param platform what the native libraries are for
  /// @param java the bytes of the Java that it runs with
  /// @param natives the bytes of libtorch and OpenBLAS
  /// @param bytes all bytes
  record Answer(
      String folder, String dockerfile, String platform, long java, long natives, long bytes) {}

  @Override
  public Integer call() {
    Path place = output.required(out, "--out");
    Path folder = place.resolve("fathom");
    if (Files.exists(folder)) {
      throw new BadFileException(folder, "this is there already; remove it, or name another --out");
    }
    List<Path> jars = jars();
    Path staging = place.resolve(".fathom.package");
    try {
      deleteAll(staging);
      Files.createDirectories(staging);
      output.remark("making the folder; this takes a minute");
      link(staging.resolve("java"));
      String platform = pack(jars, staging);
      write(staging.resolve("jvm.args"), resource("package/jvm.args"), false);
      write(
          Files.createDirectories(staging.resolve("bin")).resolve("fathom"),
          resource("package/fathom"),
          true);
      Path dockerfile = place.resolve("Dockerfile");
      write(dockerfile, resource("package/Dockerfile"), false);
      writable(Files.createDirectories(place.resolve("volumes").resolve("cache")));
      readable(staging);
      Files.move(staging, folder);
      var answer =
          new Answer(
              folder.toString(),
              dockerfile.toString(),
              platform,
              size(folder.resolve("java")),
              size(folder.resolve("natives")),
              size(folder));
      output.answer(answer, () -> show(answer));
      return Exit.DONE;
    } catch (IOException e) {
      throw new BadFileException(place, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  private void show(Answer answer) {
    output
        .out()
        .println(
            "%s for %s: %s MB, of which %s are Java and %s libtorch and OpenBLAS"
                .formatted(
                    answer.folder,
                    answer.platform,
                    megabytes(answer.bytes),
                    megabytes(answer.java),
                    megabytes(answer.natives)));
    output
        .out()
        .println(
            "run it by %s/bin/fathom, or build an image by %s"
                .formatted(answer.folder, answer.dockerfile));
  }

  private static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.0f", bytes / 1e6);
  }

  /// Returns the jars that this JVM runs from, which `./fathom` has put together.
  private List<Path> jars() {
    List<Path> jars =
        Stream.of(
                System.getProperty("java.class.path")
                    .split(System.getProperty("path.separator"), -1))
            .map(Path::of)
            .toList();
    if (jars.stream().anyMatch(jar -> !Files.isRegularFile(jar))) {
      throw output.refused("Fathom is packaged from its build: start it by ./fathom");
    }
    return jars;
  }

  private static void link(Path to) {
    ToolProvider jlink =
        ToolProvider.findFirst("jlink")
            .orElseThrow(() ->
                new DeviceException(
                    "jlink makes the Java of the folder, and this Java (%s) has none: set JAVA_HOME to a whole JDK"
                        .formatted(System.getProperty("java.home"))));
    var said = new StringWriter();
    int code =
        jlink.run(
            new PrintWriter(said),
            new PrintWriter(said),
            "--add-modules",
            String.join(",", MODULES),
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--compress",
            "zip-6",
            "--output",
            to.toString());
    if (code != 0) {
      throw new DeviceException("jlink could not make the Java of the folder: " + said);
    }
  }

  /// Puts the libraries' jars into the folder `libraries`, and what is in the jars of natives,
  /// which JavaCPP would unpack at the first start, into the folder `natives`. Returns the
  /// platform.
  private static String pack(List<Path> jars, Path staging) throws IOException {
    Path libraries = Files.createDirectories(staging.resolve("libraries"));
    Path natives = Files.createDirectories(staging.resolve("natives"));
    var platforms = new ArrayList<String>();
    for (Path jar : jars) {
      var match = NATIVES.matcher(String.valueOf(jar.getFileName()));
      if (match.matches()) {
        platforms.add(match.group(1));
        unpack(jar, natives);
      } else {
        Files.copy(jar, libraries.resolve(jar.getFileName()));
      }
    }
    List<String> distinct = platforms.stream().distinct().toList();
    if (distinct.size() != 1) {
      throw new DeviceException(
          "the natives of one platform are packaged, but the build has those of %s"
              .formatted(distinct));
    }
    linkNoLapack(natives, distinct.getFirst());
    return distinct.getFirst();
  }

  /// OpenBLAS's other classes look for it under a second name, for which JavaCPP would make a link
  /// where it unpacks.
  private static void linkNoLapack(Path natives, String platform) throws IOException {
    Path folder = natives.resolve("org/bytedeco/openblas").resolve(platform);
    Path library = folder.resolve("libopenblas.so.0");
    if (Files.exists(library)) {
      Files.createSymbolicLink(folder.resolve("libopenblas_nolapack.so.0"), library.getFileName());
    }
  }

  private static void unpack(Path jar, Path natives) throws IOException {
    try (var zip = new ZipInputStream(Files.newInputStream(jar))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        String name = entry.getName();
        if (!entry.isDirectory()
            && name.startsWith("org/bytedeco/")
            && LIBRARY.matcher(name).matches()) {
          Path file = natives.resolve(name);
          Files.createDirectories(Objects.requireNonNull(file.getParent()));
          Files.copy(zip, file, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = PackageCommand.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  private static void write(Path file, byte[] content, boolean program) throws IOException {
    Files.write(file, content);
    if (program && Files.getFileStore(file).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  /// Lets every user read all of it, whatever the umask of the one who makes it.
  private static void readable(Path folder) throws IOException {
    if (!Files.getFileStore(folder).supportsFileAttributeView("posix")) {
      return;
    }
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.filter(p -> !Files.isSymbolicLink(p)).toList()) {
        boolean runs = Files.isDirectory(path) || Files.isExecutable(path);
        Files.setPosixFilePermissions(
            path, PosixFilePermissions.fromString(runs ? "rwxr-xr-x" : "rw-r--r--"));
      }
    }
  }

  /// Lets every user write to this folder, which the image has for whatever id it runs as.
  private static void writable(Path folder) throws IOException {
    if (Files.getFileStore(folder).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
  }

  private static long size(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(path);
      }
    }
    return bytes;
  }

  private static void deleteAll(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> paths = Files.walk(folder)) {
        for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
          Files.delete(path);
        }
      }
    }
  }
}
