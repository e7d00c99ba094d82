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

/// Converts records to JSON and back.
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS) // an error, rather than an empty {}
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // a later version wrote them
          .build();

  private Json() {}

  /// Returns a record as a tree.
  public static ObjectNode object(Object of) {
    return MAPPER.valueToTree(of);
  }

  /// Returns a number, which may be NaN or infinite: those are written as texts. Throws
  /// `IllegalArgumentException` for anything else.
  public static double number(JsonNode node) {
    try {
      return MAPPER.treeToValue(node, Double.class);
    } catch (JacksonException | NullPointerException e) {
      throw new IllegalArgumentException("a number is needed, but this is " + node, e);
    }
  }

  /// Returns an object as JSON on several lines, with a line end.
  public static String pretty(Object of) {
    return MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT).writeValueAsString(of) + "\n";
  }

  /// Returns an object as JSON on one line.
  public static String text(Object of) {
    return MAPPER.writeValueAsString(of);
  }

  /// Parses a list of texts. Throws `JacksonException` if `text` is not one.
  public static String[] strings(String text) throws JacksonException {
    return MAPPER.readValue(text, String[].class);
  }

  /// Returns a generator that writes JSON to `to` piece by piece. Closing the generator leaves `to`
  /// open.
  public static JsonGenerator generator(OutputStream to) {
    return MAPPER.writer().without(StreamWriteFeature.AUTO_CLOSE_TARGET).createGenerator(to);
  }

  /// Returns a parser that reads JSON piece by piece.
  public static JsonParser parser(String text) {
    return MAPPER.createParser(text);
  }

  /// Parses JSON to a tree. Throws `JacksonException` if `text` is not JSON.
  public static JsonNode parse(String text) throws JacksonException {
    return MAPPER.readTree(text);
  }

  /// Converts a tree to a record. Throws `JacksonException` or `IllegalArgumentException` if `node`
  /// does not have the form of the record.
  public static <T> T read(JsonNode node, Class<T> type) throws JacksonException {
    if (!node.isObject()) {
      throw new IllegalArgumentException(
          "a JSON object is needed, but this is %s"
              .formatted(node.isMissingNode() ? "empty" : node.getNodeType()));
    }
    return MAPPER.treeToValue(node, type);
  }
}
