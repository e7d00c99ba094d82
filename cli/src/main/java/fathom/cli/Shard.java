package fathom.cli;

import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A share of work that several machines divide: of a list, the items whose position, counted from
/// 0, leaves the remainder `index` when it is divided by `count`. So every item belongs to exactly
/// one of the shards, and no machine has to know how long the list is.
///
/// @param index counted from 0
record Shard(int index, int count) {
  /// The share of a single machine.
  static final Shard WHOLE = new Shard(0, 1);

  private static final Pattern WRITTEN = Pattern.compile("(\\d{1,9})/(\\d{1,9})");

  /// Throws `IllegalArgumentException` unless `index` is from 0 to `count - 1`.
  Shard {
    if (index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "shards are counted from 0, so that of %s the last is %s/%s, but the shard is %s/%s"
              .formatted(count, count - 1, count, index, count));
    }
  }

  /// Reads a shard as users write it, `0/4` to `3/4`. Throws `IllegalArgumentException` for
  /// anything else.
  static Shard of(String text) {
    Matcher match = WRITTEN.matcher(text.strip());
    if (!match.matches()) {
      throw new IllegalArgumentException(
          "a shard is written i/n, as 0/4 to 3/4, but this is '%s'".formatted(text));
    }
    return new Shard(Integer.parseInt(match.group(1)), Integer.parseInt(match.group(2)));
  }

  /// Returns the shard that a launcher gives this process: of `RANK` and `WORLD_SIZE`, which
  /// torchrun and others set, or of `JOB_COMPLETION_INDEX`, which Kubernetes sets in an indexed
  /// job, and `JOB_COMPLETIONS`, which the job has to set. Without either it is the whole. Throws
  /// `IllegalArgumentException` if one of a pair is missing, or if they are no shard.
  static Shard from(Function<String, @Nullable String> environment) {
    Shard ranked = from(environment, "RANK", "WORLD_SIZE");
    Shard indexed = from(environment, "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS");
    return ranked != null ? ranked : indexed != null ? indexed : WHOLE;
  }

  private static @Nullable Shard from(
      Function<String, @Nullable String> environment, String index, String count) {
    String i = environment.apply(index);
    String n = environment.apply(count);
    if (i == null) {
      return null; // a count alone says nothing: a shell may have kept it
    }
    if (n == null) {
      throw new IllegalArgumentException(
          "the environment has %s=%s, but not %s, the number of shards; set it, or write --shard %s/n"
              .formatted(index, i, count, i));
    }
    try {
      return of(i + "/" + n);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "%s and %s in the environment: %s".formatted(index, count, e.getMessage()), e);
    }
  }

  /// Returns whether the item at this position of the list, counted from 0, belongs to the shard.
  boolean has(long position) {
    return position % count == index;
  }

  /// Returns the name of the file of this shard in a folder, such as `part-00000-of-00004.jsonl`.
  String fileName() {
    return String.format(Locale.ROOT, "part-%05d-of-%05d.jsonl", index, count);
  }

  @Override
  public String toString() {
    return index + "/" + count;
  }
}
