package fathom.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What holds for all documents: links and anchors lead somewhere, pages keep to their length, and
/// the classes that the design pages name are there.
class DocumentsTest {
  private static final Path ROOT = Path.of(System.getProperty("fathom.root"));

  /// Folders without documents of ours.
  private static final Set<String> OTHERS = Set.of("target", ".git", "shared", "runs", "src");

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern NAME = Pattern.compile("`([A-Z][A-Za-z0-9]+)(\\.[^`]*)?`");
  private static final Pattern TYPE =
      Pattern.compile("\\b(?:class|interface|record|enum)\\s+([A-Z][A-Za-z0-9]*)");

  static List<Path> documents(Path folder) throws IOException {
    var found = new ArrayList<Path>();
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.sorted().toList()) {
        String name = entry.getFileName().toString();
        if (Files.isDirectory(entry) && !OTHERS.contains(name)) {
          found.addAll(documents(entry));
        } else if (name.endsWith(".md")) {
          found.add(entry);
        }
      }
    }
    return found;
  }

  @Test
  void everyLinkLeadsToAFileAndEveryAnchorToAHeading() throws IOException {
    var broken = new ArrayList<String>();
    int links = 0;
    for (Path page : documents(ROOT)) {
      var link = LINK.matcher(withoutCode(Files.readString(page)));
      while (link.find()) {
        if (!link.group(1).matches("(https?|mailto):.*")) {
          links++;
          fault(page, link.group(1)).ifPresent(broken::add);
        }
      }
    }
    assertEquals(List.of(), broken);
    assertTrue(links > 150, "only %s links were found".formatted(links));
  }

  private static Optional<String> fault(Path page, String link) throws IOException {
    String[] parts = link.split("#", 2);
    Path target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
    String where = ROOT.relativize(page) + " links to " + link;
    if (!Files.exists(target)) {
      return Optional.of(where + ", which is not there");
    }
    if (parts.length == 2 && !anchors(Files.readString(target)).contains(parts[1])) {
      return Optional.of(where + ", but the page has no such heading");
    }
    return Optional.empty();
  }

  private static String withoutCode(String page) {
    return page.replaceAll("(?ms)^```.*?^```$", "").replaceAll("`[^`\n]*`", "code");
  }

  /// As the hosting site makes them: letters, digits and hyphens of the heading in lower case, and
  /// a number behind one that had been.
  private static Set<String> anchors(String page) {
    var anchors = new TreeSet<String>();
    Map<String, Integer> seen = new HashMap<>();
    for (String line : page.replaceAll("(?ms)^```.*?^```$", "").lines().toList()) {
      if (line.matches("#{1,6} .*")) {
        String heading =
            line.replaceFirst("#+ ", "").replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1");
        String anchor =
            heading.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
        int before = seen.merge(anchor, 1, Integer::sum) - 1;
        anchors.add(before == 0 ? anchor : anchor + "-" + before);
      }
    }
    return anchors;
  }

  @ParameterizedTest
  @CsvSource({"README.md, 120, 2000", "ARCHITECTURE.md, 120, 900"})
  void theFirstPagesAreShort(String page, int lines, int words) throws IOException {
    String text = Files.readString(ROOT.resolve(page));
    assertTrue(text.lines().count() <= lines, page + " has " + text.lines().count() + " lines");
    int found = text.strip().split("\\s+").length;
    assertTrue(found <= words, page + " has " + found + " words");
  }

  /// A class that was renamed is renamed in the documents that explain it.
  @Test
  void theDesignPagesNameClassesThatAreThere() throws IOException {
    var types = new TreeSet<String>();
    try (Stream<Path> files = Files.walk(ROOT)) {
      for (Path file :
          files.filter(f -> f.toString().endsWith(".java")).filter(DocumentsTest::ours).toList()) {
        var type = TYPE.matcher(Files.readString(file));
        while (type.find()) {
          types.add(type.group(1));
        }
      }
    }
    var pages = new ArrayList<>(documents(ROOT.resolve("docs").resolve("design")));
    pages.add(ROOT.resolve("ARCHITECTURE.md"));
    pages.add(ROOT.resolve("CONTRIBUTING.md"));
    var missing = new TreeSet<String>();
    int names = 0;
    for (Path page : pages) {
      var name = NAME.matcher(Files.readString(page));
      while (name.find()) {
        names++;
        boolean file = name.group(1).matches("README|ARCHITECTURE|CONTRIBUTING|CHANGELOG|LICENSE");
        if (!file && !types.contains(name.group(1)) && !OTHER_NAMES.contains(name.group(1))) {
          missing.add(ROOT.relativize(page) + " names " + name.group(1));
        }
      }
    }
    assertEquals(new TreeSet<String>(), missing);
    assertTrue(names > 150, "only %s names were found".formatted(names));
  }

  /// What the pages name of JavaCPP and the JDK, what is no more, names that are bad examples, and
  /// placeholders, and a variable of the environment.
  private static final Set<String> OTHER_NAMES =
      Set.of(
          "Path",
          "String",
          "System",
          "PointerScope",
          "Learner",
          "MemoryUtils",
          "LayerImpl",
          "RunManager",
          "NAME",
          "FILE",
          "KEY",
          "RANK");

  private static boolean ours(Path file) {
    return !file.toString().contains("target/") && !file.toString().contains("/shared/");
  }
}
