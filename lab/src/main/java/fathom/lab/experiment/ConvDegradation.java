package fathom.lab.experiment;

import fathom.Layer;
import fathom.Layer.Child;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.DataSet;
import fathom.data.Images;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.loss.CrossEntropy;
import fathom.net.CifarNet;
import fathom.net.ImageShape;
import fathom.net.Norm;
import fathom.net.Shortcut;
import fathom.nn.Chain;
import fathom.nn.Init;
import fathom.report.Scale;
import java.util.List;
import java.util.stream.IntStream;

/// Measures whether convolutional nets fit worse with depth, and whether shortcuts cure it. Source
/// of the claim: He et al. 2016, section 4.2, figure 6; rows 13 and 14 of the project's list of
/// claims.
///
/// The nets are the paper's convolutional nets of 20 and 56 layers at a quarter of its width,
/// trained by [Training]'s recipe with the learning rate 0.1. At size full they learn 8000 images
/// of CIFAR-10 for ten epochs if the data set `cifar10` is available; otherwise, and at size quick,
/// they learn the embedded digits. The names of the values say which. Ten epochs are the row's:
/// after seven, one seed of the deep residual net had not improved yet. Momentum starts at zero in
/// every epoch. The losses are over the training set, with batch norm's statistics of a thousand
/// images at a time.
///
/// The experiment does not reproduce the paper's recipe, width or data, and measures no test error.
final class ConvDegradation implements Experiment {
  /// The number of images that are evaluated together; for 8000 images, a net of 56 layers would
  /// keep 8 GB.
  private static final int LOOK = 1000;

  @Override
  public Statement statement() {
    return new Statement(
        "conv-degradation",
        "Do convolutional nets get worse with depth as well, and does the shortcut cure it?",
        "A plain net of 56 convolutional layers has a higher training loss than one of 20, by 0.3"
            + " nats more than a residual net of 56, which is as good as one of 20 and learns"
            + " faster.",
        "He et al. 2016, section 4.2, figure 6; rows 13 and 14",
        "30 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    Source source = Source.of(size);
    Mixture data = source.data;
    int deep = size.of(14, 56, 56);
    int shallow = size.of(8, 20, 20);
    int epochs = size.of(1, 10, 10);
    double plain20 = loss("plain-20", Shortcut.NONE, shallow, source, epochs, seed, note);
    double plain56 = loss("plain-56", Shortcut.NONE, deep, source, epochs, seed, note);
    double residual20 = loss("residual-20", Shortcut.A, shallow, source, epochs, seed, note);
    double residual56 = loss("residual-56", Shortcut.A, deep, source, epochs, seed, note);
    String on = ", nats, " + source.name + ", %s images".formatted(data.count());
    note.measure("plain-56 less plain-20" + on, plain56 - plain20, Bound.atLeast(0));
    note.measure("residual-56 less residual-20" + on, residual56 - residual20, Bound.atMost(0.05));
    note.measure("plain-56 less residual-56" + on, plain56 - residual56, Bound.atLeast(0.3));
    note.measure(
        "epochs to half right, residual-20 less plain-20",
        note.value("residual-20, first epoch with half right")
            - note.value("plain-20, first epoch with half right"),
        Bound.atMost(0));
  }

  private record Source(String name, Mixture data, ImageShape input) {
    static Source of(Size size) {
      if (size == Size.FULL) {
        try {
          return of("cifar10", DataSet.open("cifar10").train().take(8000).images());
        } catch (IllegalArgumentException _) { // so the digits are used
          return of("digits", DataSet.open("digits").train().images());
        }
      }
      Images digits = DataSet.open("digits").train().images();
      return of("digits", size == Size.TINY ? digits.take(256) : digits);
    }

    private static Source of(String name, Images images) {
      return new Source(
          name,
          Mixture.of(images),
          new ImageShape(images.channels(), images.height(), images.width()));
    }
  }

  private static double loss(
      String name,
      Shortcut shortcut,
      int depth,
      Source source,
      int epochs,
      long seed,
      Notebook note) {
    double[] x = IntStream.rangeClosed(1, epochs).asDoubleStream().toArray();
    double[] losses = new double[epochs];
    double half = epochs + 1;
    try (var _ = Scope.open()) {
      var input = source.input;
      var body = new CifarNet(depth, shortcut, Norm.BATCH, 4, input, Mixture.CLASSES);
      Layer net =
          new Chain(
              List.of(
                  new Child("images", new AsImages(input)),
                  new Child("", body.build(Init.he(seed)))));
      for (int epoch = 0; epoch < epochs; epoch++) {
        boolean finite = new Training(0.1, 1).run(net, source.data, seed + 1000L * epoch, note);
        Outcome outcome = outcome(net, source.data);
        losses[epoch] = finite ? outcome.loss : Double.NaN;
        half = outcome.right >= 0.5 ? Math.min(half, epoch + 1) : half;
      }
    }
    note.measure(name + ", training loss, nats", losses[epochs - 1]);
    note.measure(name + ", first epoch with half right", half);
    note.curve("Training loss", "epochs", "nats", Scale.LOG, name, x, losses);
    return losses[epochs - 1];
  }

  /// @param right the share of images whose label has the largest logit, 0 to 1
  private record Outcome(double loss, double right) {}

  private static Outcome outcome(Layer net, Mixture data) {
    int[] order = IntStream.range(0, data.count()).toArray();
    double loss = 0;
    int right = 0;
    for (int from = 0; from < order.length; from += LOOK) {
      int to = Math.min(order.length, from + LOOK);
      try (var _ = Scope.open()) {
        Tensor logits = net.forward(data.at(order, from, to)).value();
        int[] labels = data.labelsAt(order, from, to);
        loss += CrossEntropy.sum(logits, labels);
        int[] predictions = logits.argMax();
        for (int i = 0; i < labels.length; i++) {
          right += predictions[i] == labels[i] ? 1 : 0;
        }
      }
    }
    return new Outcome(loss / order.length, (double) right / order.length);
  }

  /// Reshapes N×F to N×C×H×W.
  private record AsImages(ImageShape input) implements Layer {
    @Override
    public Traced forward(Tensor x) {
      Shape shape = x.shape();
      return new Traced(
          x.reshape(shape.size(0), input.channels(), input.height(), input.width()),
          dy -> dy.contiguous().reshape(shape.toArray()));
    }
  }
}
