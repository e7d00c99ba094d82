package fathom.run;

/// What the parts of a [Recipe] say of a component that is out of its range. Components stand
/// between backticks, by which the command line knows them as its options.
final class Parts {
  private Parts() {}

  /// Throws `IllegalArgumentException` unless the component `name`, which is `value`, is `right`.
  ///
  /// @param range what it has to be: `at least 1`
  static void check(String name, Object value, boolean right, String range) {
    if (!right) {
      throw new IllegalArgumentException("`%s` is %s, but is %s".formatted(name, range, value));
    }
  }
}
