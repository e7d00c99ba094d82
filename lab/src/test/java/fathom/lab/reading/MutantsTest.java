package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.io.BadFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files of both formats of this room: each is read, or refused with its name, and nothing
/// else comes of it. Mutant i is a function of i.
class MutantsTest {
  private static final int MUTANTS = Boolean.getBoolean("fathom.long") ? 10_000 : 1_000;

  @TempDir private Path folder;

  @Test
  void aDamagedWordNetIsReadOrRefused() throws IOException {
    byte[] genuine = Files.readAllBytes(Miniature.file());
    int refused = refused(genuine, file -> Hypernymy.of(WordNet.read(file)));
    assertTrue(refused > MUTANTS / 20 && refused < MUTANTS, "%s refused".formatted(refused));
  }

  @Test
  void aDamagedQuestionIsReadOrRefused() throws IOException {
    byte[] genuine = ClozeTest.FILE.getBytes(StandardCharsets.UTF_8);
    int refused = refused(genuine, ClozeFiles::read);
    assertTrue(refused > MUTANTS / 20 && refused < MUTANTS, "%s refused".formatted(refused));
  }

  private int refused(byte[] genuine, Consumer<Path> read) throws IOException {
    int refused = 0;
    Path file = folder.resolve("mutant");
    for (int i = 0; i < MUTANTS; i++) {
      Files.write(file, mutant(genuine, RandomKey.of(7, "damage").at(i)));
      try {
        read.accept(file);
      } catch (BadFileException e) {
        refused++;
        assertTrue(String.valueOf(e.getMessage()).startsWith(file.toString()), e.getMessage());
      } catch (IllegalArgumentException e) { // what is read right and is no order
        assertTrue(String.valueOf(e.getMessage()).contains("circle"), e.getMessage());
      }
    }
    return refused;
  }

  /// Up to three damages: a byte is another, a piece is missing, or it stands twice.
  private static byte[] mutant(byte[] genuine, RandomKey draw) {
    byte[] now = genuine;
    int damages = 1 + draw.below(0, 3);
    for (int k = 0; k < damages; k++) {
      RandomKey own = draw.at(k);
      int from = own.below(0, now.length);
      int to = Math.min(now.length, from + 1 + own.below(1, 80));
      var mutant = new ByteArrayOutputStream();
      mutant.write(now, 0, from);
      switch (own.below(2, 3)) {
        case 0 -> {
          mutant.write(own.below(3, 256));
          mutant.write(now, from + 1, now.length - from - 1);
        }
        case 1 -> mutant.write(now, to, now.length - to);
        default -> {
          mutant.write(now, from, to - from);
          mutant.write(now, from, now.length - from);
        }
      }
      now = mutant.toByteArray();
    }
    return now;
  }
}
