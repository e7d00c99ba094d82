package fathom.lab.instrument;

import fathom.DType;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Computes gradients by all trained parameters of a net, for one cotangent after the other.
final class Jacobian {
  private Jacobian() {}

  /// Returns the cotangent of row `i` for this output of the net.
  interface Cotangent {
    Tensor of(int i, Tensor value);
  }

  /// Returns a matrix of `rows`×P in float64, with a row for each cotangent, in the order of
  /// [Layer#params]. The net is run as in training, once for each row. Afterwards parameters,
  /// buffers and gradients are as before.
  static Tensor of(Layer net, Tensor x, int rows, Cotangent cotangent) {
    List<Param> params = net.params();
    var buffers = net.state().values().stream().filter(p -> !p.trained()).toList();
    var before = new ArrayList<Tensor>();
    params.forEach(p -> before.add(copy(p.grad())));
    buffers.forEach(p -> before.add(copy(p.value())));
    var all = new ArrayList<Tensor>();
    for (int i = 0; i < rows; i++) {
      params.forEach(p -> p.grad().zero_());
      try (var scope = Scope.open()) {
        var traced = net.forward(x);
        traced.accumulate(cotangent.of(i, traced.value()));
        var parts = new ArrayList<Tensor>();
        for (Param param : params) {
          parts.add(param.grad().to(DType.FLOAT64).reshape(1, param.value().shape().elements()));
        }
        all.add(scope.keep(Tensor.concatenated(1, parts)));
      }
    }
    for (int i = 0; i < params.size(); i++) {
      params.get(i).grad().copy_(before.get(i));
    }
    for (int i = 0; i < buffers.size(); i++) {
      buffers.get(i).value().copy_(before.get(params.size() + i));
    }
    return Tensor.concatenated(0, all);
  }

  private static Tensor copy(Tensor t) {
    return t.emptyLike().copy_(t);
  }
}
