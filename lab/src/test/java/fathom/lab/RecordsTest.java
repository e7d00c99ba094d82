package fathom.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.lab.experiment.Experiments;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Finding;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Value;
import fathom.lab.ledger.Verdict;
import fathom.report.Digits;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Makes `docs/lab/README.md` from the committed findings and compares it with what stands there:
/// no figure in it is typed. `mvn -pl core,lab test -Dtest=RecordsTest
/// -Dsurefire.failIfNoSpecifiedTests=false -Dfathom.records=write` writes it anew.
class RecordsTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Path PAGE = Records.FOLDER.resolve("README.md");

  private static final String BEGINNING =
      """
      # Records of the laboratory

      Findings as `./fathom lab` wrote them, in folders by date and size, each with seeds, versions and machine; those of size full are kept
      without charts, maps and images. `RecordsTest` makes this page from them and compares it at every `./check`. Of several records of one
      experiment the newest counts. What the rows say together is in [why-plain-nets-fail.md](../why-plain-nets-fail.md),
      [does-layer-norm-wipe-out-information.md](../does-layer-norm-wipe-out-information.md) and
      [why-normalization-regularizes.md](../why-normalization-regularizes.md).

      ```
      FATHOM_DATA=DATA ./fathom lab --all --quick --seeds 5
      FATHOM_DATA=DATA ./fathom lab --all --full --seeds 5
      ```

      """;

  /// In the place of what no record says.
  private static final String NONE = "not recorded";

  @Test
  void thePageIsWhatTheRecordsSay() throws IOException {
    String page = page();
    if ("write".equals(System.getProperty("fathom.records"))) {
      Files.writeString(PAGE, page);
    }
    assertEquals(page, Files.readString(PAGE));
  }

  /// The pages that answer a question, with their figures.
  private static final Map<String, List<Figure>> ANSWERS =
      Map.of(
          "why-plain-nets-fail.md", DepthPage.FIGURES,
          "does-layer-norm-wipe-out-information.md",
              Stream.of(NormPages.INFORMATION, CardPages.FIGURES, FullPages.INFORMATION)
                  .flatMap(List::stream)
                  .toList(),
          "why-normalization-regularizes.md",
              Stream.of(NormPages.REGULARIZATION, FullPages.REGULARIZATION)
                  .flatMap(List::stream)
                  .toList());

  private static String answer(String name) throws IOException {
    return Files.readString(DOCS.resolve(name));
  }

  @Test
  void everyExperimentHasARecordFromEnoughSeedsOfTheClaimThatItMakes() throws IOException {
    String ofThree = answer("why-plain-nets-fail.md");
    for (Experiment experiment : Experiments.all()) {
      int records = 0;
      boolean three =
          ofThree.contains("`" + experiment.name() + "`")
              && !DepthPage.OF_FIVE_SEEDS.contains(experiment.name());
      long seeds = three ? 3 : 5;
      for (Size size : List.of(Size.QUICK, Size.FULL)) {
        Optional<Finding> finding = Records.newest(experiment, size);
        records += finding.isPresent() ? 1 : 0;
        finding.ifPresent(f -> {
          assertEquals(
              LongStream.rangeClosed(1, seeds).boxed().toList(), f.seeds(), experiment.name());
          assertEquals(experiment.statement().claim(), f.claim(), experiment.name());
        });
      }
      assertTrue(records > 0, experiment.name());
    }
  }

  @Test
  void whatAnAnswerNamesIsAnExperimentAndEveryExperimentIsNamed() throws IOException {
    var names = Experiments.all().stream().map(Experiment::name).toList();
    var unnamed = new TreeSet<>(names);
    for (String page : ANSWERS.keySet()) {
      var named = Pattern.compile("`([a-z]+(-[a-z]+)*)`").matcher(answer(page));
      while (named.find()) {
        unnamed.remove(named.group(1));
        assertTrue(
            names.contains(named.group(1)) || !named.group(1).contains("-"),
            page + " names " + named.group(1) + ", which is no experiment");
      }
    }
    assertEquals(new TreeSet<String>(), unnamed, "these carry no sentence");
  }

  @Test
  void theFiguresOfTheAnswersAreThoseOfTheRecords() throws IOException {
    var wrong = new ArrayList<String>();
    for (var page : ANSWERS.entrySet()) {
      String answer = answer(page.getKey()).replaceAll("\\s+", " ");
      for (Figure figure : page.getValue()) {
        Finding finding = Records.newest(named(figure.experiment()), figure.size()).orElseThrow();
        List<Value> values = values(Optional.of(finding), figure.start());
        if (values.isEmpty()) {
          wrong.add("%s has no value \"%s\"".formatted(figure.experiment(), figure.start()));
          continue;
        }
        double mean = values.getFirst().mean();
        String words = // pages have the sign, not the hyphen
            String.format(Locale.ROOT, figure.words(), mean).replaceAll("(?<!\\w)-(?=\\d)", "−");
        if (!answer.contains(words)) {
          wrong.add(
              "%s: %s %s: %s".formatted(page.getKey(), figure.size(), figure.experiment(), words));
        }
      }
    }
    assertEquals(List.of(), wrong, "the page does not say so");
  }

  private static Experiment named(String name) {
    return Experiments.all().stream().filter(e -> e.name().equals(name)).findFirst().orElseThrow();
  }

  private static String page() throws IOException {
    var page = new StringBuilder(BEGINNING);
    page.append("## Verdicts\n| experiment | quick | full | claim |\n| --- | --- | --- | --- |\n");
    for (Experiment experiment : Experiments.all()) {
      page.append(
          "| `%s` | %s | %s | %s |%n"
              .formatted(
                  experiment.name(),
                  link(experiment, Size.QUICK),
                  link(experiment, Size.FULL),
                  experiment.statement().claim()));
    }
    page.append("\n## Both sizes\n").append(sizes());
    page.append("\n## Rows 8 to 28\n");
    page.append(
        """
        Means over three seeds, in brackets the smallest and the largest. A row is reproduced if all its bounds hold for every seed, mixed
        if they do for some seeds, as everywhere.

        """);
    rows(page, DepthPage.ROWS, RecordsTest::ends);
    page.append("\n## Rows 29 to 62\n");
    page.append(
        """
        Means over five seeds with the 95 % interval of the mean (Student's t), which is left out where all seeds agree.

        """);
    rows(page, NormPages.ROWS, RecordsTest::interval);
    page.append("\n## Notes\n");
    for (Row row : Stream.of(DepthPage.ROWS, NormPages.ROWS).flatMap(List::stream).toList()) {
      if (!row.note().isEmpty()) {
        page.append("- **%s**: %s%n".formatted(row.number(), row.note()));
      }
    }
    return page.toString().replace(System.lineSeparator(), "\n");
  }

  /// Of which experiments the records have other verdicts at the two sizes, and which lack one.
  private static String sizes() throws IOException {
    var differ = new StringBuilder();
    var missing = new ArrayList<String>();
    int recorded = 0;
    for (Experiment experiment : Experiments.all()) {
      Optional<Verdict> quick = Records.newest(experiment, Size.QUICK).map(Finding::verdict);
      Optional<Verdict> full = Records.newest(experiment, Size.FULL).map(Finding::verdict);
      recorded += full.isPresent() ? 1 : 0;
      if (full.isEmpty()) {
        missing.add("`" + experiment.name() + "`");
      } else if (quick.isPresent() && !quick.equals(full)) {
        differ.append(
            "- `%s`: %s at size quick, %s at size full%n"
                .formatted(experiment.name(), quick.get(), full.get()));
      }
    }
    return """
    %s of %s experiments have a record at size full.%s

    The answers quote size quick where they do not say full. Where the verdicts differ:

    %s\
    """
        .formatted(
            recorded,
            Experiments.all().size(),
            missing.isEmpty() ? "" : " Not yet: " + String.join(", ", missing) + ".",
            differ);
  }

  private static void rows(StringBuilder page, List<Row> rows, Function<Value, String> shown)
      throws IOException {
    page.append("| row | measured | bound | quick | full |\n| --- | --- | --- | --- | --- |\n");
    for (Row row : rows) {
      var quantities = new ArrayList<Quantity>();
      var lines = new StringBuilder();
      for (var of : row.measured().entrySet()) {
        for (Quantity quantity : quantities(named(of.getKey()), of.getValue())) {
          quantities.add(quantity);
          lines.append(
              "| `%s` | %s | %s | %s | %s |%n"
                  .formatted(
                      of.getKey(),
                      quantity.what().replace("|", "\\|"), // a line alone ends a cell
                      quantity.bound(),
                      shown(quantity.quick(), shown),
                      shown(quantity.full(), shown)));
        }
      }
      page.append(
          "| **%s** %s | | | %s | %s |%n"
              .formatted(
                  row.number(),
                  row.claim(),
                  verdict(row, Size.QUICK, quantities, Quantity::quick),
                  verdict(row, Size.FULL, quantities, Quantity::full)));
      page.append(lines);
    }
  }

  /// The verdict of a row at a size at which all of its experiments are recorded.
  private static String verdict(
      Row row, Size size, List<Quantity> quantities, Function<Quantity, @Nullable Value> at)
      throws IOException {
    for (String experiment : row.measured().keySet()) {
      if (Records.newest(named(experiment), size).isEmpty()) {
        return NONE;
      }
    }
    var values = quantities.stream().map(at).filter(Objects::nonNull).toList();
    assertTrue(
        values.stream().anyMatch(v -> v.bound().isSet()),
        () -> "row " + row.number() + " has no quantity with a bound, so it cannot fail");
    return "**" + Verdict.of(values) + "**";
  }

  private static List<Quantity> quantities(Experiment experiment, List<String> starts)
      throws IOException {
    Optional<Finding> quick = Records.newest(experiment, Size.QUICK);
    Optional<Finding> full = Records.newest(experiment, Size.FULL);
    var quantities = new ArrayList<Quantity>();
    for (String start : starts) {
      List<Quantity> of = Quantity.of(values(quick, start), values(full, start));
      assertFalse(of.isEmpty(), experiment.name() + " measures no " + start);
      quantities.addAll(of);
    }
    return quantities;
  }

  private static String shown(@Nullable Value value, Function<Value, String> shown) {
    return value == null ? NONE : shown.apply(value);
  }

  private static List<Value> values(Optional<Finding> finding, String start) {
    return finding.stream()
        .flatMap(f -> f.values().stream())
        .filter(v -> v.what().startsWith(start))
        .toList();
  }

  private static String ends(Value value) {
    var all = value.perSeed().stream().mapToDouble(d -> d).summaryStatistics();
    return "%s (%s to %s)"
        .formatted(digits(value.mean()), digits(all.getMin()), digits(all.getMax()));
  }

  private static String interval(Value value) {
    double half = Objects.requireNonNullElse(value.interval(), Double.NaN);
    return half > 0 ? digits(value.mean()) + " ± " + twoDigits(half) : digits(value.mean());
  }

  private static String twoDigits(double value) {
    return Digits.rounded(new BigDecimal(value).round(new MathContext(2)).doubleValue());
  }

  private static String digits(double value) {
    return Double.isFinite(value)
        ? Digits.rounded(new BigDecimal(value).round(new MathContext(4)).doubleValue())
        : Double.toString(value);
  }

  private static String link(Experiment experiment, Size size) throws IOException {
    Optional<Finding> finding = Records.newest(experiment, size);
    return finding.isEmpty()
        ? NONE
        : "[%s](%s/%s.json)"
            .formatted(
                finding.get().verdict(),
                Records.folder(experiment, size).orElseThrow().getFileName(),
                experiment.name());
  }
}
