package fathom.cli;

import fathom.RandomKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/// Damage to the content of a file, as a function of a draw: one to four changes, one after the
/// other. Half of those that have a place are among the first 64 bytes, where headers are.
interface Mutation {
  /// One of the files, damaged.
  byte[] of(List<byte[]> files, RandomKey key);

  /// Changes of bits, bytes and whole numbers.
  Mutation BYTES = repeated(Mutation::bytes);

  /// Numbers that a header may lie with.
  List<Long> NUMBERS =
      List.of(
          0L,
          1L,
          2L,
          3L,
          7L,
          8L,
          10L,
          127L,
          128L,
          255L,
          256L,
          1000L,
          32767L,
          32768L,
          65535L,
          65536L,
          1L << 20,
          100_000_000L,
          (1L << 31) - 2,
          (1L << 31) - 1,
          1L << 31,
          (1L << 32) - 1,
          1L << 32,
          Long.MAX_VALUE,
          Long.MIN_VALUE,
          -1L,
          -2L);

  /// Words that a text may lie with, whatever it is about.
  List<String> WORDS =
      List.of(
          "",
          "0",
          "-0",
          "1",
          "-1",
          "2.5",
          "1e9",
          "1e400",
          "-1e-400",
          "NaN",
          "Infinity",
          "2147483647",
          "2147483648",
          "9223372036854775807",
          "18446744073709551616",
          "9".repeat(400),
          "null",
          "true",
          "\"\"",
          "\"a\"",
          "\"\\ud800\"",
          "\"\\u001b[2J\"",
          "\u001b[2J",
          "\u0000",
          "\ufeff",
          "\u202e",
          "{",
          "}",
          "[",
          "]",
          "{}",
          "[]",
          ",",
          ":",
          "=",
          "\n",
          "\r\n",
          " ",
          "x".repeat(5000),
          "[".repeat(3000),
          "{\"a\":".repeat(3000));

  /// Changes of the tokens and lines of a text, also to `more` than the usual words, or, in a
  /// quarter of all cases, of its bytes.
  static Mutation text(String... more) {
    var words = new ArrayList<>(WORDS);
    words.addAll(List.of(more));
    Mutation tokens = repeated((bytes, files, key) -> tokens(bytes, files, words, key));
    return (files, key) -> (key.below(9, 4) == 0 ? BYTES : tokens).of(files, key);
  }

  /// A change of `bytes`, which may take something from other files of the kind.
  interface Change {
    byte[] of(byte[] bytes, List<byte[]> files, RandomKey key);
  }

  private static Mutation repeated(Change change) {
    return (files, key) -> {
      byte[] bytes = files.get(key.below(0, files.size()));
      int times = 1 + Long.numberOfTrailingZeros(key.bits(1) | 8);
      for (int t = 0; t < times; t++) {
        bytes = change.of(bytes, files, key.at(t));
      }
      return bytes;
    };
  }

  private static byte[] bytes(byte[] bytes, List<byte[]> files, RandomKey key) {
    int near = key.bits(0) < 0 ? Math.min(64, bytes.length) : bytes.length;
    int at = key.below(1, near + 1);
    int length = Math.min(1 + key.below(2, 16), bytes.length - at);
    return switch (key.below(3, 10)) {
      case 0 -> Arrays.copyOf(bytes, at);
      case 1 -> replaced(bytes, at, at + length, flipped(bytes, at, length, key));
      case 2 -> replaced(bytes, at, at, random(1 + key.below(4, 16), key));
      case 3 -> replaced(bytes, at, at + length, random(length, key));
      case 4 -> replaced(bytes, at, at + length, new byte[0]);
      case 5 -> replaced(bytes, at, at + length, new byte[length]);
      case 6 -> {
        int from = key.below(4, bytes.length + 1);
        int to = Math.min(bytes.length, from + 1 + key.below(5, 64));
        yield replaced(bytes, at, at, Arrays.copyOfRange(bytes, from, to));
      }
      case 7 -> {
        byte[] other = files.get(key.below(4, files.size()));
        yield replaced(
            bytes,
            at,
            bytes.length,
            Arrays.copyOfRange(other, Math.min(at, other.length), other.length));
      }
      default -> {
        byte[] number = number(key);
        int end = Math.min(bytes.length, at + number.length);
        yield replaced(bytes, at, end, Arrays.copyOf(number, end - at));
      }
    };
  }

  private static byte[] flipped(byte[] bytes, int at, int length, RandomKey key) {
    byte[] flipped = Arrays.copyOfRange(bytes, at, at + length);
    for (int i = 0; length > 0 && i <= key.below(4, 3); i++) {
      int bit = key.below(5 + i, 8 * length);
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
    }
    return flipped;
  }

  private static byte[] random(int length, RandomKey key) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) key.bits(100 + i);
    }
    return bytes;
  }

  /// Of one, two, four or eight bytes, in either order.
  private static byte[] number(RandomKey key) {
    long number = NUMBERS.get(key.below(5, NUMBERS.size()));
    int size = 1 << key.below(6, 4);
    boolean little = key.bits(7) < 0;
    byte[] all =
        ByteBuffer.allocate(8)
            .order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN)
            .putLong(number)
            .array();
    return little ? Arrays.copyOf(all, size) : Arrays.copyOfRange(all, 8 - size, 8);
  }

  private static byte[] replaced(byte[] bytes, int begin, int end, byte[] with) {
    byte[] changed = Arrays.copyOf(bytes, bytes.length - (end - begin) + with.length);
    System.arraycopy(with, 0, changed, begin, with.length);
    System.arraycopy(bytes, end, changed, begin + with.length, bytes.length - end);
    return changed;
  }

  /// Between any two characters of which one is neither letter nor digit nor part of a number.
  Pattern TOKENS = Pattern.compile("(?<=[^\\w.+-])|(?=[^\\w.+-])");

  private static byte[] tokens(
      byte[] bytes, List<byte[]> files, List<String> words, RandomKey key) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    boolean lines = key.below(0, 8) == 0;
    var parts = new ArrayList<>(List.of(lines ? text.split("(?<=\n)") : TOKENS.split(text)));
    int at = key.below(1, parts.size());
    switch (key.below(2, 6)) {
      case 0 -> parts.remove(at);
      case 1 -> parts.add(key.below(3, parts.size()), parts.get(at));
      case 2 -> {
        String other = new String(files.get(key.below(3, files.size())), StandardCharsets.UTF_8);
        String[] others = TOKENS.split(other);
        parts.set(at, others[key.below(4, others.length)]);
      }
      default -> parts.set(at, words.get(key.below(3, words.size())));
    }
    return String.join("", parts).getBytes(StandardCharsets.UTF_8);
  }
}
