package fathom.lab.reading;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.RandomKey;
import fathom.io.BadFileException;
import fathom.lab.reading.ClozeTokens.Coded;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Questions about texts: those that are generated have one answer that the text gives and nothing
/// else does, those in files are read as published, and markers are drawn.
class ClozeTest {
  static final String FILE =
      """
      http://example.org/a-story

      @entity3 met @entity7 in @entity1 . it  rained

      in @entity1 @placeholder met @entity7

      @entity3

      @entity3:Ada
      @entity7:Charles Babbage
      @entity1:London: the city
      """;

  @TempDir private Path folder;

  private Path written(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static Stories stories(int entities, int rounds) {
    return new Stories(RandomKey.of(5, "stories"), entities, rounds);
  }

  /// Found by looking: the only sentence with the verb and the object of the question.
  @ParameterizedTest
  @CsvSource({"3, 1", "4, 1", "4, 2", "5, 3", "7, 6"})
  void theTextGivesTheAnswerAndNoOther(int entities, int rounds) {
    for (int i = 0; i < 200; i++) {
      Cloze story = stories(entities, rounds).at(i);
      assertEquals(Cloze.BLANK, story.question().getFirst());
      var subjects = new TreeSet<String>();
      int sentences = 0;
      for (int at = 0; at < story.document().size(); at += 4) {
        List<String> sentence = story.document().subList(at, at + 4);
        assertEquals(".", sentence.getLast());
        assertNotEquals(sentence.get(0), sentence.get(2), "nobody does it to himself");
        if (sentence.subList(1, 3).equals(story.question().subList(1, 3))) {
          subjects.add(sentence.getFirst());
          sentences++;
        }
      }
      assertEquals(new TreeSet<>(List.of(story.answer())), subjects);
      assertEquals(1, sentences);
    }
  }

  /// What makes counting words worthless: all markers occur equally often, and each is as often the
  /// answer. Of 6000 stories of 4 entities each is it 1500 times with a standard deviation of 34.
  @Test
  void nothingButTheOrderOfWordsTellsTheAnswer() {
    Map<String, Integer> answers = new HashMap<>();
    for (int i = 0; i < 6000; i++) {
      Cloze story = stories(4, 2).at(i);
      answers.merge(story.answer(), 1, Integer::sum);
      assertEquals(4, story.entities().size());
      for (String entity : story.entities()) {
        assertEquals(4, Collections.frequency(story.document(), entity), "twice who, twice whom");
      }
      assertTrue(!story.answer().equals(story.question().getLast()));
    }
    assertEquals(4, answers.size());
    answers.values().forEach(times -> assertEquals(1500, times, 5 * 34));
  }

  @Test
  void aStoryIsAFunctionOfItsIndex() {
    assertEquals(stories(4, 1).at(3), stories(4, 1).at(3));
    assertEquals(50, LongStream.range(0, 50).mapToObj(stories(5, 2)::at).distinct().count());
    assertThrows(IllegalArgumentException.class, () -> stories(2, 1));
    assertThrows(IllegalArgumentException.class, () -> stories(4, 7));
  }

  /// Read under two draws, a question is the same but for a permutation of its markers, which is
  /// the same in text, question, answer and the list of entities.
  @Test
  void whichMarkerAnEntityGetsIsDrawnAndNothingElse() {
    List<Cloze> some = LongStream.range(0, 20).mapToObj(stories(6, 1)::at).toList();
    ClozeTokens tokens = ClozeTokens.of(some, 10);
    assertEquals(6 + 2 + 7, tokens.vocabulary(), "six markers, blank, unknown, six verbs, a stop");
    int differ = 0;
    for (Cloze question : some) {
      Coded a = tokens.code(question, RandomKey.of(1, "markers"));
      Coded b = tokens.code(question, RandomKey.of(2, "markers"));
      Map<Integer, Integer> to = new HashMap<>();
      for (int i = 0; i < a.entities().length; i++) {
        to.put(a.entities()[i], b.entities()[i]);
      }
      assertEquals(6, new TreeSet<>(to.values()).size(), "a permutation");
      assertArrayEquals(mapped(a.document(), to), b.document());
      assertArrayEquals(mapped(a.question(), to), b.question());
      assertEquals(to.get(a.answer()), b.answer());
      differ += a.answer() == b.answer() ? 0 : 1;
    }
    assertTrue(differ > 5, "of 20");
  }

  private static int[] mapped(int[] tokens, Map<Integer, Integer> to) {
    return Arrays.stream(tokens).map(t -> to.getOrDefault(t, t)).toArray();
  }

  @Test
  void aFileByHand() throws IOException {
    Cloze question = ClozeFiles.read(written("a.question", FILE));
    assertEquals(
        new Cloze(
            List.of("@entity3", "met", "@entity7", "in", "@entity1", ".", "it", "rained"),
            List.of("in", "@entity1", "@placeholder", "met", "@entity7"),
            "@entity3"),
        question);
    assertEquals(List.of("@entity3", "@entity7", "@entity1"), question.entities());
    // "in" and "met" stand twice, so they are known: tokens 5 and 6 behind 3 markers and 2 more.
    Coded coded = ClozeTokens.of(List.of(question), 2).code(question, RandomKey.of(1, "markers"));
    int[] d = coded.document();
    assertArrayEquals(new int[] {d[0], 6, d[2], 5, d[4], 4, 4, 4}, d);
    assertArrayEquals(new int[] {5, d[4], 3, 6, d[2]}, coded.question());
    assertEquals(d[0], coded.answer());
    assertTrue(d[0] < 3 && d[2] < 3 && d[4] < 3 && d[0] != d[2] && d[2] != d[4]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      value = {
        "\\n@entity3\\n#\\nsome text\\n#an answer is a marker @entityN that stands in the document, but"
            + " this one is \"some text\"",
        "\\n@entity3\\n#\\n@entity4\\n#an answer is a marker @entityN",
        "@placeholder#him#a question has a @placeholder, but this one is \"in @entity1 him met",
        "rained\\n\\n#rained\\n#line 4: the article is one line with an empty one behind it",
        "@entity7:Charles#entity7 Charles#line 10: a name stands behind its marker",
        "http://example.org/a-story\\n#\\n#line 1: the address is missing",
      })
  void aDamagedFileIsNamedWithWhatIsWrong(String part, String other, String says)
      throws IOException {
    String from = part.replace("\\n", "\n");
    assertTrue(FILE.contains(from), from);
    Path file =
        written("b.question", FILE.replaceFirst(Pattern.quote(from), other.replace("\\n", "\n")));
    String refused =
        String.valueOf(
            assertThrows(BadFileException.class, () -> ClozeFiles.read(file)).getMessage());
    assertTrue(refused.startsWith(file.toString()) && refused.contains(says), refused);
  }

  @Test
  void whatIsCutShortIsRefused() throws IOException {
    String ends = "\n\n@entity3";
    for (int length = 0; length < FILE.indexOf(ends) + ends.length(); length++) {
      Path file = written("c.question", FILE.substring(0, length));
      assertThrows(BadFileException.class, () -> ClozeFiles.read(file), "cut at " + length);
    }
  }

  @Test
  void aFolderIsReadByNameUpToAnAmountAndALength() throws IOException {
    written("b.question", FILE);
    written("a.question", FILE.replace("it  rained", "it rained and rained"));
    written("readme.txt", "no question");
    assertEquals(2, ClozeFiles.readAll(folder, 9, 100).size());
    assertEquals(1, ClozeFiles.readAll(folder, 1, 100).size());
    assertEquals(10, ClozeFiles.readAll(folder, 1, 100).getFirst().document().size());
    assertEquals(8, ClozeFiles.readAll(folder, 1, 9).getFirst().document().size());
    String refused =
        String.valueOf(
            assertThrows(BadFileException.class, () -> ClozeFiles.readAll(folder, 9, 3))
                .getMessage());
    assertTrue(refused.contains("at most 3 words, but of 2 files none is"), refused);
  }

  @Test
  void itIsFoundBelowThePlacesOfData() throws IOException {
    assertEquals(Optional.empty(), ClozeFiles.find(_ -> folder.toString()));
    Path questions = Files.createDirectories(folder.resolve("cnn/questions/training")).getParent();
    assertEquals(Optional.of(questions), ClozeFiles.find(_ -> folder.toString()));
  }
}
