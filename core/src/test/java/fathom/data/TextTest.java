package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextTest {
  @TempDir Path dir;

  private String spec(byte[] bytes) throws IOException {
    return "text:" + Files.write(dir.resolve("t.txt"), bytes);
  }

  private String spec(String text) throws IOException {
    return spec(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String bad(String spec) {
    return String.valueOf(assertThrows(BadFileException.class, () -> Data.open(spec)).getMessage());
  }

  // ---- Reading

  @Test
  void theVocabularyIsSortedAndATenthIsHeldOut() throws IOException {
    String text = "bca\n\t ß€😀 bca bca ab\r\n"; // 22 characters, one of them of two chars
    Text read = assertInstanceOf(Text.class, Data.open(spec(text)));
    assertEquals(
        List.of("\t", "\n", "\r", " ", "a", "b", "c", "ß", "€", "😀"),
        read.vocabulary().characters());
    assertEquals(20, read.train().length);
    assertEquals(2, read.validation().length);
    assertArrayEquals(new int[] {5, 6, 4, 1}, Arrays.copyOf(read.train(), 4));
    assertEquals(
        text, read.vocabulary().decode(read.train()) + read.vocabulary().decode(read.validation()));
    assertArrayEquals(read.validation(), read.vocabulary().encode("\r\n"));
    assertEquals(read, Data.open(spec(text)));
  }

  @Test
  void aByteOrderMarkIsNoCharacter() throws IOException {
    Text read = Text.open(spec("\uFEFF" + "ab".repeat(10)));
    assertEquals(List.of("a", "b"), read.vocabulary().characters());
    assertEquals(18, read.train().length);
  }

  /// What people's texts have between words, lines and pages is read as what it is: tab, vertical
  /// tab, page break, both line ends, NEL, no-break and line separators.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\t", "\n", "\u000b", "\f", "\r", "\u0085", "\u00a0", "\u2028", "\u2029", "\u3000", "\uFEFF"
      })
  void whiteSpaceIsText(String white) throws IOException {
    String text = "a page" + white + "another page" + white + "the end";
    Text read = Text.open(spec(text));
    assertTrue(read.vocabulary().characters().contains(white), text);
    assertEquals(
        text, read.vocabulary().decode(read.train()) + read.vocabulary().decode(read.validation()));
    assertEquals(read, Text.open(spec("\uFEFF" + text)), "behind a byte order mark");
  }

  @ParameterizedTest
  @CsvSource({
    "00,10,0x00", // a NUL
    "08,10,0x08", // the last before the white space
    "0e,10,0x0e", // the first behind it
    "1a,10,0x1a",
    "1b,10,0x1b",
    "7f,10,0x7f",
    "ff,10,0xff",
    "c3,10,0xc3", // half of a character
    "80,10,0x80", // the other half
    "c080,10,0xc0", // overlong
    "eda080,10,0xed", // half of a surrogate pair
    "f4908080,10,0xf4", // above U+10FFFF
    "c3bc00,12,0x00",
    "c3bcff00,12,0xff", // the first of two
  })
  void binaryDataIsRefusedAtItsByte(String hex, int offset, String says) throws IOException {
    byte[] start = "0123456789".getBytes(StandardCharsets.UTF_8);
    byte[] bad = HexFormat.of().parseHex(hex);
    byte[] all = Arrays.copyOf(start, start.length + bad.length + 10);
    Arrays.fill(all, (byte) 'x');
    System.arraycopy(start, 0, all, 0, 10);
    System.arraycopy(bad, 0, all, 10, bad.length);
    String message = bad(spec(all));
    assertTrue(message.contains("byte " + offset) && message.contains(says), message);
    assertTrue(message.contains("binary data"), message);
  }

  @Test
  void aCharacterThatIsCutOffIsRefused() throws IOException {
    byte[] whole = "aaaaaaaaaaaaaaaaaaaaaaaa€".getBytes(StandardCharsets.UTF_8);
    Text.open(spec(whole));
    assertTrue(bad(spec(Arrays.copyOf(whole, 26))).contains("byte 24"));
  }

  @Test
  void emptyAndShortTextsAndOtherThingsAreRefused() throws IOException {
    assertTrue(bad(spec("")).contains("empty"));
    assertTrue(bad(spec("a".repeat(19))).contains("19"));
    assertEquals(18, Text.open(spec("a".repeat(20))).train().length);
    assertTrue(bad("text:" + dir).contains("write images:" + dir));
    assertTrue(bad("text:" + dir + "/none").contains("no such file"));
    assertThrows(IllegalArgumentException.class, () -> Data.open("text:"));
    assertThrows(IllegalArgumentException.class, () -> Data.open("text:\0"));
    var e = assertThrows(IllegalArgumentException.class, () -> DataSet.open("text:x"));
    assertTrue(String.valueOf(e.getMessage()).contains("images"), e.getMessage());
  }

  /// Whoever gives a file for a folder is told how to give it, by what it is.
  @ParameterizedTest
  @CsvSource({
    "small.txt,text,write text:",
    "README,text,write text:",
    "data.zip,archive,unpack it",
    "data.tar.gz,archive,unpack it",
    "cifar.TGZ,archive,unpack it",
    "train-images-idx3-ubyte.gz,binary,the folder that it lies in",
    "data_batch_1.bin,binary,the folder that it lies in",
    "empty,,the folder that it lies in",
  })
  void aFileForAFolderIsToldHowToBeGiven(String name, String content, String says)
      throws IOException {
    byte[] bytes =
        switch (content) {
          case null -> new byte[0];
          case "text" -> "Größe, 12 €\f\n".repeat(500).getBytes(StandardCharsets.UTF_8);
          default -> new byte[] {31, -117, 0, 1, 2};
        };
    Path file = Files.write(dir.resolve(name), bytes);
    for (String spec : List.of(file.toString(), "images:" + file)) {
      String message = bad(spec);
      assertTrue(message.contains(says), message);
    }
  }

  /// Any bytes are read as a text or refused.
  @Test
  void damagedTextsAreReadOrRefused() throws IOException {
    String spec = spec("Größe, 12 € und 😀\n".repeat(20));
    Damage.mutate(dir.resolve("t.txt"), 300, () -> Data.open(spec));
  }

  @Test
  void aTextOfAnotherVocabularyIsRefusedByItsCharacter() throws IOException {
    var vocabulary = new Vocabulary(List.of("a", "b"));
    assertEquals(18, Text.open(spec("b".repeat(20)), vocabulary).train().length);
    String spec = spec("abababababababcabababab");
    var e = assertThrows(BadFileException.class, () -> Text.open(spec, vocabulary));
    assertTrue(
        String.valueOf(e.getMessage()).contains("character 14 of this text is 'c' (U+0063)"),
        e.getMessage());
    var prompt = assertThrows(IllegalArgumentException.class, () -> vocabulary.encode("aßbßé"));
    assertTrue(
        String.valueOf(prompt.getMessage()).endsWith("but not 'ß' (U+00DF), 'é' (U+00E9)"),
        prompt.getMessage());
    for (List<String> none : List.of(List.<String>of(), List.of("a", "a"), List.of("ab"))) {
      assertThrows(IllegalArgumentException.class, () -> new Vocabulary(none));
    }
  }

  // ---- Streams

  /// 0 1 2 … 11 as two streams of (12 − 1) / 2 = 5: 0-4 and 5-9, in windows of 2, 1 and 2.
  @Test
  void streamsAreReadInWindows() {
    var streams = new Streams(IntStream.range(0, 12).toArray(), 2, 2);
    Rows both = new Rows(0, 2);
    assertEquals(5, streams.length());
    assertEquals(3, streams.windows());
    assertArrayEquals(new int[][] {{0, 5}}, streams.read(streams.window(0), both));
    assertArrayEquals(new int[] {1, 6}, streams.next(streams.window(0), both));
    assertArrayEquals(new int[][] {{1, 6}, {2, 7}}, streams.read(streams.window(1), both));
    assertArrayEquals(new int[] {2, 7, 3, 8}, streams.next(streams.window(1), both));
    assertArrayEquals(new int[][] {{3, 8}, {4, 9}}, streams.read(streams.window(2), both));
    assertArrayEquals(new int[] {4, 9, 5, 10}, streams.next(streams.window(2), both));
    assertArrayEquals(new int[][] {{8}, {9}}, streams.read(streams.window(2), new Rows(1, 2)));
    assertArrayEquals(new int[] {9, 10}, streams.next(streams.window(2), new Rows(1, 2)));
    assertThrows(IllegalArgumentException.class, () -> streams.window(3));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 31})
  void everyCharacterOfAStreamIsReadOnce(int window) {
    var streams = new Streams(IntStream.range(0, 100).toArray(), 3, window);
    int[] seen = new int[100];
    for (int w = 0; w < streams.windows(); w++) {
      Rows places = streams.window(w);
      assertTrue(places.count() <= window && places.count() >= 1);
      for (int[] row : streams.read(places, new Rows(0, 3))) {
        for (int each : row) {
          seen[each]++;
        }
      }
    }
    for (int i = 0; i < 99; i++) {
      assertEquals(1, seen[i]);
    }
    assertThrows(IllegalArgumentException.class, () -> new Streams(new int[3], 3, window));
  }

  // ---- Places

  @Test
  void aWellKnownNameIsLookedForWhereDataIsKept() throws IOException {
    Path data = Files.createDirectories(dir.resolve("data"));
    Path shared = Files.createDirectories(dir.resolve("xdg"));
    UnaryOperator<String> environment =
        name -> (name.equals("FATHOM_DATA") ? data : shared).toString();
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> DataSet.open("Fashion-MNIST", ImageReadOptions.USUAL, environment));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(data.resolve("fashion-mnist").toString()), message);
    assertTrue(message.contains(shared.resolve("fathom/fashionmnist").toString()), message);
    Path found = Files.createDirectories(shared.resolve("fathom/fashion-mnist"));
    var bad =
        assertThrows(
            BadFileException.class,
            () -> DataSet.open("Fashion-MNIST", ImageReadOptions.USUAL, environment),
            "an empty folder is no data set");
    assertTrue(String.valueOf(bad.getMessage()).startsWith(found.toString()), bad.getMessage());
    Files.createDirectories(data.resolve("fashion-mnist"));
    bad =
        assertThrows(
            BadFileException.class,
            () -> DataSet.open("Fashion-MNIST", ImageReadOptions.USUAL, environment));
    assertTrue(String.valueOf(bad.getMessage()).startsWith(data.toString()), bad.getMessage());
  }
}
