package fathom.data;

/// The rows `from` to `to - 1`.
public record Rows(int from, int to) {
  public Rows {
    if (from < 0 || to < from) {
      throw new IllegalArgumentException(
          "rows go from 0 or more to no less, but these go from %s to %s".formatted(from, to));
    }
  }

  /// How many there are.
  public int count() {
    return to - from;
  }

  /// What worker `rank` of `workers` takes of these rows. The shares follow one another, differ by
  /// at most one row, and are empty for some where there are fewer rows than workers.
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
