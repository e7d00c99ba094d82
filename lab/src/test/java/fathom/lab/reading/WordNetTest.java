package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A `data.noun` written by hand is read as the manual page has it, and a damaged one is refused by
/// its line.
class WordNetTest {
  private static final String LICENCE = "  1 A licence.  \n";
  private static final String TWO =
      LICENCE
          + "00000010 03 n 01 thing 0 001 ~ 00000020 n 0000 | whatever there is  \n"
          + "00000020 05 n 02 dog 0 sea_dog 1 003 @ 00000010 n 0000 + 00000010 v 0101 %p 00000010 n"
          + " 0000 | an animal; \"a good dog\"  \n";

  @TempDir private Path folder;

  private Path written(String text) throws IOException {
    return Files.writeString(folder.resolve("data.noun"), text);
  }

  private static String refusal(Path file) {
    return String.valueOf(
        assertThrows(BadFileException.class, () -> WordNet.read(file)).getMessage());
  }

  @Test
  void twoSynsetsByHand() throws IOException {
    assertEquals(
        List.of(
            new Synset(10, List.of("thing"), List.of(), "whatever there is"),
            new Synset(20, List.of("dog", "sea_dog"), List.of(10L), "an animal; \"a good dog\"")),
        WordNet.read(written(TWO)));
  }

  @Test
  void linesMayEndAsInWindowsAndTheLastWithoutAnEnd() throws IOException {
    byte[] text = "a b\r\n\n c".getBytes(StandardCharsets.UTF_8);
    var lines = new BoundedLines(new ByteArrayInputStream(text), folder, 9, 3);
    assertEquals(
        Arrays.asList("a b", "", " c", null),
        Arrays.asList(lines.next(), lines.next(), lines.next(), lines.next()));
    assertEquals(3, lines.number());
    var fewer = new BoundedLines(new ByteArrayInputStream(text), folder, 9, 1);
    fewer.next();
    String refused = String.valueOf(assertThrows(BadFileException.class, fewer::next).getMessage());
    assertTrue(refused.contains("line 2: a file has at most 1 lines"), refused);
  }

  @Test
  void theMiniatureIsAnOrderOfThirtySixAndInstancesBelongToIt() throws IOException {
    List<Synset> synsets = Miniature.synsets();
    assertEquals(36, synsets.size());
    Synset last = synsets.getLast();
    assertEquals(List.of("Argos"), last.words());
    assertEquals(1, last.hypernyms().size(), "by @i");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        "00000020 05 n#0000002 05 n#line 3: an offset has the form \\d{8}, but field 1 is '0000002'",
        "00000020 05 n#00000020 5 n#line 3: the number of the lexicographer's file",
        "00000020 05 n#00000020 05 v#line 3: the part of speech has the form n, but field 3 is 'v'",
        "n 02 dog#n 0x dog#line 3: the number of words",
        "n 02 dog#n 00 dog#line 3: a synset has a word at least",
        "n 02 dog#n 03 dog#line 3: the id of a word",
        "sea_dog 1#sea_dog 1g#line 3: the id of a word has the form [0-9a-f], but field 8 is '1g'",
        "1 003 @#1 3 @#line 3: the number of pointers",
        "1 003 @#1 004 @#line 3: the symbol of a pointer is missing: the line has 21 fields before",
        "1 003 @#1 002 @#line 3: 2 pointers end at field 17, but the line has 21 fields before its",
        "@ 00000010 n 0000#@ 00000010 x 0000#line 3: the part of speech of a pointer",
        "@ 00000010 n 0000#@ 00000010 n 00#line 3: source and target of a pointer",
        "@ 00000010 n#@ 00000011 n#line 3: the hypernym 00000011 is not in the file",
        "00000020 05#00000010 05#line 3: a synset stands once, but 00000010 stands in line 2 too",
        "| an animal#an animal#line 3: a synset has a gloss behind ' | ', but this line has none",
      })
  void aDamagedLineIsNamedWithWhatIsWrong(String part, String other, String says)
      throws IOException {
    assertTrue(TWO.contains(part), part);
    Path file = written(TWO.replaceFirst(Pattern.quote(part), other));
    String refused = refusal(file);
    assertTrue(refused.startsWith(file + ": " + says), refused);
  }

  @Test
  void whatIsCutShortIsRefused() throws IOException {
    for (int length = LICENCE.length(); length < TWO.length() - 3; length++) {
      String start = TWO.substring(0, length);
      boolean whole = start.length() > TWO.indexOf(" | an") + 2; // only its gloss is shorter
      boolean first = start.stripTrailing().endsWith("there is");
      boolean glossOfTheFirst =
          length > TWO.indexOf(" | w") + 2 && length < TWO.indexOf("00000020 05");
      if (whole || first || glossOfTheFirst) {
        WordNet.read(written(start)); // nothing tells that more was to come
      } else {
        String refused = refusal(written(start));
        assertTrue(refused.contains("line ") || refused.contains("cut short"), refused);
      }
    }
  }

  @Test
  void aLineOfNoTextAndOneWithoutAnEndAreRefused() throws IOException {
    Path file = folder.resolve("data.noun");
    byte[] bytes = TWO.getBytes(StandardCharsets.UTF_8);
    bytes[TWO.indexOf("sea_dog")] = (byte) 0xff;
    Files.write(file, bytes);
    assertTrue(refusal(file).contains("line 3: a line is UTF-8"), refusal(file));
    String endless = refusal(written("x".repeat(100_000)));
    assertTrue(endless.contains("line 1: a line has at most 65536 bytes"), endless);
    String empty = refusal(written(LICENCE));
    assertTrue(empty.contains("has synsets, but this one has none"), empty);
  }

  @Test
  void itIsFoundAsATextInDictOrInAJar() throws IOException {
    assertEquals(Optional.empty(), find());
    Path wordnet = Files.createDirectories(folder.resolve("wordnet"));
    assertEquals(Optional.empty(), find());
    Path jar = wordnet.resolve("wn.jar");
    try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("a/b/data.noun"));
      zip.write(TWO.getBytes(StandardCharsets.UTF_8));
    }
    assertEquals(Optional.of(jar), find());
    assertEquals(WordNet.read(written(TWO)), WordNet.read(jar));
    Path dict = Files.createDirectories(wordnet.resolve("dict")).resolve("data.noun");
    Files.writeString(dict, TWO);
    assertEquals(Optional.of(dict), find());
    Path plain = Files.writeString(wordnet.resolve("data.noun"), TWO);
    assertEquals(Optional.of(plain), find());
  }

  private Optional<Path> find() {
    return WordNet.find(name -> name.equals("FATHOM_DATA") ? folder.toString() : "/nowhere");
  }

  @Test
  void aJarWithoutItAndNoJarAreRefused() throws IOException {
    Path jar = folder.resolve("other.jar");
    try (var zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.putNextEntry(new ZipEntry("nodata.noun"));
    }
    assertTrue(refusal(jar).contains("has a data.noun in it, but this one has none"), refusal(jar));
    String broken = refusal(Files.writeString(folder.resolve("broken.jar"), TWO));
    assertTrue(broken.contains("has a data.noun in it, but this one has none"), broken);
    String absent = refusal(folder.resolve("absent.jar"));
    assertTrue(absent.contains("it cannot be read"), absent);
  }
}
