package fathom.lab;

import fathom.lab.ledger.Finding;
import fathom.lab.ledger.ImageRow;
import fathom.lab.ledger.Ledger;
import fathom.lab.ledger.Verdict;
import fathom.report.Block;
import fathom.report.Digits;
import fathom.report.Facts;
import fathom.report.Gallery;
import fathom.report.Page;
import fathom.report.Section;
import fathom.report.Table;
import fathom.report.Text;
import fathom.report.run.RunReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Makes the page of a ledger: a table of verdicts, and a section for each experiment.
final class LabReport {
  private LabReport() {}

  static Page of(Ledger ledger) {
    var wrong = new ArrayList<String>();
    List<Finding> findings = Laboratory.findings(ledger, wrong);
    var sections = new ArrayList<Section>();
    sections.add(new Section("Verdicts", verdicts(findings)));
    for (Finding finding : findings) {
      sections.add(new Section(finding.experiment(), blocks(finding)));
    }
    if (!wrong.isEmpty()) {
      sections.add(new Section("Files that cannot be read", new Text(String.join("\n\n", wrong))));
    }
    return new Page("What the papers say, and what was found", lead(findings), sections);
  }

  private static String lead(List<Finding> findings) {
    var counts =
        findings.stream().collect(Collectors.groupingBy(Finding::verdict, Collectors.counting()));
    return "%s experiments: %s reproduced, %s mixed, %s not reproduced. A claim is reproduced if every value keeps its threshold for every seed, mixed if it does for some seeds."
        .formatted(
            findings.size(),
            counts.getOrDefault(Verdict.REPRODUCED, 0L),
            counts.getOrDefault(Verdict.MIXED, 0L),
            counts.getOrDefault(Verdict.NOT_REPRODUCED, 0L));
  }

  private static Table verdicts(List<Finding> findings) {
    return new Table(
        "All experiments of this folder",
        List.of("experiment", "verdict", "size", "seeds", "seconds", "claim"),
        findings.stream()
            .map(f ->
                List.of(
                    f.experiment(),
                    f.verdict().toString(),
                    f.size().toString(),
                    Integer.toString(f.seeds().size()),
                    String.format(Locale.ROOT, "%.1f", f.seconds()),
                    f.claim()))
            .toList());
  }

  private static List<Block> blocks(Finding f) {
    var blocks = new ArrayList<Block>();
    blocks.add(
        new Text(
            f.question()
                + "\n\nClaim: "
                + f.claim()
                + "\n\nVerdict at size %s: %s.".formatted(f.size(), f.verdict())));
    blocks.add(
        new Table(
            "Means over the seeds with the half width of their 95 % interval (Student's t); the"
                + " spread is the largest less the smallest",
            List.of("measured", "mean", "±", "spread", "threshold", "kept by seeds"),
            f.values().stream()
                .map(v ->
                    List.of(
                        v.what(),
                        Digits.rounded(v.mean()),
                        v.interval() == null ? "" : Digits.rounded(v.interval()),
                        Digits.rounded(v.spread()),
                        v.bound().toString(),
                        v.bound().isSet() ? v.held() + " of " + v.perSeed().size() : ""))
                .toList()));
    blocks.addAll(f.charts());
    blocks.addAll(f.maps());
    for (ImageRow row : f.images()) {
      blocks.add(new Text(row.title()));
      blocks.add(
          new Gallery(
              row.images().stream()
                  .map(image ->
                      new Gallery.Image(image.bytes(), image.caption(), List.of(image.caption())))
                  .toList()));
    }
    var facts = new LinkedHashMap<String, String>();
    facts.put("source", f.source());
    facts.put("seeds", f.seeds().toString());
    facts.put("ended", f.ended() + String.format(Locale.ROOT, ", after %.1f s", f.seconds()));
    RunReport.machine(facts, f.machine());
    facts.put(
        "command",
        "fathom lab %s --%s --seeds %s".formatted(f.experiment(), f.size(), f.seeds().size()));
    blocks.add(new Facts(facts));
    return blocks;
  }
}
