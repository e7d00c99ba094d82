package fathom.train;

import fathom.net.Architecture;
import fathom.net.Norm;
import fathom.net.Shortcut;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.deser.std.StdDeserializer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.ser.std.StdSerializer;

/// Records to JSON and back.
final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.FAIL_ON_EMPTY_BEANS) // what has no form is no empty object
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES) // of a later version
          .addModule(options())
          .build();

  private Json() {}

  /// Options are written where they are given, and are null elsewhere.
  private static SimpleModule options() {
    return new SimpleModule()
        .addDeserializer(Answers.Mistake.class, new Mistakes())
        .addSerializer(
            Architecture.Options.class,
            new StdSerializer<>(Architecture.Options.class) {
              @Override
              public void serialize(
                  Architecture.Options options, JsonGenerator out, SerializationContext context) {
                context.writeValue(out, options.given());
              }
            })
        .addDeserializer(
            Architecture.Options.class,
            new StdDeserializer<>(Architecture.Options.class) {
              @Override
              public Architecture.Options deserialize(
                  JsonParser in, DeserializationContext context) {
                JsonNode node = context.readTree(in);
                return new Architecture.Options(
                    one(context, node, "shortcut", Shortcut.class),
                    one(context, node, "norm", Norm.class),
                    one(context, node, "width", Integer.class),
                    one(context, node, "hidden", Integer.class),
                    one(context, node, "layers", Integer.class),
                    one(context, node, "dropout", Double.class));
              }
            });
  }

  /// A mistake as it is written; older versions did not write the file.
  private record Written(
      int picture, int truth, double given, int guess, double belief, byte[] png, String file) {}

  private static final class Mistakes extends StdDeserializer<Answers.Mistake> {
    Mistakes() {
      super(Answers.Mistake.class);
    }

    @Override
    public Answers.Mistake deserialize(JsonParser in, DeserializationContext context) {
      JsonNode node = context.readTree(in);
      if (node instanceof ObjectNode mistake && !mistake.has("file")) {
        mistake.put("file", "");
      }
      Written m = context.readTreeAsValue(node, Written.class);
      return new Answers.Mistake(m.picture, m.truth, m.given, m.guess, m.belief, m.png, m.file);
    }
  }

  private static <T> @Nullable T one(
      DeserializationContext context, JsonNode node, String name, Class<T> type) {
    return node.has(name) ? context.readTreeAsValue(node.get(name), type) : null;
  }

  static ObjectNode object(Object of) {
    return MAPPER.valueToTree(of);
  }

  static String pretty(Object of) {
    return MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT).writeValueAsString(of) + "\n";
  }

  /// On one line.
  static String text(Object of) {
    return MAPPER.writeValueAsString(of);
  }

  /// Throws `JacksonException` if `text` is no list of texts.
  static String[] strings(String text) throws JacksonException {
    return MAPPER.readValue(text, String[].class);
  }

  /// Writes JSON piece by piece; closing it leaves `to` to its owner.
  static JsonGenerator generator(OutputStream to) {
    return MAPPER.writer().without(StreamWriteFeature.AUTO_CLOSE_TARGET).createGenerator(to);
  }

  /// Reads JSON piece by piece.
  static JsonParser parser(String text) {
    return MAPPER.createParser(text);
  }

  /// Throws `JacksonException` if `text` is not JSON.
  static JsonNode parse(String text) throws JacksonException {
    return MAPPER.readTree(text);
  }

  /// A record. Throws `JacksonException` or `IllegalArgumentException` if `node` is none of it.
  static <T> T read(JsonNode node, Class<T> type) throws JacksonException {
    if (!node.isObject()) {
      throw new IllegalArgumentException(
          "a JSON object is needed, but this is %s"
              .formatted(node.isMissingNode() ? "empty" : node.getNodeType()));
    }
    return MAPPER.treeToValue(node, type);
  }
}
