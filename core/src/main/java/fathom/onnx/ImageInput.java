package fathom.onnx;

import fathom.Shape;
import fathom.Tensor;
import fathom.data.Normalization;
import fathom.onnx.Graph.Attribute;
import fathom.onnx.Graph.Value;
import fathom.onnx.Port.Dimension;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The images that a model takes.
///
/// @param channels the number of channels, C
/// @param size the size of the images, H×W, or null if every run chooses its own, as a net for
///   masks allows
/// @param normalization null for a model that takes normalised images and gives logits; otherwise
///   the model takes the bytes of images, normalises them by this, and gives probabilities
public record ImageInput(
    long channels, @Nullable Shape size, @Nullable Normalization normalization) {
  private static final String IMAGES = "pictures";
  private static final String BYTES = "bytes";

  /// Throws `IllegalArgumentException` if there are no channels or the size does not have two
  /// dimensions, or if the numbers of the normalization are neither one for each channel nor one
  /// for each value of an image.
  public ImageInput {
    if (channels < 1 || (size != null && size.rank() != 2)) {
      throw new IllegalArgumentException(
          "an image has a channel at least and a size H×W, but this one has %s and %s"
              .formatted(channels, size));
    }
    if (normalization != null) {
      check("mean", normalization.mean().length, channels, size);
      check("standard deviation", normalization.standardDeviation().length, channels, size);
    }
  }

  private static void check(String what, int count, long channels, @Nullable Shape size) {
    if (count != channels && (size == null || count != channels * size.elements())) {
      throw new IllegalArgumentException(
          "a %s is one number for each of %s channels%s, but there are %s"
              .formatted(
                  what, channels, size == null ? "" : " or for each value of an image", count));
    }
  }

  /// Images of shape C×H×W. Throws `IllegalArgumentException` if it does not have three dimensions.
  public static ImageInput of(Shape image) {
    if (image.rank() != 3) {
      throw new IllegalArgumentException("an image has a shape C×H×W, but this one has " + image);
    }
    return new ImageInput(image.size(0), Shape.of(image.size(1), image.size(2)), null);
  }

  /// Images of any size; a net may need multiples of a number.
  public static ImageInput ofAnySize(long channels) {
    return new ImageInput(channels, null, null);
  }

  /// Returns the same images as bytes N×H×W×C, which the model itself normalises.
  public ImageInput asBytes(Normalization normalization) {
    return new ImageInput(channels, size, normalization);
  }

  /// The names of the model's input and output.
  List<String> names() {
    return List.of(normalization == null ? IMAGES : BYTES, output());
  }

  private String output() {
    return normalization == null ? "logits" : "probabilities";
  }

  private Sizes sizes() {
    return size == null
        ? Sizes.of(channels, Sizes.ANY, Sizes.ANY)
        : Sizes.of(channels, size.size(0), size.size(1));
  }

  private Dimension side(int dim, String name) {
    return size == null ? Dimension.any(name) : Dimension.of(size.size(dim));
  }

  /// The input of the model.
  Port port() {
    Dimension n = Dimension.any("N");
    Dimension c = Dimension.of(channels);
    Dimension h = side(0, "H");
    Dimension w = side(1, "W");
    return normalization == null
        ? Port.of(IMAGES, Port.FLOAT, n, c, h, w)
        : Port.of(BYTES, Port.UINT8, n, h, w, c);
  }

  /// Adds what comes before the net and returns the normalised images, N×C×H×W.
  Value images(Graph graph) {
    Normalization by = normalization;
    if (by == null) {
      return new Value(IMAGES, sizes());
    }
    Value numbers =
        graph.add(
            "input.numbers",
            "Cast",
            Sizes.of(sizes().size(1), sizes().size(2), channels),
            List.of(BYTES),
            Attribute.of("to", (long) Port.FLOAT));
    Value images = Shaping.transposed(graph, "input.planes", numbers, 0, 3, 1, 2);
    Value unit = with(graph, "unit", "Div", images, graph.number("input.255", 255));
    Value centred = with(graph, "centred", "Sub", unit, spread(graph, "mean", by.mean()));
    String deviation = spread(graph, "deviation", by.standardDeviation());
    return with(graph, "normalized", "Div", centred, deviation);
  }

  private static Value with(Graph graph, String name, String type, Value x, String other) {
    return graph.add("input." + name, type, x.one(), List.of(x.name(), other));
  }

  private String spread(Graph graph, String name, float[] values) {
    Shape image = size;
    Shape shape =
        values.length == channels || image == null
            ? Shape.of(channels, 1, 1)
            : Shape.of(channels, image.size(0), image.size(1));
    return graph.floats("input." + name, Tensor.of(values, values.length), shape);
  }

  /// Adds what comes behind the net and returns the output of the model.
  Port result(Graph graph, Value logits) {
    Value y =
        normalization == null
            ? logits
            : graph.add(
                "softmax",
                "Softmax",
                logits.one(),
                List.of(logits.name()),
                Attribute.of("axis", 1L));
    graph.output(output(), y.name());
    var dimensions = new ArrayList<>(List.of(Dimension.any("N")));
    for (int i = 0; i < y.one().rank(); i++) {
      long each = y.one().size(i);
      dimensions.add(each == Sizes.ANY ? Dimension.any(i == 1 ? "H" : "W") : Dimension.of(each));
    }
    return new Port(output(), Port.FLOAT, dimensions);
  }
}
