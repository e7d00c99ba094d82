package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Damaged files of every format that Fathom reads: each is read right, by a second reading, or
/// refused with a message that names it, in little memory, and nothing else comes of it.
///
/// Why not Jazzer, which is guided by the code that an input reaches: its JUnit extension (0.30.0)
/// does not run under JUnit 6.1.3 on JDK 25, and it fuzzes for a time, so that no two runs try the
/// same. Mutant i of a format is here a function of i ([Mutation]), made of genuine files of the
/// format, and the damage goes below lengths, checksums and compression, where most of it would
/// otherwise be refused by the first check. What was trouble once is kept as a named case with its
/// format: [DataFiles], [ImageFiles], [MaskFiles], [WeightFiles], [PeerWeightFiles], [RunFiles].
class MutantsTest {
  private static final int MUTANTS = Boolean.getBoolean("fathom.long") ? 10_000 : 1_000;

  /// Lines like `idx: 208 read, 792 refused for 14 reasons, 0 faults`.
  private static final Pattern COUNTS =
      Pattern.compile("(\\S+): (\\d+) read, (\\d+) refused for (\\d+) reasons, 0 faults");

  @TempDir private Path folder;

  private record Ended(int code, List<String> said, List<String> faults, String last) {}

  @Test
  void everyMutantIsReadRightOrRefused() throws Exception {
    Ended ended = mutants("192m", "60", Integer.toString(MUTANTS));
    assertEquals(List.of(), ended.faults);
    assertEquals(0, ended.code, "ended at " + ended.last + ", after " + ended.said);
    int formats = 0;
    for (String line : ended.said) {
      Matcher counts = COUNTS.matcher(line);
      if (counts.matches()) {
        System.out.println(line);
        formats++;
        assertEquals(
            MUTANTS, Integer.parseInt(counts.group(2)) + Integer.parseInt(counts.group(3)));
        // A mutation that is no damage, or only damage, tests nothing.
        assertTrue(Integer.parseInt(counts.group(2)) >= MUTANTS / 200, line);
        assertTrue(Integer.parseInt(counts.group(3)) >= MUTANTS / 20, line);
        assertTrue(Integer.parseInt(counts.group(4)) >= 2, line);
      }
    }
    assertEquals(27, formats, ended.said.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "throws, NoSuchElementException",
        "allocates, OutOfMemoryError",
        "recurses, StackOverflowError",
        "misreads, AssertionError",
        "names no file, does not name",
        "shows all, characters",
        "moves the cursor, control characters",
        "never ends, still being read"
      })
  void whatIsPlantedIsFound(String planted) throws Exception {
    String[] parts = planted.split(", ");
    Ended ended = mutants("64m", "1", "1000", parts[0]);
    assertTrue(ended.faults.toString().contains(parts[1]), ended.toString());
    assertTrue(
        ended.faults.getFirst().startsWith("FAULT " + parts[0] + ", mutant "), ended.toString());
  }

  /// In a process with so much heap, and so many seconds for each.
  private Ended mutants(String heap, String patience, String... args) throws Exception {
    var command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + System.getProperty("fathom.jvm.args"),
                "-Xmx" + heap,
                "-Dfathom.patience=" + patience,
                "-Dfathom.root=" + System.getProperty("fathom.root", "."),
                "-cp",
                System.getProperty("java.class.path"),
                Mutants.class.getName(),
                folder.toString()));
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    var said = new ArrayList<String>();
    var faults = new ArrayList<String>();
    String last = "the start";
    try (var lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("AT ")) {
          last = line.substring(3);
        } else if (line.startsWith("FAULT ")) {
          faults.add(line);
        } else {
          said.add(line);
        }
      }
    }
    return new Ended(process.waitFor(), said, faults, last);
  }
}
