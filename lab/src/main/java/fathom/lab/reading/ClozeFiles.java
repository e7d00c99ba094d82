package fathom.lab.reading;

import fathom.data.Catalogue;
import fathom.io.BadFileException;
import fathom.io.Shown;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Questions in the form in which those on CNN's and the Daily Mail's articles were published
/// (Hermann et al. 2015): a file `*.question` each, with the address of the article, the article,
/// the question, the answer and the names behind the markers, one per line, and an empty line
/// between these parts. Words are separated by blanks.
final class ClozeFiles {
  private static final int MOST_BYTES_OF_A_LINE = 1 << 20;
  private static final int MOST_LINES = 5_000;
  private static final Pattern BLANKS = Pattern.compile(" +");
  private static final Pattern NAME = Pattern.compile("@entity\\d+:.*");
  private static final List<String> PARTS =
      List.of("the address", "the article", "the question", "the answer");

  private ClozeFiles() {}

  /// Where this environment has them: a folder with `questions/training` and `questions/validation`
  /// in it, called `cnn`, in one of the places in which data is kept.
  static Optional<Path> find(Function<String, @Nullable String> environment) {
    return Catalogue.places(environment).stream()
        .map(place -> place.resolve("cnn").resolve("questions"))
        .filter(folder -> Files.isDirectory(folder.resolve("training")))
        .findFirst();
  }

  /// The first questions of a folder by name, at most `most`, whose articles have no more words
  /// than `words`. Throws [BadFileException] if there is none, or a file is no question.
  static List<Cloze> readAll(Path folder, int most, int words) {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.filter(f -> f.toString().endsWith(".question")).sorted().toList();
    } catch (IOException e) {
      throw new BadFileException(folder, "the folder cannot be listed (%s)".formatted(e), e);
    }
    var questions = new ArrayList<Cloze>();
    for (Path file : files) {
      if (questions.size() < most) {
        Cloze question = read(file);
        if (question.document().size() <= words) {
          questions.add(question);
        }
      }
    }
    if (questions.isEmpty()) {
      throw new BadFileException(
          folder,
          "it needs a file *.question with an article of at most %s words, but of %s files none is"
              .formatted(words, files.size()));
    }
    return questions;
  }

  /// One question. Throws [BadFileException], with the line, if the file is none.
  static Cloze read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      var lines = new BoundedLines(in, file, MOST_BYTES_OF_A_LINE, MOST_LINES);
      var parts = new ArrayList<String>();
      for (String part : PARTS) {
        parts.add(filled(part, lines));
        String between = lines.next();
        if (between != null && !between.isBlank()) {
          throw lines.bad(
              "%s is one line with an empty one behind it, but then comes %s"
                  .formatted(part, Shown.name(between)));
        }
      }
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (!line.isBlank() && !NAME.matcher(line).matches()) {
          throw lines.bad(
              "a name stands behind its marker, @entity0:NAME, but this line is "
                  + Shown.name(line));
        }
      }
      return new Cloze(words(parts.get(1)), words(parts.get(2)), parts.get(3).strip());
    } catch (IllegalArgumentException e) {
      throw new BadFileException(file, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new BadFileException(file, "it cannot be read (%s)".formatted(e), e);
    }
  }

  private static String filled(String part, BoundedLines lines) throws IOException {
    String line = lines.next();
    if (line == null || line.isBlank()) {
      throw lines.bad("%s is missing: the file is cut short or has another form".formatted(part));
    }
    return line;
  }

  private static List<String> words(String line) {
    return List.of(BLANKS.split(line.strip()));
  }
}
