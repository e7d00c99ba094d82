package fathom.serve;

import fathom.Tensor;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Rows;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Images of one request that wait to be predicted.
///
/// @param request whose images these are; if it is over, they are not predicted
/// @param count how many images
/// @param tensor makes the net's input N×C×H×W of them, in the caller's scope
/// @param predicted gets what the net says of them
record Job(
    Request request,
    int count,
    Function<Loader, Tensor> tensor,
    CompletableFuture<Predicted> predicted) {
  /// What a net says of images.
  ///
  /// @param classes the number of classes K
  /// @param logits N×K values, image by image
  /// @param probabilities N×K values, image by image
  record Predicted(int classes, double[] logits, double[] probabilities) {
    int count() {
      return logits.length / classes;
    }
  }

  /// Decoded images of the net's size, which are normalised as in training.
  static Job of(Request request, Images images) {
    int count = images.count();
    return new Job(
        request,
        count,
        loader -> loader.of(images).images(IntStream.range(0, count).toArray(), new Rows(0, count)),
        new CompletableFuture<>());
  }

  /// Values that are normalised already, in the order N×C×H×W.
  static Job of(Request request, float[] values, long[] shape) {
    return new Job(
        request, (int) shape[0], _ -> Tensor.of(values, shape), new CompletableFuture<>());
  }
}
