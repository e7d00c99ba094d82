// A feature pyramid on a residual net: coarse maps of its stages, enlarged, are added to fine ones,
// reach one head, and all gradients flow back through the maps into the net.
package fathom.examples;

import fathom.*;
import fathom.data.DataSet;
import fathom.net.*;
import fathom.nn.*;
import fathom.task.ImageClassification;
import fathom.train.Trainer;
import java.util.*;

final class PyramidHead {
  record Pyramid(FeatureMaps net, Layer middle, Layer coarse, Layer head) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      var m = net.forward(x);
      Traced c2 = middle.forward(m.map("layer2"));
      Traced c3 = coarse.forward(m.map("layer3")); // as large as the middle
      Traced larger = new Upsample2d(2).forward(c2.value().plus(c3.value()));
      Traced y = head.forward(m.map("layer1").plus(larger.value()));
      return new Traced(
          y.value(),
          dy -> {
            Tensor f = y.back(dy);
            Tensor d = larger.back(f);
            return m.back().apply(Map.of("layer1", f, "layer2", c2.back(d), "layer3", c3.back(d)));
          });
    }

    @Override
    public List<Part> parts() {
      return List.of(new Part("net", net), new Part("sides", Chain.of(middle, coarse, head)));
    }
  }

  static Layer net(Init init) { // group norm predicts as it trains, so that forward is enough
    var body = CifarNet.named("resnet8").withNorm(Norm.GROUP).on(new ImageShape(1, 8, 8), 10);
    Layer middle = Conv2d.of(init, "1", 32, 16, 1, 1);
    Layer coarse = Chain.of(Conv2d.of(init, "2.0", 64, 16, 1, 1), new Upsample2d(2));
    Layer head = Chain.of(new Relu(), new GlobalAveragePool(), Dense.of(init, "head", 16, 10));
    return new Pyramid(FeatureMaps.of(body, body.build(init)), middle, coarse, head);
  }

  static void main() {
    var task = ImageClassification.of(DataSet.open("digits"));
    var trained = Trainer.of(PyramidHead::net, task).epochs(2).fit();
    IO.println("pyramid of three maps: " + trained.test());
  }
}
