package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import fathom.io.BadFileException;
import fathom.train.Machine;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Fathom in a project of somebody's own: what `docs/guide/5-export-and-embed.md` says is done.
class DependencyTest {
  private static final Path ROOT = Path.of(System.getProperty("fathom.root"));
  private static final List<String> MODULES =
      List.of("core", "report", "lab", "bench", "serve", "cli");
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";

  @TempDir private Path folder;

  /// JUnit would warn of each.
  @AfterEach
  void unlink() throws IOException {
    Path repository = folder.resolve("repository");
    if (Files.exists(repository)) {
      try (Stream<Path> groups = Files.list(repository)) {
        for (Path link : groups.filter(Files::isSymbolicLink).toList()) {
          Files.delete(link);
        }
      }
    }
  }

  /// A version is written in several places, and a new one in all of them.
  @Test
  void thereIsOneVersion() throws IOException {
    String version = InstallCommand.version(ROOT.resolve("pom.xml"));
    assertEquals(version, InstallCommand.version(ROOT.resolve("bom").resolve("pom.xml")));
    assertEquals(version.replace("-SNAPSHOT", ""), Machine.VERSION);
    for (String module : Stream.concat(MODULES.stream(), Stream.of("examples")).toList()) {
      String pom = Files.readString(ROOT.resolve(module).resolve("pom.xml"));
      assertEquals(
          List.of(version),
          all("<artifactId>fathom</artifactId><version>([^<]*)<", pom),
          module + "'s parent");
    }
    for (Path page : List.of(ROOT.resolve("README.md"), page())) {
      List<String> written =
          all("<artifactId>fathom-bom</artifactId><version>([^<]*)<", Files.readString(page));
      assertEquals(List.of(version), written, page.toString());
    }
  }

  /// A user's project imports the versions of these and of nothing else.
  @Test
  void theBomHasTheModulesAndTheEngine() throws IOException {
    String bom = Files.readString(ROOT.resolve("bom").resolve("pom.xml"));
    assertEquals(
        MODULES.stream().map("fathom-"::concat).toList(),
        all("<groupId>fathom</groupId><artifactId>([^<]*)</artifactId><version>\\$", bom));
    assertEquals(
        List.of("fathom", "org.bytedeco"),
        all("<dependency><groupId>([^<]*)<", bom).stream().distinct().toList());
    assertFalse(bom.contains("<parent>"), "a parent would bring its own versions");
  }

  @ParameterizedTest
  @ValueSource(strings = {"<project><version>7</version></project>", "<project", ""})
  void aVersionIsReadOrThePomRefused(String pom) throws IOException {
    Path file = folder.resolve("pom.xml");
    Files.writeString(file, pom);
    if (pom.endsWith("</project>")) {
      assertEquals("7", InstallCommand.version(file));
    } else {
      var e = assertThrows(BadFileException.class, () -> InstallCommand.version(file));
      assertTrue(String.valueOf(e.getMessage()).contains("no pom of Maven"), e.getMessage());
    }
  }

  /// It knows nothing to install if nobody says where the sources are.
  @Test
  void withoutTheLauncherItSaysWhatToDo() {
    Cli cli = Cli.run("install");
    assertEquals(Exit.USAGE, cli.code(), cli.err());
    assertTrue(cli.err().contains("./fathom"), cli.err());
  }

  /// With the classes of this build, which is what can be asked in a second.
  @Test
  void theProgramOfThePageCompiles() throws IOException {
    compiles(block("java", Files.readString(page())));
  }

  /// The lines that open a trained net stand on the page without imports and a method around them.
  @Test
  void theLinesThatOpenANetCompile() throws IOException {
    String lines = all("(?s)```java\n(try .*?)```", Files.readString(page())).getFirst();
    String imports = "import fathom.infer.*; import java.nio.file.Path;\n";
    compiles(imports + "void main() throws Exception {\n" + lines + "}\n");
  }

  private void compiles(String program) throws IOException {
    Path source = folder.resolve("Example.java");
    Files.writeString(source, program);
    var said = new StringWriter();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      List<String> options =
          List.of("-d", folder.toString(), "-cp", System.getProperty("java.class.path"));
      assertTrue(
          compiler
              .getTask(said, files, null, options, null, files.getJavaFileObjects(source))
              .call(),
          said.toString());
    }
  }

  /// From the sources, by the launcher, into a repository without Fathom; then the page's project
  /// and its two lines, with the vector module and without it.
  @Test
  void aProjectCompilesAndTrainsWithWhatIsInstalled() throws Exception {
    assumeTrue(Boolean.getBoolean("fathom.long"), "a build of everything");
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no shell here");
    Path repository = repository();
    Path home = sources();
    JsonNode answer =
        JsonMapper.builder()
            .build()
            .readTree(says(home, repository, "/bin/sh", "fathom", "install", "--json", "-q"));
    assertEquals(answer.path("version").asString(), installed(repository, "fathom"));
    for (String module : MODULES) {
      String name = "fathom-" + module;
      String stem = name + "-" + installed(repository, name);
      Path made = repository.resolve("fathom").resolve(name).resolve(installed(repository, name));
      for (String part : List.of(".jar", ".pom", "-sources.jar")) {
        assertTrue(Files.size(made.resolve(stem + part)) > 0, stem + part);
      }
    }
    String core = "fathom-core-" + answer.path("version").asString();
    Path made = repository.resolve("fathom/fathom-core").resolve(answer.path("version").asString());
    assertTrue(Files.size(made.resolve(core + "-javadoc.jar")) > 0);
    try (var jar = new JarFile(made.resolve(core + ".jar").toString())) {
      assertEquals(
          "fathom.core", jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name"));
      assertTrue(jar.getEntry("META-INF/LICENSE") != null, "without its licence");
    }

    String page = Files.readString(page());
    Path project = Files.createDirectories(folder.resolve("project"));
    Path source = Files.createDirectories(project.resolve("src").resolve("main").resolve("java"));
    Files.writeString(project.resolve("pom.xml"), block("xml", page));
    Files.writeString(source.resolve("Example.java"), block("java", page));
    String lines = block("", page);
    List<Double> fast = losses(says(project, repository, "/bin/sh", "-c", "set -e\n" + lines), 0);
    assertTrue(lines.contains(VECTORS), lines);
    List<Double> slow =
        losses(
            says(project, repository, "/bin/sh", "-c", "set -e\n" + lines.replace(VECTORS, "")), 1);
    for (int i = 0; i < 4; i++) {
      assertEquals(fast.get(i), slow.get(i), 1e-3, "loss of step " + i);
    }
    assertTrue(fast.get(3) < fast.get(0) / 2, "it learns the batch: " + fast);
  }

  private static Path page() {
    return ROOT.resolve("docs").resolve("guide").resolve("5-export-and-embed.md");
  }

  /// The four losses of the page's program, which has told `hints` times how to be faster.
  private static List<Double> losses(String said, int hints) {
    assertEquals(hints, all("(" + VECTORS + ")", said).size(), said);
    List<String> losses = all("loss ([0-9.]+)", said);
    assertEquals(4, losses.size(), said);
    return losses.stream().map(Double::valueOf).toList();
  }

  private static List<String> all(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(result -> result.group(1)).toList();
  }

  /// The first block of code in this language; of Java the first whole program.
  private static String block(String language, String page) {
    return Pattern.compile("^```" + language + "\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE)
        .matcher(page)
        .results()
        .map(result -> result.group(1))
        .filter(block -> !language.isEmpty() || block.startsWith("mvn"))
        .filter(block -> !language.equals("java") || block.contains("void main"))
        .findFirst()
        .orElseThrow();
  }

  private static String installed(Path repository, String artifact) throws IOException {
    try (Stream<Path> versions = Files.list(repository.resolve("fathom").resolve(artifact))) {
      return versions
          .filter(Files::isDirectory)
          .map(version -> version.getFileName().toString())
          .reduce((one, other) -> one + " and " + other)
          .orElse("");
    }
  }

  /// All that this machine's repository has but Fathom itself, by links.
  private Path repository() throws IOException {
    Path jar =
        Stream.of(System.getProperty("java.class.path").split(":"))
            .map(Path::of)
            .filter(path -> path.toString().contains("/org/bytedeco/javacpp/"))
            .findFirst()
            .orElseThrow();
    Path from = jar;
    while (!from.endsWith("org")) {
      from = from.getParent();
    }
    Path repository = Files.createDirectories(folder.resolve("repository"));
    try (Stream<Path> groups = Files.list(from.getParent())) {
      for (Path group : groups.filter(path -> !path.endsWith("fathom")).toList()) {
        Files.createSymbolicLink(repository.resolve(group.getFileName()), group);
      }
    }
    return repository;
  }

  /// A copy, for a build must not change what runs these tests.
  private Path sources() throws IOException {
    Path home = folder.resolve("home");
    var parts =
        new ArrayList<String>(
            List.of(
                "fathom",
                "jdk.sh",
                "jvm.args",
                "light.args",
                "LICENSE",
                "NOTICE",
                "pom.xml",
                ".mvn",
                "bom/pom.xml",
                "bench/peers"));
    for (String module : MODULES) {
      parts.add(module + "/pom.xml");
      parts.add(module + "/src/main");
    }
    for (String part : parts) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(part))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path to = home.resolve(ROOT.relativize(file).toString());
          Files.createDirectories(to.getParent());
          Files.copy(file, to);
        }
      }
    }
    return home;
  }

  private String says(Path in, Path repository, String... command) throws Exception {
    Path said = folder.resolve("said.txt");
    String java = System.getProperty("java.home");
    var builder = new ProcessBuilder(command).directory(in.toFile());
    Path err = folder.resolve("err.txt");
    builder.redirectOutput(said.toFile()).redirectError(err.toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "JAVA_HOME", java,
                "PATH", java + "/bin:" + System.getenv("PATH"),
                "MAVEN_OPTS", "-Dmaven.repo.local=" + repository));
    Process process = builder.start();
    if (!process.waitFor(15, TimeUnit.MINUTES)) {
      process.destroyForcibly();
    }
    String all = Files.readString(said);
    String complaints = Files.readString(err);
    assertEquals(0, process.waitFor(), all + complaints);
    return all.startsWith("{") ? all : all + complaints;
  }
}
