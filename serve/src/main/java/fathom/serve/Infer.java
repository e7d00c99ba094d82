package fathom.serve;

import fathom.data.Images;
import fathom.data.Resizing;
import fathom.io.Json;
import fathom.io.Shown;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Answers inference requests of the Open Inference Protocol. The tensors have the names that they
/// have in the ONNX model of the same net (see `docs/guide/5-export-and-embed.md`): normalised
/// images N×C×H×W, or bytes N×H×W×C of images that are not normalised, and N×K logits and
/// probabilities.
final class Infer {
  static final String NORMALISED = "pictures";
  static final String BYTES = "bytes";
  static final String LOGITS = "logits";
  static final String PROBABILITIES = "probabilities";
  private static final int BYTE = 255;

  /// What a client may ask of a model. `classes` is ours: a client of the protocol passes it over.
  record Metadata(
      String name,
      List<String> versions,
      String platform,
      List<Described> inputs,
      List<Described> outputs,
      List<String> classes) {}

  record Described(String name, String datatype, List<Long> shape) {}

  private Infer() {}

  static Metadata metadata(ServedModel model) {
    Resizing to = model.classifier().resizing();
    List<String> classes = model.classifier().classes();
    List<Long> out = List.of(-1L, (long) classes.size());
    return new Metadata(
        model.name(),
        List.of("" + model.version()),
        "fathom_" + model.classifier().card().model(),
        List.of(
            new Described(
                NORMALISED,
                "FP32",
                List.of(-1L, (long) to.channels(), (long) to.height(), (long) to.width()))),
        List.of(new Described(LOGITS, "FP32", out), new Described(PROBABILITIES, "FP32", out)),
        classes);
  }

  static CompletableFuture<Reply> answer(Places places, Limits limits) {
    Resizing to = places.model().classifier().resizing();
    int each = to.channels() * to.height() * to.width();
    long most = Math.min(Integer.MAX_VALUE - 8, (long) limits.queue() * each);
    var asked = InferRequest.of(places.request(), (int) most);
    List<String> wanted = asked.wanted(List.of(LOGITS, PROBABILITIES));
    Job job = job(places.request(), asked.input(), to);
    places.take(job.count(), limits.queue());
    ServedModel model = places.model();
    return places.predict(job).thenApply(predicted -> written(asked, wanted, model, predicted));
  }

  private static Job job(Request request, InferRequest.InputTensor input, Resizing to) {
    return switch (input.name()) {
      case NORMALISED -> {
        check(input, "FP32", to.channels(), to.height(), to.width());
        for (float value : input.values()) {
          if (!Float.isFinite(value)) {
            throw Reply.bad("the values of an image are finite, but there is " + value);
          }
        }
        yield Job.of(request, input.values(), input.shape());
      }
      case BYTES -> {
        check(input, "UINT8", to.height(), to.width(), to.channels());
        yield Job.of(request, images(input, to));
      }
      default ->
          throw Reply.bad(
              "the input of the model is %s of FP32, or %s of UINT8, but it is called %s"
                  .formatted(NORMALISED, BYTES, Shown.name(input.name())));
    };
  }

  private static void check(InferRequest.InputTensor input, String type, long... image) {
    if (!input.type().equals(type)) {
      throw Reply.bad(
          "the input %s is of %s, but it is said to be of %s"
              .formatted(input.name(), type, Shown.name(input.type())));
    }
    long[] shape = input.shape();
    if (shape.length != 4 || !Arrays.equals(Arrays.copyOfRange(shape, 1, 4), image)) {
      throw Reply.bad(
          "the input %s has the shape [-1, %s, %s, %s], but it is %s"
              .formatted(input.name(), image[0], image[1], image[2], Arrays.toString(shape)));
    }
  }

  /// Returns the images N×C×H×W of bytes N×H×W×C.
  private static Images images(InferRequest.InputTensor input, Resizing to) {
    int count = (int) input.shape()[0];
    int channels = to.channels();
    int places = to.height() * to.width();
    byte[] pixels = new byte[count * channels * places];
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < channels; c++) {
        for (int p = 0; p < places; p++) {
          float value = input.values()[(i * places + p) * channels + c];
          if (value < 0 || value > BYTE || value != (int) value) {
            throw Reply.bad("a byte is a whole number from 0 to 255, but there is " + value);
          }
          pixels[(i * channels + c) * places + p] = (byte) value;
        }
      }
    }
    return new Images(channels, to.height(), to.width(), pixels, new int[count]);
  }

  private static Reply written(
      InferRequest asked, List<String> wanted, ServedModel model, Job.Predicted predicted) {
    var json = new ByteArrayOutputStream();
    var bytes = new ByteArrayOutputStream();
    try (JsonGenerator out = Json.generator(json)) {
      out.writeStartObject();
      out.writeStringProperty("model_name", model.name());
      out.writeStringProperty("model_version", "" + model.version());
      @Nullable String id = asked.id();
      if (id != null) {
        out.writeStringProperty("id", id);
      }
      out.writeArrayPropertyStart("outputs");
      for (String name : wanted) {
        double[] values = name.equals(LOGITS) ? predicted.logits() : predicted.probabilities();
        out.writeStartObject();
        out.writeStringProperty("name", name);
        out.writeStringProperty("datatype", "FP32");
        out.writeArrayPropertyStart("shape");
        out.writeNumber(predicted.count());
        out.writeNumber(predicted.classes());
        out.writeEndArray();
        if (asked.outputs().getOrDefault(name, asked.binary())) {
          byte[] little = little(values);
          out.writeObjectPropertyStart("parameters");
          out.writeNumberProperty("binary_data_size", little.length);
          out.writeEndObject();
          bytes.writeBytes(little);
        } else {
          out.writeArrayPropertyStart("data");
          for (double value : values) {
            out.writeNumber((float) value);
          }
          out.writeEndArray();
        }
        out.writeEndObject();
      }
      out.writeEndArray();
      out.writeEndObject();
    }
    if (bytes.size() == 0) {
      return Reply.of("application/json", json.toByteArray());
    }
    int length = json.size();
    json.writeBytes(bytes.toByteArray());
    return Reply.of("application/octet-stream", json.toByteArray())
        .with("Inference-Header-Content-Length", "" + length);
  }

  private static byte[] little(double[] values) {
    var bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      bytes.putFloat((float) value);
    }
    return bytes.array();
  }
}
