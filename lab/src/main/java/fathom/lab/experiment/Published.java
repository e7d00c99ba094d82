package fathom.lab.experiment;

import fathom.Layer;
import fathom.Tensor;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.net.CifarNet;
import fathom.nn.Folded;
import fathom.nn.Init;
import fathom.parallel.Collective;
import fathom.task.Evaluation;
import fathom.train.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// The published weights of `akamaster/pytorch_resnet_cifar10` and the 10,000 test images of a copy
/// of CIFAR-10 that was compressed by JPEG, from the folder that FATHOM_DATA names.
final class Published {
  private static final List<String> IMAGES =
      List.of("cifar10-jpeg", "cifar-10-batches-bin", "cifar10");

  /// The normalization with which these weights were trained.
  private static final Normalization NORMALIZATION =
      Normalization.of(new float[] {0.485f, 0.456f, 0.406f}, new float[] {0.229f, 0.224f, 0.225f});

  private Published() {}

  /// Returns what is missing, in a sentence for the user; empty if nothing is.
  static Optional<String> missing() {
    if (images().isPresent() && file("resnet20").isPresent() && file("resnet32").isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        "it needs resnet20.safetensors, resnet32.safetensors and a folder %s in the folder that FATHOM_DATA names"
            .formatted(String.join(" or ", IMAGES)));
  }

  private static Optional<Path> in(String name) {
    return Optional.ofNullable(System.getenv("FATHOM_DATA"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, name))
        .filter(Files::exists);
  }

  private static Optional<Path> images() {
    return IMAGES.stream().flatMap(name -> in(name).stream()).findFirst();
  }

  private static Optional<Path> file(String model) {
    return in(model + ".safetensors");
  }

  /// Returns `resnet20` or `resnet32` with its weights.
  static Layer net(String model) {
    Layer net = CifarNet.named(model).build(Init.zeros());
    Weights.read(file(model).orElseThrow(), net);
    return net;
  }

  /// Returns the first `count` test images.
  static Images test(int count) {
    Images test = DataSet.open(images().orElseThrow().toString()).test().images();
    return test.take(Math.min(count, test.count()));
  }

  /// Returns the images as the input of a net.
  static Tensor batch(Images images) {
    int[] order = IntStream.range(0, images.count()).toArray();
    return new Loader(images, NORMALIZATION).images(order, new Rows(0, order.length));
  }

  /// Returns the error in percent.
  static double error(Layer net, Images images) {
    return Evaluation.of(Folded.of(net), images, NORMALIZATION, Collective.ALONE).error();
  }
}
