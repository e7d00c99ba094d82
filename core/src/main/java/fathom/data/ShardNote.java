package fathom.data;

import fathom.data.ShardFile.Sample;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// What the first member of a shard says, if Fathom packed it. Readers of WebDataset pass it over,
/// because its name begins with two underscores.
///
/// With it a label cannot change its meaning: it has the names of the classes, and a digest of the
/// names, sizes and labels of all samples. And a shard that is missing is missed.
///
/// @param part `train`, `val` or `test`
/// @param shard the position of the shard in its part, counted from 0
/// @param shards how many there are in the part
/// @param classes the names of the classes in the order of the labels, the same in every shard
/// @param samples the number of samples
/// @param digest the SHA-256 digest of a line `NAME SIZE LABEL` for each sample
record ShardNote(
    String format,
    int version,
    String part,
    int shard,
    int shards,
    List<String> classes,
    int samples,
    String digest) {
  static final String MEMBER = "__fathom__/shard.json";
  static final String FORMAT = "fathom-shard";
  static final int VERSION = 1;

  ShardNote {
    classes = List.copyOf(classes);
  }

  static ShardNote of(
      String part, int shard, int shards, List<String> classes, List<Sample> samples) {
    return new ShardNote(
        FORMAT, VERSION, part, shard, shards, classes, samples.size(), digest(samples));
  }

  static String digest(List<Sample> samples) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      for (Sample each : samples) {
        sha256.update(
            "%s %s %s\n"
                .formatted(each.name(), each.image().bytes(), each.label())
                .getBytes(StandardCharsets.UTF_8));
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
