package fathom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The program in the README compiles, runs and learns.
class ReadmeTest {
  @TempDir private Path folder;

  @Test
  void theExampleRunsAsItStands() throws Exception {
    Path source = folder.resolve("Example.java");
    Files.writeString(source, example());
    Path out = folder.resolve("out.txt");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "@" + System.getProperty("fathom.jvm.args"),
                    "-Duser.language=en", // its figures are printed for the user, and read here
                    "-cp",
                    System.getProperty("java.class.path"),
                    source.toString()))
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the example still runs after 120 s");
    String printed = Files.readString(out);
    assertEquals(0, process.exitValue(), printed);
    var error = Pattern.compile("test error ([0-9.]+) %").matcher(printed);
    assertTrue(error.find(), printed);
    assertTrue(Double.parseDouble(error.group(1)) < 20, printed);
  }

  private static String example() throws IOException {
    String readme = Files.readString(Path.of(System.getProperty("fathom.root"), "README.md"));
    var block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
    assertTrue(block.find(), "the README has a Java example");
    return block.group(1);
  }
}
