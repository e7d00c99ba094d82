package fathom.lab.experiment;

import fathom.DType;
import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.Tensor;
import fathom.lab.instrument.Lesion;
import fathom.lab.instrument.PathLengths;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Chain;
import fathom.nn.Identity;
import fathom.nn.Relu;
import fathom.report.Scale;
import java.util.stream.IntStream;

/// Measures what trained nets lose without one of their blocks, and along which paths the gradient
/// of the residual net comes back. Source of the claim: Veit et al. 2016, sections 4.1 and 4.3; row
/// 28 of the project's list of claims, on the embedded digits.
///
/// Each block is taken out in turn, and the test error is measured. The plain net has a depth at
/// which it still trains. Then the gradient of the residual net is sent back along single paths.
///
/// The experiment does not show this for the paper's nets, which are convolutional with 54 blocks;
/// [PublishedLesions] has published weights.
final class Lesions implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "lesions",
        "What does a trained net lose with one of its blocks?",
        "A residual net hardly misses a block; a plain net without one of its blocks knows"
            + " nothing.",
        "Veit et al. 2016, sections 4.1 and 4.3; row 28, at the size of digits",
        "5 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Mixture train = Mixture.digits(true);
    Mixture test = Mixture.digits(false);
    int width = size.of(8, 48, 48);
    var training = new Training(0.05, size.of(1, 30, 60));
    int in = train.features();
    try (var _ = Scope.open()) {
      DeepNet shape = DeepNet.residual(in, width, size.of(4, 28, 56));
      Layer net = trained(shape, training, train, seed, note);
      measure(net, Lesion.BRANCHES, "residual", Bound.atMost(2), test, note);
      Tensor direction =
          Tensor.normal(RandomKey.of(seed, "direction"), DType.FLOAT32, 1, Mixture.CLASSES);
      paths(PathLengths.of(net, test.all(), direction, seed), "residual", note);
    }
    try (var _ = Scope.open()) {
      Layer net = trained(DeepNet.plain(in, width, 8), training, train, seed, note);
      measure(net, Lesions::plainBlock, "plain", Bound.atLeast(20), test, note);
    }
  }

  private static Layer trained(
      DeepNet shape, Training training, Mixture train, long seed, Notebook note) {
    Layer net = shape.build(seed);
    training.run(net, train, seed, note);
    return net;
  }

  /// Replaces a block of a plain net by the identity.
  private static Layer plainBlock(String path, Layer layer) {
    return layer instanceof Chain chain
            && path.startsWith("block")
            && chain.children().getLast().layer() instanceof Relu
        ? new Identity()
        : layer;
  }

  private static void measure(
      Layer net, Layer.Rule cut, String kind, Bound bound, Mixture test, Notebook note) {
    var lesion =
        Lesion.of(
            net,
            cut,
            n -> {
              note.alive();
              return error(n, test);
            });
    note.measure(kind + ", whole, test error, %", lesion.whole(), Bound.atMost(10));
    note.measure(
        kind + ", one block out, median of the error's rise, points", lesion.medianRise(), bound);
    note.measure(kind + ", one block out, largest rise, points", lesion.largestRise());
    rises(lesion, kind, note);
  }

  static void rises(Lesion lesion, String group, Notebook note) {
    note.curve(
        "Rise of the test error without one block",
        "block",
        "points",
        Scale.LINEAR,
        group,
        IntStream.rangeClosed(1, lesion.paths().size()).asDoubleStream().toArray(),
        lesion.rises());
  }

  /// Records the path lengths of a net, with the prediction that the paths of the gradient are
  /// shorter than paths are on average.
  static void paths(PathLengths lengths, String group, Notebook note) {
    int n = lengths.paths().length - 1;
    note.measure(
        group + ", mean number of branches on the gradient's paths, of " + n, lengths.meanLength());
    note.measure(
        group + ", the same over that of all paths",
        lengths.meanLength() / (n / 2.0),
        Bound.atMost(1));
    note.measure(
        group + ", branches in paths that carry 95 % of the gradient, of " + n,
        lengths.lengthOf(0.95));
    double[] k = IntStream.rangeClosed(0, n).asDoubleStream().toArray();
    note.curve(
        "Share of the gradient by the length of its paths",
        "branches",
        "share",
        Scale.LINEAR,
        group,
        k,
        lengths.shares());
    note.curve(
        "Share of the gradient by the length of its paths",
        "branches",
        "share",
        Scale.LINEAR,
        group + ", if all paths carried the same",
        k,
        lengths.paths());
    note.curve("Gradient along one path", "branches", "norm", Scale.LOG, group, k, lengths.norms());
  }

  private static double error(Layer net, Mixture data) {
    try (var _ = Scope.open()) {
      return Training.wrong(net.predict(data.all()), data);
    }
  }
}
