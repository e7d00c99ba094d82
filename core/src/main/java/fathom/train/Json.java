package fathom.train;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Records to JSON and back.
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // of a later version
          .build();

  private Json() {}

  static ObjectNode object(Object of) {
    return MAPPER.valueToTree(of);
  }

  static String pretty(Object of) {
    return MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT).writeValueAsString(of) + "\n";
  }

  /// Throws `JacksonException` if `text` is not JSON.
  static JsonNode parse(String text) throws JacksonException {
    return MAPPER.readTree(text);
  }

  static <T> T read(JsonNode node, Class<T> type) throws JacksonException {
    return MAPPER.treeToValue(node, type);
  }
}
