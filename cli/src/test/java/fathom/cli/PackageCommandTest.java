package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.train.Machine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Making the folder takes minutes, so only its parts and what is refused are tested here.
class PackageCommandTest {
  @TempDir private Path folder;

  private static String resource(String name) throws IOException {
    try (var in =
        Objects.requireNonNull(PackageCommand.class.getResourceAsStream("package/" + name), name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void itRunsWithTheFlagsThatEverythingRunsWith() throws IOException {
    assertEquals(
        Files.readString(Path.of(System.getProperty("fathom.jvm.args"))), resource("jvm.args"));
  }

  /// An image has no shell, so its entry point repeats what the program of the folder does, and the
  /// job of a trainer, which has a command of its own, repeats the entry point.
  @Test
  void theImageStartsAsTheFolderDoes() throws IOException {
    String entry = between(resource("Dockerfile"), "ENTRYPOINT [", "]").replace("\\", "");
    List<String> words =
        Stream.of(entry.split(",", -1)).map(word -> word.strip().replace("\"", "")).toList();
    String program =
        resource("fathom").replace("$FATHOM_CACHE", "/cache").replace("$home", "/opt/fathom");
    for (String word : words) {
      assertTrue(program.contains(word), word);
    }
    assertTrue(words.size() > 6, entry);
    String job = example("train-job");
    List<String> command =
        between(job, "command:\n", "    args:")
            .lines()
            .map(line -> line.strip().replaceFirst("^- ", "").replace("\"", ""))
            .filter(line -> !line.isEmpty())
            .toList();
    assertEquals(words, command);
  }

  /// Everybody may make a folder, or a link to one, where the cache lies if nobody names it.
  @Test
  void aCacheOfSomebodyElseIsNotUsed() throws Exception {
    Path home = Files.createDirectories(folder.resolve("home"));
    Path program = Files.createDirectories(home.resolve("bin")).resolve("fathom");
    Files.writeString(program, resource("fathom"));
    Path java = Files.createDirectories(home.resolve("java/bin")).resolve("java");
    Files.writeString(java, "#!/bin/sh\necho \"in $FATHOM_CACHE\"\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwx------"));
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    int user = (int) Files.getAttribute(temporary, "unix:uid");
    Path cache = temporary.resolve("fathom-" + user);

    assertEquals("0 in " + cache, ended(program, Map.of("TMPDIR", temporary.toString())));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
    assertEquals("0 in " + cache, ended(program, Map.of("TMPDIR", temporary.toString())), "again");

    Files.delete(cache);
    Path other = Files.createDirectories(folder.resolve("other"));
    Files.createSymbolicLink(cache, other);
    assertEquals(
        "4 fathom: %s is not a folder of this user: name one by FATHOM_CACHE, or remove it."
            .formatted(cache),
        ended(program, Map.of("TMPDIR", temporary.toString())));
    assertEquals(
        "0 in " + cache, ended(program, Map.of("FATHOM_CACHE", cache.toString())), "as named");
  }

  /// The exit code and what is said.
  private String ended(Path program, Map<String, String> environment) throws Exception {
    Path said = folder.resolve("said");
    var builder =
        new ProcessBuilder("/bin/sh", program.toString())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile());
    builder.environment().remove("FATHOM_CACHE");
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    return code + " " + Files.readString(said).strip();
  }

  private static String example(String name) throws IOException {
    return Files.readString(
        Path.of(System.getProperty("fathom.jvm.args"))
            .resolveSibling("examples/kubernetes/" + name + ".yaml"));
  }

  private static String between(String text, String from, String to) {
    int begin = text.indexOf(from) + from.length();
    return text.substring(begin, text.indexOf(to, begin));
  }

  /// The examples name an image of this version, and give it commands and options that there are.
  @ParameterizedTest
  @ValueSource(strings = {"predict-job", "serve-deployment", "train-job"})
  void theExamplesForKubernetesCallWhatThereIs(String name) throws IOException {
    String yaml = example(name);
    assertTrue(yaml.contains("image: registry.example/fathom:" + Machine.VERSION + "\n"), yaml);
    assertTrue(yaml.contains("mountPath: /cache"), yaml);
    String rest = yaml.substring(yaml.indexOf("args:") + "args:".length());
    Stream<String> words =
        rest.startsWith(" [")
            ? Stream.of(between(rest, "[", "]").split(",", -1))
            : rest.lines().skip(1).takeWhile(line -> line.strip().startsWith("- "));
    String[] args =
        words
            .map(word -> word.strip().replaceFirst("^- ", "").replaceFirst(" #.*", ""))
            .map(word -> word.replace("\"", ""))
            .toArray(String[]::new);
    assertTrue(args.length > 3, yaml);
    Main.commandLine().parseArgs(args); // throws for an option that there is not
  }

  @Test
  void aFolderThatIsThereIsLeft() throws IOException {
    Files.createDirectories(folder.resolve("fathom"));
    Cli cli = Cli.run("package", "--out", folder.toString());
    assertEquals(Exit.BAD_FILE, cli.code());
    assertTrue(cli.err().contains("this is there already"), cli.err());
    assertEquals(Exit.USAGE, Cli.run("package").code());
  }
}
