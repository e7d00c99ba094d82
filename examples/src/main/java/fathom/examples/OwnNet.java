// Your own net: one layer has a parameter and a hand-written pullback, another is tensor code, and
// each is in a residual connection. Two workers train it in a folder, where a second call
// continues.
package fathom.examples;

import fathom.*;
import fathom.data.DataSet;
import fathom.nn.*;
import fathom.task.ImageClassification;
import fathom.train.Trainer;
import java.nio.file.*;
import java.util.Map;

final class OwnNet {
  record Gate(Param gate) implements Layer { // y = x ⊙ σ(g)
    @Override
    public Traced forward(Tensor x) {
      Tensor open = gate.value().sigmoid(); // 1×F, for every row of x
      return new Traced(
          x.times(open),
          dy -> {
            gate.grad().add_(dy.times(x).sum(0).times(open.minus(open.square()))); // σ' = σ − σ²
            return dy.times(open);
          });
    }

    @Override
    public Map<String, Param> own() {
      return Map.of("gate", gate);
    }
  }

  static Layer net(Init init) { // layers of one name start with equal weights
    Layer gate = new Gate(Param.of(Tensor.zeros(DType.FLOAT32, 1, 32)));
    Layer swish = Autograd.layer(x -> x.sigmoid().times(x));
    Layer one = new Residual(Chain.of(Dense.of(init, "one", 32, 32), gate, new Relu()));
    Layer two = new Residual(Chain.of(swish, Dense.of(init, "two", 32, 32)));
    return Chain.of(
        new Flatten(), Dense.of(init, "in", 64, 32), one, two, Dense.of(init, "out", 32, 10));
  }

  static void main() throws Exception {
    var task = ImageClassification.of(DataSet.open("digits"));
    Path folder = Files.createTempDirectory("own-net");
    for (int epochs : new int[] {1, 10}) { // the second training continues after the first epoch
      var trained = Trainer.of(OwnNet::net, task).epochs(epochs).workers(2).in(folder).fit();
      IO.println("epoch %s: %s".formatted(epochs, trained.test()));
    }
  }
}
