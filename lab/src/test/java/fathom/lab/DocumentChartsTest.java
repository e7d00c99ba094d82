package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Size;
import fathom.report.ChartImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The images in documents are the charts of committed records, as `lab NAME --charts DIR` writes
/// them: `docs/charts/NAME-1.svg` is the first chart of the newest record of NAME at size quick,
/// which is kept with its charts. `-Dfathom.records=write` draws them anew.
class DocumentChartsTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Pattern IMAGE =
      Pattern.compile("\\]\\((?:docs/)?charts/(([a-z-]+)-(\\d+)\\.svg)\\)");

  @Test
  void everyImageIsAChartOfItsRecord() throws IOException {
    var images = new TreeSet<String>();
    var pages = new ArrayList<>(files(DOCS, ".md"));
    pages.add(Path.of("..", "README.md"));
    for (Path page : pages) {
      var named = IMAGE.matcher(Files.readString(page));
      while (named.find()) {
        images.add(named.group(1));
        int number = Integer.parseInt(named.group(3));
        String svg = ChartImage.svg(newest(named.group(2)).charts().get(number - 1));
        Path file = DOCS.resolve("charts").resolve(named.group(1));
        if ("write".equals(System.getProperty("fathom.records"))) {
          Files.createDirectories(file.getParent());
          Files.writeString(file, svg);
        }
        assertEquals(svg, Files.readString(file), page + " shows " + file);
      }
    }
    assertFalse(images.isEmpty());
    assertEquals(
        images,
        new TreeSet<>(
            files(DOCS.resolve("charts"), ".svg").stream()
                .map(f -> f.getFileName().toString())
                .toList()),
        "every image is shown");
  }

  private static List<Path> files(Path folder, String end) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(end)).sorted().toList();
    }
  }

  private static Finding newest(String name) throws IOException {
    Experiment experiment =
        Experiments.all().stream().filter(e -> e.name().equals(name)).findFirst().orElseThrow();
    return Records.newest(experiment, Size.QUICK).orElseThrow();
  }
}
