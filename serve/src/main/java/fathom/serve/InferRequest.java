package fathom.serve;

import fathom.io.Json;
import fathom.io.Shown;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// The body of an inference request: JSON, with the tensor in it or as bytes behind it (the binary
/// tensor data extension of the Open Inference Protocol). It is read piece by piece, so that no
/// body becomes a tree of many times its size.
///
/// @param id what the answer repeats, or null
/// @param input the only tensor
/// @param outputs the names of the tensors that are asked for, and whether each comes as bytes;
///   empty for all
/// @param binary whether tensors come as bytes of which that is not said
record InferRequest(
    @Nullable String id, InputTensor input, Map<String, Boolean> outputs, boolean binary) {
  private static final String LENGTH = "Inference-Header-Content-Length";
  private static final int MOST_MEMBERS = 64;
  private static final int MOST_DIMENSIONS = 8;

  /// A tensor of a request.
  ///
  /// @param values its elements in row-major order
  record InputTensor(String name, String type, long[] shape, float[] values) {}

  /// A part of the JSON that describes a tensor.
  private static final class Described {
    String name = "";
    String type = "";
    long[] shape = new long[0];
    float @Nullable [] data;
    int size = -1;
  }

  /// Reads the body of a request. Throws [Reply.RefusedException] for one that is not of this form.
  ///
  /// @param most the most elements that a tensor may have
  static InferRequest of(Request request, int most) {
    byte[] body = request.body();
    int length = body.length;
    String given = request.header(LENGTH);
    if (given != null) {
      try {
        length = Integer.parseInt(given.strip());
      } catch (NumberFormatException e) {
        length = -1;
      }
      if (length < 0 || length > body.length) {
        throw Reply.bad(
            "%s is the length of the JSON in a body of %s bytes, but it is %s"
                .formatted(LENGTH, body.length, Shown.name(given)));
      }
    }
    var json = new String(body, 0, length, StandardCharsets.UTF_8);
    var bytes = ByteBuffer.wrap(body, length, body.length - length).order(ByteOrder.LITTLE_ENDIAN);
    try (JsonParser parser = Json.parser(json)) {
      return read(parser, bytes, most);
    } catch (JacksonException e) {
      throw Reply.bad(
          "the body is not the JSON of an inference request: " + e.getOriginalMessage());
    }
  }

  private static InferRequest read(JsonParser json, ByteBuffer bytes, int most) {
    String id = null;
    boolean binary = false;
    var inputs = new ArrayList<Described>();
    var outputs = new LinkedHashMap<String, @Nullable Boolean>();
    object(json, json.nextToken());
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (key) {
        case "id" -> id = text(json, token, "id");
        case "parameters" ->
            binary = Boolean.TRUE.equals(members(json, token).get("binary_data_output"));
        case "inputs" -> {
          array(token, "inputs");
          while (json.nextToken() != JsonToken.END_ARRAY) {
            if (!inputs.isEmpty()) {
              throw Reply.bad("the model has one input, but the request has several");
            }
            inputs.add(input(json, most));
          }
        }
        case "outputs" -> {
          array(token, "outputs");
          while (json.nextToken() != JsonToken.END_ARRAY) {
            output(json, outputs);
          }
        }
        default -> json.skipChildren();
      }
    }
    if (json.nextToken() != null) {
      throw Reply.bad("there is more behind the JSON; say its length in " + LENGTH);
    }
    if (inputs.isEmpty()) {
      throw Reply.bad("`inputs` has the tensor of the model, but it is missing");
    }
    var chosen = new LinkedHashMap<String, Boolean>();
    boolean usual = binary;
    outputs.forEach((name, own) -> chosen.put(name, own == null ? usual : own));
    return new InferRequest(id, tensor(inputs.getFirst(), bytes, most), chosen, binary);
  }

  private static Described input(JsonParser json, int most) {
    var input = new Described();
    object(json, json.currentToken());
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (key) {
        case "name" -> input.name = text(json, token, "name");
        case "datatype" -> input.type = text(json, token, "datatype");
        case "shape" -> input.shape = shape(json, token);
        case "data" -> input.data = data(json, token, most);
        case "parameters" -> {
          if (members(json, token).get("binary_data_size") instanceof Number size) {
            input.size = size.intValue();
          }
        }
        default -> json.skipChildren();
      }
    }
    return input;
  }

  private static void output(JsonParser json, Map<String, @Nullable Boolean> outputs) {
    String name = "";
    Boolean binary = null;
    object(json, json.currentToken());
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      JsonToken token = json.nextToken();
      switch (key) {
        case "name" -> name = text(json, token, "name");
        case "parameters" -> {
          Map<String, Object> given = members(json, token);
          if (given.containsKey("classification")) {
            throw Reply.bad("the extension `classification` is not known here; use classify");
          }
          binary = given.get("binary_data") instanceof Boolean said ? said : null;
        }
        default -> json.skipChildren();
      }
    }
    outputs.put(name, binary);
    if (outputs.size() > MOST_MEMBERS) {
      throw Reply.bad("the request asks for more outputs than any model has");
    }
  }

  private static void object(JsonParser json, @Nullable JsonToken token) {
    if (token != JsonToken.START_OBJECT) {
      throw Reply.bad(
          "an object of JSON is needed here, but there is %s at %s"
              .formatted(token, json.currentLocation().offsetDescription()));
    }
  }

  private static void array(@Nullable JsonToken token, String name) {
    if (token != JsonToken.START_ARRAY) {
      throw Reply.bad("`%s` is a list, but there is %s".formatted(name, token));
    }
  }

  private static String text(JsonParser json, @Nullable JsonToken token, String name) {
    if (token != JsonToken.VALUE_STRING) {
      throw Reply.bad("`%s` is a text, but there is %s".formatted(name, token));
    }
    return json.getString();
  }

  /// Returns the members of a small object that are numbers, texts or truth values.
  private static Map<String, Object> members(JsonParser json, @Nullable JsonToken first) {
    var members = new LinkedHashMap<String, Object>();
    object(json, first);
    for (String key = json.nextName(); key != null; key = json.nextName()) {
      switch (json.nextToken()) {
        case VALUE_TRUE, VALUE_FALSE -> members.put(key, json.getBooleanValue());
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> members.put(key, json.getDoubleValue());
        case VALUE_STRING -> members.put(key, json.getString());
        default -> json.skipChildren();
      }
      if (members.size() > MOST_MEMBERS) {
        throw Reply.bad("`parameters` has more members than are known");
      }
    }
    return members;
  }

  private static long[] shape(JsonParser json, @Nullable JsonToken token) {
    array(token, "shape");
    long[] shape = new long[MOST_DIMENSIONS];
    int count = 0;
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT || count == MOST_DIMENSIONS) {
        throw Reply.bad("`shape` is a list of at most %s whole numbers".formatted(MOST_DIMENSIONS));
      }
      shape[count++] = json.getLongValue();
    }
    return Arrays.copyOf(shape, count);
  }

  /// Returns the numbers in lists within lists, in their order.
  private static float[] data(JsonParser json, @Nullable JsonToken token, int most) {
    array(token, "data");
    float[] values = new float[1024];
    int count = 0;
    for (int depth = 1; depth > 0; ) {
      switch (json.nextToken()) {
        case START_ARRAY -> depth++;
        case END_ARRAY -> depth--;
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
          if (count == most) {
            throw tooMany(most);
          }
          if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
          }
          values[count++] = (float) json.getDoubleValue();
        }
        case null, default ->
            throw Reply.bad("`data` has numbers, but there is " + json.currentToken());
      }
    }
    return Arrays.copyOf(values, count);
  }

  private static RuntimeException tooMany(int most) {
    return Reply.tooLarge(
        "a tensor has at most %s elements, which is what the queue holds; send several requests"
            .formatted(most));
  }

  private static InputTensor tensor(Described input, ByteBuffer bytes, int most) {
    float[] values = input.data;
    if (values != null && bytes.hasRemaining()) {
      throw Reply.bad("a tensor is in the JSON or behind it, but this one is in both places");
    }
    if (values == null) {
      if (input.size != bytes.remaining()) {
        throw Reply.bad(
            "there are %s bytes behind the JSON, but `binary_data_size` is %s"
                .formatted(bytes.remaining(), input.size < 0 ? "missing" : input.size));
      }
      values = decoded(input.type, bytes, most);
    }
    double elements = 1;
    for (long size : input.shape) {
      elements *= size;
      if (size < 1) {
        throw Reply.bad("the sizes of a tensor are 1 or more, but there is a " + size);
      }
    }
    if (elements != values.length) {
      throw Reply.bad(
          "a tensor of the shape %s has %s elements, but there are %s"
              .formatted(Arrays.toString(input.shape), (long) elements, values.length));
    }
    return new InputTensor(input.name, input.type, input.shape, values);
  }

  private static float[] decoded(String type, ByteBuffer bytes, int most) {
    int width =
        switch (type) {
          case "FP32" -> Float.BYTES;
          case "UINT8" -> 1;
          default -> throw wrongType(type);
        };
    int count = bytes.remaining() / width;
    if (count > most) {
      throw tooMany(most);
    }
    float[] values = new float[count];
    if (width == 1) {
      for (int i = 0; i < count; i++) {
        values[i] = bytes.get() & 0xff;
      }
    } else {
      bytes.asFloatBuffer().get(values);
    }
    return values;
  }

  static RuntimeException wrongType(String type) {
    return Reply.bad(
        "the type of an input is FP32, or UINT8 for pixels, but it is " + Shown.name(type));
  }

  /// Returns the names of all outputs that are wanted, of those that there are. Throws
  /// [Reply.RefusedException] for one that there is not.
  List<String> wanted(List<String> all) {
    for (String name : outputs.keySet()) {
      if (!all.contains(name)) {
        throw Reply.bad(
            "the model has the outputs %s, but %s is asked for"
                .formatted(String.join(" and ", all), Shown.name(name)));
      }
    }
    return outputs.isEmpty() ? all : List.copyOf(outputs.keySet());
  }
}
