package fathom.lab.instrument;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DType;
import fathom.FlatParams;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.loss.CrossEntropy;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.nn.Chain;
import fathom.nn.Dense;
import fathom.nn.Init;
import fathom.nn.Relu;
import fathom.nn.Watched;
import fathom.optim.Sgd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// The examples of `docs/guide/9-laboratory.md`, which stand there as they stand here.
class ExamplesTest {
  private static final int[] LABELS = {3, 1, 4, 1};

  private final Scope scope = Scope.open();
  private final Layer net;
  private final Tensor x;
  private final Tensor direction;

  ExamplesTest() {
    Layer net = CifarNet.named("resnet20").on(new ImageShape(1, 8, 8), 10).build(Init.he(1));
    Tensor x = Tensor.normal(RandomKey.of(1, "x"), DType.FLOAT32, 4, 1, 8, 8);
    Tensor direction = Tensor.normal(RandomKey.of(1, "direction"), DType.FLOAT32, 1, 10);
    this.net = net;
    this.x = x;
    this.direction = direction;
  }

  @AfterEach
  void end() {
    scope.close();
  }

  private double loss(Layer net) {
    try (var _ = Scope.open()) {
      return CrossEntropy.sum(net.predict(x), LABELS) / LABELS.length;
    }
  }

  @Test
  void watched() {
    var norms = new TreeMap<String, Double>();
    var observer =
        new Watched.Observer() {
          @Override
          public void cotangent(String path, Layer layer, Tensor dy) {
            norms.put(path, Rows.norm(dy));
          }
        };
    Traced y = Watched.leaves(net, observer).forward(x);
    y.accumulate(y.value());
    double atTheStem = norms.get("conv1");

    assertTrue(atTheStem > 0);
    assertEquals(Rows.norm(y.value()), norms.get("linear"), 1e-5);
  }

  @Test
  void rows() {
    Traced y = net.forward(x);
    Tensor dx = y.back(direction.expand(y.value().shape()).contiguous());
    double cosine = Rows.cosine(dx.reshape(4, 64)); // one row for each example

    assertTrue(Math.abs(cosine) <= 1);
  }

  @Test
  void responses() {
    var byWeights = Responses.ofWeights(net);
    var byImages = Responses.of(net, x);
    String first = byImages.paths().getFirst(); // "bn1"

    assertEquals(1, byWeights.mean(), 0);
    assertEquals("bn1", first);
    assertTrue(byImages.mean() > 0);
  }

  @Test
  void gradients() {
    Traced y = net.forward(x);
    y.accumulate(CrossEntropy.of(y.value(), LABELS).back(Tensor.scalar(DType.FLOAT32, 1)));
    double ofTheStem = Gradients.of(net).gradients()[0];

    assertTrue(ofTheStem > 0);
  }

  @Test
  void movement() {
    var sgd = new Sgd(FlatParams.of(net.params()), 0.9, 1e-4);
    Traced y = net.forward(x);
    y.accumulate(CrossEntropy.of(y.value(), LABELS).back(Tensor.scalar(DType.FLOAT32, 1)));
    var before = Movement.snapshot(net);
    sgd.step(0.1);
    double turned = Movement.since(before, net, 0.1).angle()[0];

    assertTrue(turned > 0);
  }

  @Test
  void spectrum() {
    Layer dense = Chain.of(Dense.of(Init.he(1), "dense", 64, 10), new Relu());
    var spectrum = Spectrum.ofJacobian(dense, x.narrow(0, 0, 1).reshape(1, 64));
    double directions = spectrum.participation();
    double condition = spectrum.condition();

    assertTrue(directions > 1 && condition >= 1);
  }

  @Test
  void tangentKernel() {
    var kernel = TangentKernel.of(net, x, direction);
    double largestStableRate = 2 / kernel.values()[0];
    double slowest = kernel.condition(); // in steps of that learning rate, about

    assertTrue(largestStableRate > 0 && slowest > 1);
  }

  @Test
  void lesion() {
    var lesion = Lesion.of(net, Lesion.BRANCHES, this::loss);
    double median = lesion.medianRise();
    String first = lesion.paths().getFirst(); // "layer1.0"

    assertEquals("layer1.0", first);
    assertTrue(Double.isFinite(median));
  }

  @Test
  void pathLengths() {
    var lengths = PathLengths.of(net, x, direction, 1);
    double branches = lengths.meanLength();
    int atMost = lengths.lengthOf(0.95);

    assertTrue(branches > 0 && branches < 9 && atMost <= 9);
  }

  @Test
  void lossSurface() {
    var surface = LossSurface.of(net, this::loss, 0.5, 3, 1);
    double here = surface.losses()[1][1];
    double astray = surface.astray();

    assertEquals(loss(net), here, 1e-6);
    assertTrue(astray >= 0 && astray <= 1);
  }

  /// Space and line breaks aside.
  @Test
  void thePageHasTheseExamples() throws IOException {
    String here =
        squeezed(
            Files.readString(
                Path.of("src/test/java").resolve("fathom/lab/instrument/ExamplesTest.java")));
    String page = Files.readString(Path.of("..", "docs", "guide", "9-laboratory.md"));
    var examples = new ArrayList<String>();
    var blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(page);
    while (blocks.find()) {
      examples.add(blocks.group(1));
      assertTrue(here.contains(squeezed(blocks.group(1))), blocks.group(1));
    }
    assertEquals(11, examples.size());
  }

  private static String squeezed(String code) {
    return code.replaceAll("\\s+", " ").strip();
  }
}
