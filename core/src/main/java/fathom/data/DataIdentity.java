package fathom.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The identity of data without its content: the size and a fingerprint of each part. It tells
/// whether data is still what a run was trained on.
///
/// For images with files of their own, the fingerprint covers the files' names and sizes and the
/// labels, which is cheap even for a million files; for those in shards also where they lie, since
/// that is the order in which they are visited. For other images it covers the pixels and labels,
/// for masks the names, pixels and labels, and for a text the characters, all of which are in
/// memory. The names of the classes are not part of it.
///
/// @param parts the parts that exist, in the order train, validation, test; empty if nothing is
///   known
public record DataIdentity(List<Part> parts) {
  /// The identity of data of which nothing is known.
  public static final DataIdentity UNKNOWN = new DataIdentity(List.of());

  /// The length of a fingerprint: so many bytes of a SHA-256 digest suffice, because nobody tries
  /// to forge them.
  private static final int BYTES = 8;

  private static final int CHUNK = 1 << 16;

  /// One part of the data.
  ///
  /// @param name `train`, `validation` or `test`
  /// @param count the number of images or characters
  /// @param fingerprint the first bytes of a SHA-256 digest in hexadecimal digits
  public record Part(String name, long count, String fingerprint) {
    /// Throws `IllegalArgumentException` if `count` is negative.
    public Part {
      if (count < 0) {
        throw new IllegalArgumentException(
            "a part of the data has 0 or more, but %s has %s".formatted(name, count));
      }
    }
  }

  public DataIdentity {
    parts = List.copyOf(parts);
  }

  /// Returns whether there is anything to compare.
  public boolean known() {
    return !parts.isEmpty();
  }

  /// Returns how `now` differs from this, a clause for each part that does, such as `train had 41
  /// and has 40 now`. The list is empty if both are the same, or if this is unknown.
  public List<String> differences(DataIdentity now) {
    if (!known() || equals(now)) {
      return List.of();
    }
    return Stream.concat(parts.stream(), now.parts.stream())
        .map(Part::name)
        .distinct()
        .flatMap(name -> Stream.ofNullable(difference(name, part(name), now.part(name))))
        .toList();
  }

  /// Returns the last part alone, which is the one that tests use (for a text, its validation
  /// part): a run that is only tested may not know the others.
  public DataIdentity ofTests() {
    return parts.isEmpty() ? this : new DataIdentity(List.of(parts.getLast()));
  }

  private @Nullable Part part(String name) {
    return parts.stream().filter(part -> part.name.equals(name)).findFirst().orElse(null);
  }

  private static @Nullable String difference(
      String name, @Nullable Part before, @Nullable Part now) {
    long had = before == null ? 0 : before.count;
    long has = now == null ? 0 : now.count;
    if (had != has) {
      return "%s had %s and has %s now".formatted(name, had, has);
    }
    return before != null && now != null && !before.fingerprint.equals(now.fingerprint)
        ? "%s has %s as before, but not the same".formatted(name, has)
        : null;
  }

  static DataIdentity of(DataSet data) {
    Origin origin = data.origin();
    LabelledImages validation = data.validation();
    return new DataIdentity(
        Stream.of(
                part("train", data.train(), origin == null ? List.of() : origin.train()),
                validation == null
                    ? null
                    : part(
                        "validation", validation, origin == null ? List.of() : origin.validation()),
                part("test", data.test(), origin == null ? List.of() : origin.test()))
            .<Part>mapMulti((part, next) -> {
              if (part != null) {
                next.accept(part);
              }
            })
            .toList());
  }

  private static Part part(String name, LabelledImages images, List<Origin.Source> files) {
    MessageDigest digest = digest();
    addInts(digest, images.labels());
    if (files.size() == images.count()) {
      ByteBuffer size = ByteBuffer.allocate(Long.BYTES);
      for (Origin.Source file : files) {
        digest.update(file.name().getBytes(StandardCharsets.UTF_8));
        digest.update(size.putLong(0, file.bytes()).array());
        if (file.from() > 0) {
          digest.update(size.putLong(0, file.from()).array());
        }
      }
    } else {
      Images read = images.images();
      addInts(digest, new int[] {read.channels(), read.height(), read.width()});
      digest.update(read.pixels());
    }
    return new Part(name, images.count(), fingerprint(digest));
  }

  static DataIdentity of(Text text) {
    return new DataIdentity(
        List.of(part("train", text.train()), part("validation", text.validation())));
  }

  static DataIdentity of(MaskSet masks) {
    List<MaskImage> validation = masks.validation();
    return new DataIdentity(
        Stream.of(
                part("train", masks.train()),
                validation == null ? null : part("validation", validation),
                part("test", masks.test()))
            .<Part>mapMulti((part, next) -> {
              if (part != null) {
                next.accept(part);
              }
            })
            .toList());
  }

  private static Part part(String name, List<MaskImage> images) {
    MessageDigest digest = digest();
    for (MaskImage image : images) {
      digest.update(image.name().getBytes(StandardCharsets.UTF_8));
      addInts(digest, new int[] {image.channels(), image.height(), image.width()});
      digest.update(image.pixels());
      digest.update(image.mask());
    }
    return new Part(name, images.size(), fingerprint(digest));
  }

  private static Part part(String name, int[] characters) {
    MessageDigest digest = digest();
    addInts(digest, characters);
    return new Part(name, characters.length, fingerprint(digest));
  }

  private static void addInts(MessageDigest digest, int[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(Integer.BYTES * Math.clamp(values.length, 1, CHUNK));
    for (int from = 0; from < values.length; from += CHUNK) {
      int count = Math.min(CHUNK, values.length - from);
      bytes.clear().asIntBuffer().put(values, from, count);
      digest.update(bytes.limit(Integer.BYTES * count));
    }
  }

  private static String fingerprint(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest(), 0, BYTES);
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
