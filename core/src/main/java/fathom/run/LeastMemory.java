package fathom.run;

import fathom.DType;
import fathom.DeviceException;
import fathom.Memory;
import fathom.Node;
import fathom.Scope;
import fathom.Shape;
import fathom.net.Architecture;
import fathom.net.ImageShape;
import fathom.net.Summary;
import fathom.nn.Init;
import java.util.Locale;

/// The least memory that a training needs, counted before the training allocates any. A training
/// that certainly does not fit is refused before its first step and before anything is written.
///
/// @param weights the exact bytes of the weights, of each worker's gradients, and of the optimizer
/// @param batch the least bytes that the forward pass of a batch leaves behind: of every matrix
///   product its result, or what the next layer has made of it; 0 for text, and if the backward
///   pass recomputes blocks
record LeastMemory(long weights, long batch) {
  static LeastMemory of(Run run) {
    Recipe recipe = run.recipe();
    try (var _ = Scope.ofShapes()) {
      return switch (recipe.architecture()) {
        case Architecture.OfImages net -> of(recipe, net, run);
        case Architecture _ ->
            new LeastMemory(weights(recipe, elements(run.textNet(Init.zeros()))), 0);
      };
    }
  }

  private static LeastMemory of(Recipe recipe, Architecture.OfImages net, Run run) {
    ImageShape images = run.input();
    Summary summary =
        Summary.of(
            net.on(images, run.info().classes().size()).build(Init.zeros()),
            Shape.of(images.channels(), images.height(), images.width()));
    long products =
        recipe.recompute() > 0
            ? 0
            : summary.layers().stream()
                .filter(layer -> layer.multiplyAdds() > 0)
                .mapToLong(layer -> layer.value().elements())
                .sum();
    DType type = recipe.precision().type();
    return new LeastMemory(
        weights(recipe, summary.params()), recipe.batch() * products * type.bytes());
  }

  /// The bytes of the weights, their moving average, the gradients of each worker, and the
  /// optimizer.
  static long weights(Recipe recipe, long parameters) {
    int blocks = recipe.optimization().update().optimizer() == Optimization.Method.SGD ? 1 : 2;
    int averages = recipe.optimization().ema() > 0 ? 1 : 0;
    return Float.BYTES * parameters * (1 + recipe.workers() + blocks + averages);
  }

  private static long elements(Node net) {
    return net.params().stream().mapToLong(param -> param.value().shape().elements()).sum();
  }

  /// Throws [DeviceException] if this is more memory than there is for tensors on this machine or
  /// in this container.
  static void check(Run run) {
    LeastMemory least = of(run);
    long available = Memory.available();
    if (least.weights + least.batch > available) {
      throw new DeviceException(
          String.format(
              Locale.ROOT,
              "%s does not fit: weights, gradients and the optimizer take %,.2f GB and a batch of"
                  + " %s at least %,.2f GB, but tensors can have %,.2f GB here; make the net"
                  + " smaller, or the batch, or remember less of it (--recompute auto)",
              run.recipe().model(),
              least.weights / 1e9,
              run.recipe().batch(),
              least.batch / 1e9,
              available / 1e9));
    }
  }
}
