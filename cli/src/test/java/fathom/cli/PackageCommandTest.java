package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  /// An image has no shell, so its entry point repeats what the program of the folder does.
  @Test
  void theImageStartsAsTheFolderDoes() throws IOException {
    for (String word :
        new String[] {"/jvm.args", "cachedir=", "/natives:", "/libraries/*", "fathom.cli.Main"}) {
      assertTrue(resource("fathom").contains(word), word);
      assertTrue(resource("Dockerfile").contains(word), word);
    }
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
