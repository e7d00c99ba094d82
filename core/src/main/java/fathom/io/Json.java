package fathom.io;

import java.io.OutputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Records to JSON and back.
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS) // what has no form is no empty object
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // of a later version
          .build();

  private Json() {}

  /// A record as a tree.
  public static ObjectNode object(Object of) {
    return MAPPER.valueToTree(of);
  }

  /// A number, which may be none: NaN and infinities are written as texts. Throws
  /// `IllegalArgumentException` for what is no number.
  public static double number(JsonNode node) {
    try {
      return MAPPER.treeToValue(node, Double.class);
    } catch (JacksonException | NullPointerException e) {
      throw new IllegalArgumentException("a number is needed, but this is " + node, e);
    }
  }

  /// On several lines, with a line end.
  public static String pretty(Object of) {
    return MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT).writeValueAsString(of) + "\n";
  }

  /// On one line.
  public static String text(Object of) {
    return MAPPER.writeValueAsString(of);
  }

  /// Throws `JacksonException` if `text` is no list of texts.
  public static String[] strings(String text) throws JacksonException {
    return MAPPER.readValue(text, String[].class);
  }

  /// Writes JSON piece by piece; closing it leaves `to` to its owner.
  public static JsonGenerator generator(OutputStream to) {
    return MAPPER.writer().without(StreamWriteFeature.AUTO_CLOSE_TARGET).createGenerator(to);
  }

  /// Reads JSON piece by piece.
  public static JsonParser parser(String text) {
    return MAPPER.createParser(text);
  }

  /// Throws `JacksonException` if `text` is not JSON.
  public static JsonNode parse(String text) throws JacksonException {
    return MAPPER.readTree(text);
  }

  /// A record. Throws `JacksonException` or `IllegalArgumentException` if `node` is none of it.
  public static <T> T read(JsonNode node, Class<T> type) throws JacksonException {
    if (!node.isObject()) {
      throw new IllegalArgumentException(
          "a JSON object is needed, but this is %s"
              .formatted(node.isMissingNode() ? "empty" : node.getNodeType()));
    }
    return MAPPER.treeToValue(node, type);
  }
}
