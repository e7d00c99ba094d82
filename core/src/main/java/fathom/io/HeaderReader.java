package fathom.io;

import fathom.Shape;
import java.io.Reader;
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
/// It reads token by token, so anything else in a file, no matter how deep or long, is rejected
/// where it begins.
final class HeaderReader {
  /// The parser's settings. Names and texts may be as long as the header. Names are not
  /// canonicalised, so that no file can make them collide.
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

  /// The tensor whose entry is being read, for messages.
  private @Nullable String tensor;

  private int names;

  private HeaderReader(Path file, JsonParser json, long dataBytes) {
    this.file = file;
    this.json = json;
    this.dataBytes = dataBytes;
  }

  /// Returns the header whose JSON is `text`, in front of `dataBytes` bytes of data. Throws
  /// [BadFileException] if the header has another form or does not fit the data.
  static Header read(Path file, Reader text, long dataBytes) {
    try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), text)) {
      HeaderReader reader = new HeaderReader(file, json, dataBytes);
      Header header = reader.header();
      reader.checkCoverage(header);
      return header;
    }
  }

  private Header header() {
    try {
      return object();
    } catch (JacksonException e) {
      throw bad("the header is not the JSON of a safetensors file%s".formatted(reason(e)), e);
    }
  }

  /// Returns the parser's message with the position, which the parser does not know if one of its
  /// limits was exceeded.
  private static String reason(JacksonException e) {
    TokenStreamLocation place = e.getLocation();
    return "%s: %s"
        .formatted(
            place == null ? "" : ", at character " + place.getCharOffset(), e.getOriginalMessage());
  }

  private Header object() {
    SequencedMap<String, Header.Entry> tensors = new LinkedHashMap<>();
    SequencedMap<String, String> metadata = new LinkedHashMap<>();
    expect(json.nextToken(), JsonToken.START_OBJECT, "the header");
    for (String name = nextName(); name != null; name = nextName()) {
      if (name.equals(Header.METADATA)) {
        metadata = metadata();
      } else {
        tensor = name;
        tensors.put(name, entry());
        tensor = null;
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
    for (String key = nextName(); key != null; key = nextName()) {
      expect(json.nextToken(), JsonToken.VALUE_STRING, "every value in " + Header.METADATA);
      metadata.put(key, unicode(json.getString()));
    }
    return metadata;
  }

  /// Returns the next name. Their number is limited, to bound the memory that a hostile header of
  /// 100 MB can use.
  private @Nullable String nextName() {
    String name = json.nextName();
    if (name != null && ++names > Header.MAX_NAMES) {
      throw bad("the header has more than %s tensors and metadata".formatted(Header.MAX_NAMES));
    }
    return name;
  }

  private Header.Entry entry() {
    StoredType type = null;
    long[] sizes = null;
    long[] offsets = null;
    expect(json.nextToken(), JsonToken.START_OBJECT, "its entry");
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      switch (key) {
        case "dtype" -> type = type();
        case "shape" -> sizes = numbers("shape", StoredTensor.MAX_RANK);
        case "data_offsets" -> offsets = numbers("data_offsets", 2);
        default ->
            throw bad(
                "an entry has dtype, shape and data_offsets, but this one also has %s"
                    .formatted(Shown.name(key)));
      }
    }
    return checked(
        present(type, "dtype"), present(sizes, "shape"), present(offsets, "data_offsets"));
  }

  private <T> T present(@Nullable T value, String key) {
    if (value == null) {
      throw bad("an entry has dtype, shape and data_offsets, but %s is missing".formatted(key));
    }
    return value;
  }

  private StoredType type() {
    expect(json.nextToken(), JsonToken.VALUE_STRING, "dtype");
    String name = json.getString();
    for (StoredType each : StoredType.values()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    throw bad(
        "dtype must be one of %s, but is %s"
            .formatted(Arrays.toString(StoredType.values()), Shown.name(name)));
  }

  private long[] numbers(String key, int most) {
    expect(json.nextToken(), JsonToken.START_ARRAY, key);
    long[] numbers = new long[most];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (count == most) {
        throw bad("%s may have %s numbers, but has more".formatted(key, most));
      }
      numbers[count++] = number(key);
    }
    return Arrays.copyOf(numbers, count);
  }

  private long number(String key) {
    if (json.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw bad("%s must have whole numbers, but has %s".formatted(key, found()));
    }
    String digits = json.getString();
    if (digits.startsWith("-")) {
      throw bad("%s must not be negative, but has %s".formatted(key, Shown.name(digits)));
    }
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw bad(
          "%s may go up to %s, but has %s".formatted(key, Long.MAX_VALUE, Shown.name(digits)));
    }
  }

  private Header.Entry checked(StoredType type, long[] sizes, long[] offsets) {
    if (offsets.length != 2) {
      throw bad("data_offsets must be 2 numbers, but are %s".formatted(offsets.length));
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (begin > end) {
      throw bad("its bytes begin at %s, but end before that, at %s".formatted(begin, end));
    }
    if (end > dataBytes) {
      throw bad(
          "its bytes end at %s, but the file has only %s bytes of data; was it cut off?"
              .formatted(end, dataBytes));
    }
    Shape shape = shape(type, sizes);
    if (type.bytes(shape) != end - begin) {
      throw bad(
          "%s of shape %s takes %s bytes, but data_offsets %s to %s are %s bytes"
              .formatted(type, shape, type.bytes(shape), begin, end, end - begin));
    }
    return new Header.Entry(type, shape, begin, end);
  }

  private Shape shape(StoredType type, long[] sizes) {
    try {
      Shape shape = Shape.of(sizes);
      type.bytes(shape);
      return shape;
    } catch (IllegalArgumentException e) {
      throw bad(String.valueOf(e.getMessage()), e);
    }
  }

  /// Throws unless every byte of the data belongs to exactly one tensor.
  private void checkCoverage(Header header) {
    String before = null;
    long covered = 0;
    for (Map.Entry<String, Header.Entry> next : header.inOrderOfBytes()) {
      tensor = next.getKey();
      long begin = next.getValue().begin();
      if (begin != covered) {
        throw bad(
            "its bytes begin at %s, but %s at %s: %s"
                .formatted(
                    begin,
                    before == null
                        ? "the data begin"
                        : "those of tensor %s end".formatted(Shown.name(before)),
                    covered,
                    begin < covered ? "they overlap" : "the bytes between belong to no tensor"));
      }
      before = tensor;
      covered = next.getValue().end();
    }
    tensor = null;
    if (covered != dataBytes) {
      throw bad(
          "the tensors end at byte %s, but the file has %s bytes of data: the rest belongs to none"
              .formatted(covered, dataBytes));
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
      default -> token.toString();
    };
  }

  private String found() {
    return Shown.name(json.getString());
  }

  /// Throws if a text has half of a surrogate pair. The parser itself rejects such names, but not
  /// such texts.
  private String unicode(String text) {
    if (!Header.isUnicode(text)) {
      throw bad("a text has half of a surrogate pair: %s".formatted(Shown.name(text)));
    }
    return text;
  }

  private BadFileException bad(String problem) {
    return bad(problem, null);
  }

  private BadFileException bad(String problem, @Nullable Exception cause) {
    String where = tensor == null ? "" : "tensor %s: ".formatted(Shown.name(tensor));
    return new BadFileException(file, where + problem, cause);
  }
}
