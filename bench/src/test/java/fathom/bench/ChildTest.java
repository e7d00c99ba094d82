package fathom.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class ChildTest {
  /// The JVM warns of incubator modules before a program says anything, which hid why `predict`
  /// refused what the benchmark asked of it.
  @Test
  void whatFailedIsToldByTheFirstLineOfTheProgramItself() {
    Assumptions.assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "there is no shell");
    String program =
        "echo 'WARNING: Using incubator modules: m' >&2; echo 'fathom: no such file' >&2; exit 2";
    var failed =
        assertThrows(
            IllegalStateException.class, () -> Child.run(List.of("/bin/sh", "-c", program)));
    assertEquals(
        "the process that is measured ended with code 2: fathom: no such file",
        failed.getMessage());
  }
}
