package fathom.lab.ledger;

import java.util.Optional;

/// A claim and its measurement. An experiment is one idea in one class.
///
/// [#observe] is a function of size and seed. It writes numbers into the notebook, with the bounds
/// that the claim sets for them. The verdict follows from these by [Verdict#of].
public interface Experiment {
  /// Returns the question and the claim; the same at every call.
  Statement statement();

  /// Returns the name on the command line.
  default String name() {
    return statement().name();
  }

  /// Returns what the experiment needs and this machine lacks, in a sentence for the user; empty if
  /// it can run. An experiment that lacks something is skipped, which is no finding.
  default Optional<String> missing() {
    return Optional.empty();
  }

  /// Measures for one seed. The quantities come in the same order for every seed. Several threads
  /// call it at once.
  ///
  /// @param size how much the measurement may cost
  /// @param seed decides every random number
  /// @param note receives the values, bounds, charts, maps and images
  void observe(Size size, long seed, Notebook note);
}
