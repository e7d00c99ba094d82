package fathom.bench;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.TorchConvolutions;
import fathom.Traced;
import fathom.nn.Conv2d;
import fathom.train.Precision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The convolutions of a net alone, forward and backward with both gradients, as libtorch computes
/// them: a lower limit for the time of a training step. The first convolution, whose argument is
/// the image, computes no gradient for it. Convolutions with arguments of one shape share the
/// argument. That makes the limit lower than a step can reach, because there the layer before has
/// just written each argument.
record Convolutions(List<Call> calls) implements Runnable {
  private record Call(Conv2d layer, Tensor w, Tensor x, Tensor dy) {}

  /// Returns the convolutions that `net` computes for `x`, in their order.
  static Convolutions of(Layer net, Tensor x, Precision precision) {
    var met = new ArrayList<Met>();
    Layer watching =
        Layer.map(net, (_, layer) -> layer instanceof Conv2d c ? new Watching(c, met) : layer);
    try (var _ = Scope.open()) {
      watching.predict(x);
    }
    Map<Shape, Tensor> tensors = new HashMap<>();
    var calls = new ArrayList<Call>();
    for (Met each : met) {
      Tensor argument = tensors.computeIfAbsent(each.in(), shape -> normal(shape, precision));
      Tensor gradient = tensors.computeIfAbsent(each.out(), shape -> normal(shape, precision));
      Tensor weight = precision.of(each.layer().weight().value()).channelsLast();
      calls.add(new Call(each.layer(), weight, argument, gradient));
    }
    return new Convolutions(calls);
  }

  private static Tensor normal(Shape shape, Precision precision) {
    return precision
        .of(Tensor.normal(RandomKey.of(1, "convolutions"), DType.FLOAT32, shape.toArray()))
        .channelsLast();
  }

  @Override
  public void run() {
    for (Call call : calls) {
      try (var _ = Scope.open()) {
        Conv2d layer = call.layer();
        Tensor w = call.w();
        TorchConvolutions.convolution(call.x(), w, layer.stride(), layer.padding());
        boolean needDx = !call.equals(calls.getFirst());
        TorchConvolutions.convolutionBackward(
            call.dy(), call.x(), w, layer.stride(), layer.padding(), needDx);
      }
    }
  }

  private record Met(Conv2d layer, Shape in, Shape out) {}

  private record Watching(Conv2d layer, List<Met> met) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      return layer.forward(x);
    }

    @Override
    public Tensor predict(Tensor x) {
      Tensor y = layer.predict(x);
      met.add(new Met(layer, x.shape(), y.shape()));
      return y;
    }
  }
}
