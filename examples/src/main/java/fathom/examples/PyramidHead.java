// A feature pyramid on a residual net: the maps of its stages, the coarse ones enlarged and added
// to
// the fine ones, reach one head, and all gradients flow back through the maps into the net.
package fathom.examples;

import fathom.*;
import fathom.data.DataSet;
import fathom.net.*;
import fathom.nn.*;
import fathom.task.ImageClassification;
import fathom.train.Trainer;
import java.util.*;

final class PyramidHead {
  record Pyramid(FeatureMaps net, Layer one, Layer two, Layer three, Layer head) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      var seen = net.forward(x);
      Traced fine = one.forward(seen.maps().get("layer1"));
      Traced middle = two.forward(seen.maps().get("layer2"));
      Traced coarse = three.forward(seen.maps().get("layer3")); // as large as the middle
      Traced larger = new Upsample2d(2).forward(middle.value().plus(coarse.value()));
      Traced y = head.forward(fine.value().plus(larger.value()));
      return new Traced(
          y.value(),
          dy -> {
            Tensor d = y.back(dy);
            Tensor dm = larger.back(d);
            Tensor df = fine.back(d);
            return seen.back()
                .apply(Map.of("layer1", df, "layer2", middle.back(dm), "layer3", coarse.back(dm)));
          });
    }

    @Override
    public List<Part> parts() {
      return List.of(new Part("net", net), new Part("sides", Chain.of(one, two, three, head)));
    }
  }

  static Layer net(Init init) { // group norm predicts as it trains, so that forward is enough
    var body = CifarNet.named("resnet8").withNorm(Norm.GROUP).on(new ImageShape(1, 8, 8), 10);
    Layer fine = Conv2d.of(init, "0", 16, 16, 1, 1);
    Layer middle = Conv2d.of(init, "1", 32, 16, 1, 1);
    Layer coarse = Chain.of(Conv2d.of(init, "2.0", 64, 16, 1, 1), new Upsample2d(2));
    Layer head = Chain.of(new Relu(), new GlobalAveragePool(), Dense.of(init, "head", 16, 10));
    return new Pyramid(FeatureMaps.of(body, body.build(init)), fine, middle, coarse, head);
  }

  static void main() {
    var task = ImageClassification.of(DataSet.open("digits"));
    var trained = Trainer.of(PyramidHead::net, task).epochs(2).fit();
    IO.println("pyramid of three maps: " + trained.test());
  }
}
