package fathom.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import fathom.RandomKey;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damage of every kind: a file with a checksum is refused, any other is refused or readable, and
/// nothing but [BadFileException] comes of it.
final class MutantsTest {
  private static final int MUTANTS = Boolean.getBoolean("fathom.long") ? 100_000 : 10_000;

  @TempDir Path folder;
  private Path file;
  private byte[] original;

  @BeforeEach
  void writeTheOriginal() throws IOException {
    file = folder.resolve("original.safetensors");
    SafeTensors.write(file, Fixture.tensors(), Fixture.metadata());
    original = Files.readAllBytes(file);
  }

  @Test
  void theOriginalIsAccepted() {
    assertTrue(isAccepted(original));
  }

  @Test
  void everyFlippedBitIsRefused() {
    for (int bit = 0; bit < 8 * original.length; bit++) {
      byte[] mutant = original.clone();
      mutant[bit / 8] ^= (byte) (1 << bit % 8);
      assertRefused(mutant, "bit " + bit);
    }
  }

  /// Whichever of the three mentions of the checksum is left, the file does not pass for another
  /// program's.
  @Test
  void damageToTwoOfTheThreeMentionsIsRefused() {
    String text = new String(original, StandardCharsets.ISO_8859_1);
    int first = text.indexOf("fathom.sha256");
    int second = text.indexOf("fathom.sha256", first + 1);
    int third = text.indexOf("fathom.sha256", second + 1);
    for (int[] pair :
        List.of(new int[] {first, second}, new int[] {first, third}, new int[] {second, third})) {
      byte[] mutant = original.clone();
      mutant[pair[0]] ^= 1;
      mutant[pair[1]] ^= 1;
      assertRefused(mutant, "damage at " + pair[0] + " and " + pair[1]);
    }
  }

  @Test
  void everyTruncationIsRefused() {
    for (int length = 0; length < original.length; length++) {
      assertRefused(Arrays.copyOf(original, length), "length " + length);
    }
  }

  @Test
  void everyMutantWithAChecksumIsRefused() {
    for (int i = 0; i < MUTANTS; i++) {
      byte[] mutant = mutant(original, RandomKey.of(1, "damage").at(i));
      if (!Arrays.equals(mutant, original)) {
        assertRefused(mutant, "mutant " + i);
      }
    }
  }

  /// Without a checksum the parser stands alone; the mutants here exchange whole tokens too.
  @Test
  void aMutantWithoutAChecksumIsRefusedOrReadable() {
    byte[] foreign =
        Fixture.file(
            "{\"__metadata__\":{\"k\":\"v\"},"
                + "\"a\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
                + "\"b\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[12,20]},"
                + "\"c\":{\"dtype\":\"U8\",\"shape\":[0,7],\"data_offsets\":[20,20]},"
                + "\"d\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[20,24]}}",
            "00".repeat(24));
    int accepted = 0;
    for (int i = 0; i < MUTANTS; i++) {
      RandomKey key = RandomKey.of(2, "damage").at(i);
      byte[] mutant = key.below(0, 2) == 0 ? mutant(foreign, key) : otherToken(foreign, key);
      accepted += isAccepted(mutant) ? 1 : 0;
    }
    assertTrue(accepted > MUTANTS / 100, "only %s of the mutants test reading".formatted(accepted));
    assertTrue(accepted < MUTANTS / 2, "%s of the mutants are no damage".formatted(accepted));
  }

  private static byte[] mutant(byte[] bytes, RandomKey key) {
    int at = key.below(1, bytes.length);
    int length = 1 + key.below(2, 16);
    int end = Math.min(at + length, bytes.length);
    return switch (key.below(3, 7)) {
      case 0 -> Arrays.copyOf(bytes, at);
      case 1 -> flipped(bytes, key);
      case 2 -> replaced(bytes, at, at, random(length, key));
      case 3 -> replaced(bytes, at, end, random(end - at, key));
      case 4 -> replaced(bytes, at, end, new byte[0]);
      case 5 -> replaced(bytes, at, end, new byte[end - at]);
      default -> {
        int from = key.below(4, bytes.length);
        byte[] copy = Arrays.copyOfRange(bytes, from, Math.min(from + length, bytes.length));
        yield replaced(bytes, at, Math.min(at + copy.length, bytes.length), copy);
      }
    };
  }

  private static byte[] flipped(byte[] bytes, RandomKey key) {
    byte[] mutant = bytes.clone();
    for (int i = 0; i <= key.below(5, 3); i++) {
      int bit = key.below(6 + i, 8 * bytes.length);
      mutant[bit / 8] ^= (byte) (1 << bit % 8);
    }
    return mutant;
  }

  private static byte[] random(int length, RandomKey key) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) key.bits(100 + i);
    }
    return bytes;
  }

  private static byte[] replaced(byte[] bytes, int begin, int end, byte[] with) {
    byte[] mutant = Arrays.copyOf(bytes, bytes.length - (end - begin) + with.length);
    System.arraycopy(with, 0, mutant, begin, with.length);
    System.arraycopy(bytes, end, mutant, begin + with.length, bytes.length - end);
    return mutant;
  }

  /// One or two tokens of the JSON become others; the length in front is made to fit.
  private static byte[] otherToken(byte[] bytes, RandomKey key) {
    List<String> others =
        List.of(
            "0",
            "1",
            "-1",
            "2.5",
            "1e9",
            "12",
            "20",
            "18446744073709551616",
            "9223372036854775807",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            "null",
            "true",
            "\"a\"",
            "\"dtype\"",
            "\"F32\"",
            "\"BOOL\"",
            "\"\\ud800\"",
            "\"__metadata__\"",
            "{}",
            "[]",
            "4294967296,4294967296",
            " ",
            "");
    int data = bytes.length - 24;
    String json = new String(bytes, 8, data - 8, StandardCharsets.UTF_8);
    for (int i = 0; i <= key.below(3, 2); i++) {
      String[] tokens = json.split("(?<=[\\[\\]{},:])|(?=[\\[\\]{},:])");
      tokens[key.below(10 + i, tokens.length)] = others.get(key.below(20 + i, others.size()));
      json = String.join("", tokens);
    }
    return Fixture.file(json, "00".repeat(24));
  }

  private void assertRefused(byte[] mutant, String which) {
    if (isAccepted(mutant)) {
      fail("%s was accepted: %s".formatted(which, new String(mutant, StandardCharsets.ISO_8859_1)));
    }
  }

  /// In memory, since thousands of files take seconds; other tests show that a mapped file is the
  /// same.
  private boolean isAccepted(byte[] mutant) {
    try {
      readAll(SafeTensors.over(file, Arena.global(), MemorySegment.ofArray(mutant)));
      return true;
    } catch (BadFileException refused) {
      assertTrue(String.valueOf(refused.getMessage()).startsWith(file + ": "));
      return false;
    }
  }

  private static void readAll(SafeTensors opened) {
    for (String name : opened.names()) {
      try (Arena arena = Arena.ofConfined()) {
        StoredTensor tensor = opened.widened(name, arena);
        long bytes = tensor.shape().elements() * tensor.type().bytes();
        assertEquals(bytes, tensor.bytes().byteSize());
        Fixture.content(tensor);
      } catch (BadFileException otherType) {
        assertTrue(String.valueOf(otherType.getMessage()).contains("has dtype"));
      }
    }
  }
}
