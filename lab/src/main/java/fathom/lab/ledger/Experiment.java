package fathom.lab.ledger;

import java.util.Optional;

/// A claim, and how to measure it: one idea, one file.
///
/// [#observe] is a function of size and seed. What it writes into the notebook are numbers with the
/// bounds that the claim sets them; the verdict follows from these by [Verdict#of].
public interface Experiment {
  /// What it asks and claims; the same at every call.
  Statement statement();

  /// What it is called on the command line.
  default String name() {
    return statement().name();
  }

  /// What is not on this machine and must be, in a sentence for the user; empty if it can run. It
  /// is then skipped, which is no finding.
  default Optional<String> missing() {
    return Optional.empty();
  }

  /// Measures for one seed. Quantities come in the same order for every seed. Called by several
  /// threads at once.
  void observe(Size size, long seed, Notebook note);
}
