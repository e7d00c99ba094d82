package fathom.data;

import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.RegularFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A text to train a language model on, character by character: the first nine tenths are for
/// training, and the rest is validation data.
///
/// The arrays are not copied; whoever makes a `Text` must not change them afterwards.
///
/// @param name the specification by which the user named it: `text:FILE`
/// @param vocabulary the characters of the text
/// @param train the characters for training, as places in the vocabulary
/// @param validation the characters for validation, as places in the vocabulary
/// @param place the file, absolute; null for a text that was made in memory
public record Text(
    String name, Vocabulary vocabulary, int[] train, int[] validation, @Nullable Path place)
    implements Data {
  /// The least number of characters of a text, of which a tenth is for validation.
  private static final int LEAST = 20;

  private static final long MOST_BYTES = 1 << 29;

  /// The number of bytes that are read to find out what a file is.
  private static final int START = 1 << 12;

  /// Makes `place` absolute.
  public Text {
    place = place == null ? null : place.toAbsolutePath().normalize();
  }

  /// Makes a text that is in no file.
  public Text(String name, Vocabulary vocabulary, int[] train, int[] validation) {
    this(name, vocabulary, train, validation, null);
  }

  @Override
  public List<String> classes() {
    return vocabulary.characters();
  }

  @Override
  public List<Integer> input() {
    return List.of();
  }

  @Override
  public DataIdentity identity() {
    return DataIdentity.of(this);
  }

  /// Reads `text:FILE`, which must be UTF-8.
  ///
  /// Throws `IllegalArgumentException` for a name without a file, and [BadFileException] for a file
  /// that is missing, too short or no text: one with malformed bytes, or with control characters
  /// other than white space.
  public static Text open(String spec) {
    Path file = file(spec);
    int[] codePoints = read(file);
    return of(spec, file, Vocabulary.of(codePoints), codePoints);
  }

  /// Does the same as [#open(String)], with the vocabulary of another text. It also throws
  /// [BadFileException] for a character that is not in the vocabulary.
  public static Text open(String spec, Vocabulary vocabulary) {
    Path file = file(spec);
    return of(spec, file, vocabulary, read(file));
  }

  private static Path file(String spec) {
    if (!spec.startsWith(TEXT) || spec.length() == TEXT.length()) {
      throw new IllegalArgumentException(
          "a text is text:FILE, a file of UTF-8, but \"%s\" was given".formatted(spec));
    }
    try {
      return HomeFolder.path(spec.substring(TEXT.length()));
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "\"%s\" is not the name of a file".formatted(spec.substring(TEXT.length())), e);
    }
  }

  private static Text of(String name, Path file, Vocabulary vocabulary, int[] codePoints) {
    int[] places = vocabulary.places(codePoints);
    for (int i = 0; i < places.length; i++) {
      if (places[i] < 0) {
        throw new BadFileException(
            file,
            "the net knows the %s characters of the text it was trained on, but character %s of this text is %s; replace it"
                .formatted(vocabulary.size(), i, Vocabulary.show(codePoints[i])));
      }
    }
    int train = places.length - places.length / 10;
    return new Text(
        name,
        vocabulary,
        Arrays.copyOf(places, train),
        Arrays.copyOfRange(places, train, places.length),
        file);
  }

  private static int[] read(Path file) {
    if (Files.isDirectory(file)) {
      throw new BadFileException(
          file,
          "a text is one file, but this is a folder; name a file in it, or for a folder of images"
              + " write images:"
              + file);
    }
    int[] codePoints = decode(file, RegularFile.bytes(file, MOST_BYTES));
    if (codePoints.length < LEAST) {
      throw new BadFileException(
          file,
          codePoints.length == 0
              ? "the text is empty; give one with at least %s characters".formatted(LEAST)
              : "a text has at least %s characters, of which a tenth is held out, but this one has %s; give a longer one"
                  .formatted(LEAST, codePoints.length));
    }
    return codePoints;
  }

  /// Returns whether a file starts as a text does, so that a message can say so to a user who gave
  /// it for other data.
  static boolean looksLikeOne(Path file) {
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (var in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(START);
      CharBuffer out = CharBuffer.allocate(START);
      // The last character may be cut in two, which is no error because the decoder is told that
      // more may follow.
      CoderResult result =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(start), out, false);
      return start.length > 0 && !result.isError() && control(start, start.length) == null;
    } catch (IOException e) {
      return false;
    }
  }

  private static int[] decode(Path file, byte[] bytes) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    // A control character below 128 is a single byte, and never part of another character.
    Integer control = control(bytes, in.position());
    if (control != null) {
      throw new BadFileException(
          file,
          "a text has no control characters but white space (tab, line ends, page breaks), but byte %s is 0x%02x: this is binary data; give a text"
              .formatted(control, bytes[control]));
    }
    if (result.isError()) {
      throw new BadFileException(
          file,
          "a text is UTF-8, but byte %s (0x%02x) is not: this is binary data, or a text in another encoding; convert it"
              .formatted(in.position(), bytes[in.position()]));
    }
    String text = out.flip().toString();
    return (text.startsWith("\uFEFF") ? text.substring(1) : text).codePoints().toArray();
  }

  /// Returns the position of the first byte before `end` that no text has, or null. Five control
  /// characters count as white space: tab, line feed, vertical tab, form feed (between the pages of
  /// standards and old books) and carriage return.
  private static @Nullable Integer control(byte[] bytes, int end) {
    for (int i = 0; i < end; i++) {
      byte b = bytes[i];
      boolean whiteSpace = b >= '\t' && b <= '\r';
      if ((b >= 0 && b < ' ' && !whiteSpace) || b == 0x7f) {
        return i;
      }
    }
    return null;
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Text other
        && name.equals(other.name)
        && vocabulary.equals(other.vocabulary)
        && Arrays.equals(train, other.train)
        && Arrays.equals(validation, other.validation);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * name.hashCode() + Arrays.hashCode(train)) + Arrays.hashCode(validation);
  }

  /// Returns a short description, for example `text:book.txt, 900 and 100 of 26 characters`.
  @Override
  public String toString() {
    return "%s, %s and %s of %s characters"
        .formatted(name, train.length, validation.length, vocabulary.size());
  }
}
