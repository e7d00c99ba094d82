package fathom.lab;

import fathom.Collective;
import fathom.Layer;
import fathom.Scope;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.lab.instrument.Responses;
import fathom.net.CifarNet;
import fathom.nn.Folded;
import fathom.nn.Init;
import fathom.report.Scale;
import fathom.train.Evaluation;
import fathom.train.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/// Rows 16 and 17, on the published weights of `akamaster/pytorch_resnet_cifar10` and the 10,000
/// test pictures of a copy of CIFAR-10 that went through JPEG, on which PyTorch finds 18.97 % and
/// 17.44 %: both must lie in the folder that FATHOM_DATA names. Nothing here is drawn, so all seeds
/// have the same values, which are measured once. Row 16's 15 % are taken of the mean over the
/// layers; the farthest single layer is shown without a bound, since running statistics of other
/// pictures stand in the place of the batch's own, which the formula is about.
final class PublishedNets implements Experiment {
  private static final List<String> PICTURES =
      List.of("cifar10-jpeg", "cifar-10-batches-bin", "cifar10");

  private record Measured(double error, double[] byWeights, double[] byPictures) {}

  private final ConcurrentHashMap<String, Measured> measured = new ConcurrentHashMap<>();

  @Override
  public String name() {
    return "published-nets";
  }

  @Override
  public String question() {
    return "Do published nets show the paper's table 6 and figure 7?";
  }

  @Override
  public String claim() {
    return "The published ResNet-32 errs less than ResNet-20, as PyTorch finds to a fiftieth of a point, and its layers respond less; gains and biases alone say how much within 15 %.";
  }

  @Override
  public String source() {
    return "He et al. 2016, table 6 and figure 7; rows 16 and 17";
  }

  @Override
  public String cost() {
    return "35 s";
  }

  @Override
  public Optional<String> missing() {
    if (pictures().isPresent() && file("resnet20").isPresent() && file("resnet32").isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        "it needs resnet20.safetensors, resnet32.safetensors and a folder %s in the folder that FATHOM_DATA names"
            .formatted(String.join(" or ", PICTURES)));
  }

  private static Optional<Path> in(String name) {
    return Optional.ofNullable(System.getenv("FATHOM_DATA"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, name))
        .filter(Files::exists);
  }

  private static Optional<Path> pictures() {
    return PICTURES.stream().flatMap(name -> in(name).stream()).findFirst();
  }

  private static Optional<Path> file(String model) {
    return in(model + ".safetensors");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    note.alive();
    Measured shallow = measure("resnet20", 18.97, size, note);
    Measured deep = measure("resnet32", 17.44, size, note);
    note.measure(
        "ResNet-32 less ResNet-20, error, points", deep.error - shallow.error, Bound.atMost(0));
    note.measure(
        "ResNet-32 over ResNet-20, mean deviation",
        mean(deep.byPictures) / mean(shallow.byPictures),
        Bound.atMost(1));
  }

  private Measured measure(String model, double error, Size size, Notebook note) {
    Measured found = measured.computeIfAbsent(model, m -> measure(m, size));
    note.measure(model + ", test error, %", found.error, Bound.between(error - 0.02, error + 0.02));
    double farthest = 0;
    for (int i = 0; i < found.byWeights.length; i++) {
      farthest = Math.max(farthest, Math.abs(found.byPictures[i] / found.byWeights[i] - 1));
    }
    double ratio = mean(found.byPictures) / mean(found.byWeights);
    note.measure(
        model + ", mean deviation by pictures over that by weights",
        ratio,
        Bound.between(0.85, 1.15));
    note.measure(model + ", farthest layer from its weights' deviation", farthest);
    note.measure(model + ", mean deviation of a layer's response", mean(found.byPictures));
    note.curve(
        "Deviation of each layer's response",
        "layer",
        "deviation",
        Scale.LINEAR,
        model,
        IntStream.rangeClosed(1, found.byPictures.length).asDoubleStream().toArray(),
        found.byPictures);
    return found;
  }

  private static Measured measure(String model, Size size) {
    try (var _ = Scope.open()) {
      Layer net = CifarNet.named(model).build(Init.zeros());
      Weights.read(file(model).orElseThrow(), net);
      Images test = DataSet.open(pictures().orElseThrow().toString()).test().images();
      Images images = size == Size.TINY ? test.take(200) : test;
      var normalization =
          Normalization.of(
              new float[] {0.485f, 0.456f, 0.406f}, new float[] {0.229f, 0.224f, 0.225f});
      int some = Math.min(500, images.count());
      int[] order = IntStream.range(0, some).toArray();
      var x = new Loader(images, normalization).pictures(order, new Rows(0, some));
      return new Measured(
          Evaluation.of(Folded.of(net), images, normalization, Collective.ALONE).error(),
          Responses.ofWeights(net).deviations(),
          Responses.of(net, x).deviations());
    }
  }

  private static double mean(double[] x) {
    return IntStream.range(0, x.length).mapToDouble(i -> x[i]).average().orElse(Double.NaN);
  }
}
