package fathom.run;

/// The message of the parts of a [Recipe] about a component that is out of its range. The
/// component's name is between backticks, by which the command line recognizes it as one of its
/// options.
final class Parts {
  private Parts() {}

  /// Throws `IllegalArgumentException` unless the component `name`, which is `value`, is `right`.
  ///
  /// @param range the words for the permitted range, such as `at least 1`
  static void check(String name, Object value, boolean right, String range) {
    if (!right) {
      throw new IllegalArgumentException("`%s` is %s, but is %s".formatted(name, range, value));
    }
  }

  /// Throws `IllegalArgumentException` for what only the classes of whole images have, which the
  /// net `name` does not learn.
  static void checkForClasses(String name, Sampling sampling, Optimization optimization) {
    String given =
        sampling.balanced()
            ? "balanced"
            : sampling.earlyStop().isGiven()
                ? "earlyStop"
                : optimization.classWeights().isEmpty() ? "" : "classWeights";
    if (!given.isEmpty()) {
      throw new IllegalArgumentException(
          "`%s` is for the classes of whole images, but %s does not learn them; leave it out"
              .formatted(given, name));
    }
  }
}
