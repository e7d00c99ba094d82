package fathom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One thing has one word, the field's: no main source and no document says it otherwise.
///
/// What users and files have already keeps its name: a command, an option, a field of JSON, the
/// name of a tensor or of a file. Such a name is a string of its own, without a space, and is left
/// out here; so is the purpose of a [RandomKey], which decides what is drawn.
class WordsTest {
  /// The word that is said, by a pattern of those that are not.
  private static final Map<Pattern, String> RETIRED =
      Map.ofEntries(
          retired("pictures?", "image"),
          retired("photographs?", "photo"),
          retired("(?<!standard )deviations?", "standard deviation"),
          retired("rehears(al|als|e|es)", "dry run"),
          retired("guess(es|ed)?", "prediction"),
          retired("preparations?", "preprocessing"),
          retired("alphabets?", "vocabulary"),
          retired("surveys?", "summary of a folder"),
          retired("meetings?", "barrier or collective"),
          retired("gap connections?", "shortcut connection"),
          retired("descent configurations?", "optimizer configuration"),
          retired("each step layers?", "time-distributed layer"),
          retired("input of a cifar net", "image shape"));

  /// Words as people and as Java write them: `PictureFile` has the word picture in it.
  private static final Pattern HUMP = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])|_");

  /// Where a sentence goes on in the next line.
  private static final Pattern BROKEN = Pattern.compile("\\s*\\n\\s*(///? +)?");

  private static final Pattern NAME = Pattern.compile("\\\\?\"[A-Za-z0-9._/-]*\\\\?\"");

  /// What a document only quotes: blocks of code, names, and lines of others.
  private static final Pattern QUOTED = Pattern.compile("(?s)```.*?```|`[^`]*`|(?m:^> [^\n]*$)");

  private static Map.Entry<Pattern, String> retired(String words, String said) {
    return Map.entry(Pattern.compile("\\b(" + words + ")\\b"), said);
  }

  @Test
  void noSourceSaysARetiredWord() throws IOException {
    var found = new ArrayList<String>();
    int read = 0;
    for (Path file : sources()) {
      read++;
      for (String word : words(BROKEN.matcher(Files.readString(file)).replaceAll(" "))) {
        found.add("%s: %s".formatted(file.getFileName(), word));
      }
    }
    assertTrue(read > 400, "only %s sources were found".formatted(read));
    assertEquals(List.of(), found);
  }

  /// What stands between backticks is a name, and a quotation has its author's words. The log of
  /// speed is a diary, which is not rewritten.
  @Test
  void noDocumentSaysARetiredWord() throws IOException {
    var found = new ArrayList<String>();
    int read = 0;
    for (Path file : documents()) {
      read++;
      String text = QUOTED.matcher(Files.readString(file)).replaceAll(" ");
      for (String word : words(text.replaceAll("\\s+", " "))) {
        found.add("%s: %s".formatted(file.getFileName(), word));
      }
    }
    assertTrue(read > 30, "only %s documents were found".formatted(read));
    assertEquals(List.of(), found);
  }

  @ParameterizedTest
  @CsvSource({
    "final class PictureFile {, picture",
    "float[] deviations = of(pixels);, deviations",
    "/// A picture of any size., picture",
    "say(\"the guess is wrong\");, guess",
    "int numberOfPictures;, pictures",
    "PICTURES_AT_ONCE, pictures",
  })
  void eachRetiredWordIsFound(String line, String word) {
    assertEquals(
        List.of(word), words(line).stream().map(said -> said.split(",")[0]).toList(), line);
  }

  @ParameterizedTest
  @CsvSource({
    "float[] standardDeviations = of(pixels);",
    "/// The standard deviation of each channel.",
    "@JsonProperty(\"picture\") int image",
    "said.get(\"fathom.photographs\")",
    "RandomKey.of(seed, \"pictures\")",
  })
  void nothingElseIs(String line) {
    assertEquals(List.of(), words(line), line);
  }

  /// What is said in a text otherwise than it should be, and how it should be said.
  private static List<String> words(String source) {
    String text = NAME.matcher(source).replaceAll("\"\"");
    text = HUMP.matcher(text).replaceAll(" ").toLowerCase(Locale.ROOT);
    var found = new ArrayList<String>();
    for (Map.Entry<Pattern, String> each : RETIRED.entrySet()) {
      for (Matcher m = each.getKey().matcher(text); m.find(); ) {
        found.add("%s, say %s".formatted(m.group(), each.getValue()));
      }
    }
    return found;
  }

  private static List<Path> documents() throws IOException {
    Path root = Path.of(System.getProperty("fathom.root"));
    var all = new ArrayList<Path>();
    try (Stream<Path> files = Files.list(root);
        Stream<Path> docs = Files.walk(root.resolve("docs"))) {
      Stream.concat(files, docs)
          .filter(f -> f.toString().endsWith(".md") && !f.endsWith("speed-log.md"))
          .forEach(all::add);
    }
    return all;
  }

  /// The main sources of all modules.
  private static List<Path> sources() throws IOException {
    var all = new ArrayList<Path>();
    Path root = Path.of(System.getProperty("fathom.root"));
    try (Stream<Path> folders = Files.list(root)) {
      for (Path folder : folders.sorted().toList()) {
        Path main = folder.resolve("src").resolve("main").resolve("java");
        if (Files.isDirectory(main)) {
          try (Stream<Path> files = Files.walk(main)) {
            files.filter(f -> f.toString().endsWith(".java")).forEach(all::add);
          }
        }
      }
    }
    return all;
  }
}
