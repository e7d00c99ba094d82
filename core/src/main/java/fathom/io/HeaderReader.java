package fathom.io;

import fathom.BadFileException;
import fathom.Shape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/// Parses the JSON of a safetensors file and accepts only this form, with every key once:
///
/// ```text
/// {"__metadata__": {KEY: TEXT, ...}, NAME: {"dtype": TYPE, "shape": [N, ...], "data_offsets": [BEGIN, END]}, ...}
/// ```
///
/// Token by token: whatever else a file holds, however deep or long, is refused where it begins.
final class HeaderReader {
  /// Names and texts may be as long as the header. Names are not canonicalised, so that no file can
  /// make them collide.
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(4)
                  .maxNameLength(Header.MAX_BYTES)
                  .maxStringLength(Header.MAX_BYTES)
                  .build())
          .build();

  private final Path file;
  private final JsonParser json;
  private final long dataBytes;

  private HeaderReader(Path file, JsonParser json, long dataBytes) {
    this.file = file;
    this.json = json;
    this.dataBytes = dataBytes;
  }

  /// The header whose JSON is `text`, in front of `dataBytes` bytes of data. Throws
  /// [BadFileException].
  static Header read(Path file, char[] text, int length, long dataBytes) {
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), text, 0, length)) {
      HeaderReader reader = new HeaderReader(file, json, dataBytes);
      Header header = reader.header();
      reader.checkCoverage(header);
      return header;
    } catch (JacksonException e) {
      throw new BadFileException(
          file, "the header is not the JSON of a safetensors file%s".formatted(reason(e)), e);
    }
  }

  /// Where a limit of the parser was passed, it does not say the place.
  private static String reason(JacksonException e) {
    TokenStreamLocation place = e.getLocation();
    return "%s: %s"
        .formatted(
            place == null ? "" : ", at character " + place.getCharOffset(),
            Header.printable(e.getOriginalMessage()));
  }

  private Header header() {
    SequencedMap<String, Header.Entry> tensors = new LinkedHashMap<>();
    SequencedMap<String, String> metadata = new LinkedHashMap<>();
    expect(json.nextToken(), JsonToken.START_OBJECT, "the header");
    for (String name = json.nextName(); name != null; name = json.nextName()) {
      if (name.equals(Header.METADATA)) {
        metadata = metadata();
      } else {
        tensors.put(name, new EntryReader(name).entry());
      }
    }
    if (json.nextToken() != null) {
      throw bad("the header goes on after its JSON object, with %s".formatted(found()));
    }
    return new Header(tensors, metadata);
  }

  private SequencedMap<String, String> metadata() {
    SequencedMap<String, String> metadata = new LinkedHashMap<>();
    expect(json.nextToken(), JsonToken.START_OBJECT, Header.METADATA);
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      expect(json.nextToken(), JsonToken.VALUE_STRING, "the metadata " + Header.shown(key));
      metadata.put(key, unicode(key, json.getString()));
    }
    return metadata;
  }

  /// Reads one tensor's entry.
  private final class EntryReader {
    private final String tensor;
    private @Nullable StoredType type;
    private long @Nullable [] sizes;
    private long @Nullable [] offsets;

    EntryReader(String name) {
      this.tensor = "tensor " + Header.shown(name);
    }

    Header.Entry entry() {
      expect(json.nextToken(), JsonToken.START_OBJECT, tensor);
      for (String key = json.nextName(); key != null; key = json.nextName()) {
        switch (key) {
          case "dtype" -> type = type();
          case "shape" -> sizes = numbers("shape", StoredTensor.MAX_RANK);
          case "data_offsets" -> offsets = numbers("data_offsets", 2);
          default ->
              throw bad(
                  ("%s: dtype, shape and data_offsets are all that an entry has, but this one also has"
                          + " %s")
                      .formatted(tensor, Header.shown(key)));
        }
      }
      return checked(
          present(type, "dtype"), present(sizes, "shape"), present(offsets, "data_offsets"));
    }

    private <T> T present(@Nullable T value, String key) {
      if (value == null) {
        throw bad(
            "%s: dtype, shape and data_offsets are needed, but %s is missing"
                .formatted(tensor, key));
      }
      return value;
    }

    private StoredType type() {
      expect(json.nextToken(), JsonToken.VALUE_STRING, tensor + ": dtype");
      String name = json.getString();
      for (StoredType each : StoredType.values()) {
        if (each.name().equals(name)) {
          return each;
        }
      }
      throw bad(
          "%s: dtype must be one of %s, but is %s"
              .formatted(tensor, Arrays.toString(StoredType.values()), Header.shown(name)));
    }

    private long[] numbers(String key, int most) {
      expect(json.nextToken(), JsonToken.START_ARRAY, tensor + ": " + key);
      long[] numbers = new long[most];
      int count = 0;
      while (json.nextToken() != JsonToken.END_ARRAY) {
        if (count == most) {
          throw bad("%s: %s may have %d numbers, but has more".formatted(tensor, key, most));
        }
        numbers[count++] = number(key);
      }
      return Arrays.copyOf(numbers, count);
    }

    private long number(String key) {
      expect(json.currentToken(), JsonToken.VALUE_NUMBER_INT, tensor + ": each number of " + key);
      String digits = json.getString();
      if (digits.startsWith("-")) {
        throw bad(
            "%s: %s must not be negative, but has %s".formatted(tensor, key, Header.shown(digits)));
      }
      try {
        return Long.parseLong(digits);
      } catch (NumberFormatException e) {
        throw bad(
            "%s: %s may go up to %d, but has %s"
                .formatted(tensor, key, Long.MAX_VALUE, Header.shown(digits)));
      }
    }

    private Header.Entry checked(StoredType type, long[] sizes, long[] offsets) {
      if (offsets.length != 2) {
        throw bad(
            "%s: data_offsets must be 2 numbers, but are %d".formatted(tensor, offsets.length));
      }
      long begin = offsets[0];
      long end = offsets[1];
      if (begin > end) {
        throw bad(
            "%s: its bytes begin at %d, but end before that, at %d".formatted(tensor, begin, end));
      }
      if (end > dataBytes) {
        throw bad(
            "%s: its bytes end at %d, but the file has only %d bytes of data; was it cut off?"
                .formatted(tensor, end, dataBytes));
      }
      Shape shape = shape(type, sizes);
      if (type.bytes(shape) != end - begin) {
        throw bad(
            "%s: %s of shape %s takes %d bytes, but data_offsets %d to %d are %d bytes"
                .formatted(tensor, type, shape, type.bytes(shape), begin, end, end - begin));
      }
      return new Header.Entry(type, shape, begin, end);
    }

    private Shape shape(StoredType type, long[] sizes) {
      try {
        Shape shape = Shape.of(sizes);
        type.bytes(shape);
        return shape;
      } catch (IllegalArgumentException e) {
        throw new BadFileException(file, tensor + ": " + e.getMessage(), e);
      }
    }
  }

  /// Every byte of the data belongs to one tensor.
  private void checkCoverage(Header header) {
    String before = "the header";
    long covered = 0;
    for (Map.Entry<String, Header.Entry> tensor : header.inOrderOfBytes()) {
      String name = "tensor " + Header.shown(tensor.getKey());
      long begin = tensor.getValue().begin();
      if (begin < covered) {
        throw bad(
            "%s begins at byte %d, inside %s, which ends at %d"
                .formatted(name, begin, before, covered));
      }
      if (begin > covered) {
        throw bad(
            "%s begins at byte %d, but %s ends at %d: the bytes between belong to no tensor"
                .formatted(name, begin, before, covered));
      }
      before = name;
      covered = tensor.getValue().end();
    }
    if (covered != dataBytes) {
      throw bad(
          ("the tensors end at byte %d, but the file has %d bytes of data: the last %d belong to no"
                  + " tensor")
              .formatted(covered, dataBytes, dataBytes - covered));
    }
  }

  private void expect(@Nullable JsonToken token, JsonToken wanted, String where) {
    if (token != wanted) {
      throw bad("%s must be %s, but is %s".formatted(where, described(wanted), found()));
    }
  }

  private static String described(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object {...}";
      case START_ARRAY -> "a list [...]";
      case VALUE_STRING -> "a text";
      case VALUE_NUMBER_INT -> "a whole number";
      default -> token.toString();
    };
  }

  private String found() {
    return Header.shown(json.getString());
  }

  /// In keys the parser itself refuses this, in texts it does not.
  private String unicode(String key, String text) {
    if (!Header.isUnicode(text)) {
      throw bad(
          "the metadata %s has half of a surrogate pair: %s"
              .formatted(Header.shown(key), Header.shown(text)));
    }
    return text;
  }

  private BadFileException bad(String problem) {
    return new BadFileException(file, problem);
  }
}
