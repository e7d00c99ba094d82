package fathom.cli;

import fathom.data.DataSet;
import fathom.data.Survey;
import picocli.CommandLine.Option;

/// How the pictures of a folder are read, and what is said of those that cannot be.
final class ReadingOptions {
  /// Of the files that were left out.
  private static final int NAMED = 3;

  private static final int MOST_NOTICES = 6;

  @Option(
      names = "--strict",
      description = "A file that cannot be decoded ends the command; otherwise it is skipped.")
  private boolean strict;

  boolean strict() {
    return strict;
  }

  /// What was passed over in the folder, and how many files were skipped with the first of them.
  static void tell(DataSet data, Output output) {
    Survey survey = data.survey();
    if (survey == null) {
      return;
    }
    survey.notices().stream()
        .limit(MOST_NOTICES)
        .forEach(notice -> output.remark("fathom: " + notice));
    if (survey.notices().size() > MOST_NOTICES) {
      output.remark(
          "fathom: and %s more such; fathom data info %s lists them"
              .formatted(survey.notices().size() - MOST_NOTICES, data.name()));
    }
    int count = survey.skipped().size();
    if (count == 0) {
      return;
    }
    output.remark(
        "fathom: skipped %s %s that cannot be decoded (--strict refuses them):"
            .formatted(count, count == 1 ? "file" : "files"));
    survey.skipped().stream().limit(NAMED).forEach(skipped -> output.remark("  " + skipped.why()));
    if (count > NAMED) {
      output.remark(
          "  and %s more; fathom data info %s lists them".formatted(count - NAMED, data.name()));
    }
  }
}
