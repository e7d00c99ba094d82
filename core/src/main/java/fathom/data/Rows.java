package fathom.data;

/// The range of rows from `from` to `to - 1`.
public record Rows(int from, int to) {
  /// Throws `IllegalArgumentException` if `from` is negative or `to` is less than `from`.
  public Rows {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException(
          "rows go from 0 or more to no less, but these go from %s to %s".formatted(from, to));
    }
  }

  /// Returns the number of rows.
  public int count() {
    return to - from;
  }

  /// Returns the share of these rows that belongs to worker `rank` of `workers`. The shares follow
  /// one another and differ by at most one row; some are empty if there are fewer rows than
  /// workers. Throws `IllegalArgumentException` unless `rank` is from 0 to `workers - 1`.
  public Rows share(int rank, int workers) {
    if (workers < 1 || rank < 0 || rank >= workers) {
      throw new IllegalArgumentException(
          "workers have the ranks 0 to %s, but a share was asked for %s"
              .formatted(workers - 1, rank));
    }
    return new Rows(
        from + (int) ((long) count() * rank / workers),
        from + (int) ((long) count() * (rank + 1) / workers));
  }
}
