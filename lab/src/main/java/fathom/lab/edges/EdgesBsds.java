package fathom.lab.edges;

import fathom.Layer;
import fathom.RandomKey;
import fathom.Scope;
import fathom.data.MaskImage;
import fathom.data.Outlines;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.nn.Init;
import fathom.report.Scale;
import fathom.task.mask.OutlineScore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Measures outlines of photos: the nets of [EdgeNet] are trained on grey crops of the training
/// images of BSDS500, and measured on crops of its test images by the benchmark's ODS, OIS and AP
/// ([OutlineScore]), with 9 thresholds at size quick and the benchmark's 99 at size full. Source:
/// Martin et al. 2004 for the benchmark, experiment E2 of this project for the claim, with a
/// threshold of this project that was a prediction.
///
/// In training, a pixel is outline where at least one person drew an outline. Pixels are brightness
/// minus the mean of the crop, times 4, so that a flat region is near 0. A crop has the tolerance
/// of its whole image, 4.3 pixels.
///
/// The nets are small, see 7×7 pixels, and are trained and measured on few crops. So the figures
/// can be compared with each other, but not with published ones.
final class EdgesBsds implements Experiment {
  private static final EdgeNet[] ARMS = {EdgeNet.NONE, EdgeNet.BATCH, EdgeNet.LAYER, EdgeNet.BIAS};

  @Override
  public Statement statement() {
    return new Statement(
        "edges-bsds",
        "Is it so on photos?",
        "On crops of BSDS500, nets with layer norm, with and without a bias before it, are at most"
            + " 0.03 of ODS worse than nets without a norm.",
        "Martin et al. 2004; experiment E2; threshold of this project, as predicted",
        "60 s");
  }

  private static Optional<Path> data() {
    return Optional.ofNullable(System.getenv("FATHOM_DATA"))
        .filter(folder -> !folder.isBlank())
        .map(folder -> Path.of(folder, "BSDS500", "data"))
        .filter(Files::isDirectory);
  }

  @Override
  public Optional<String> missing() {
    return data().isPresent()
        ? Optional.empty()
        : Optional.of(
            "it needs the folder BSDS500/data, with images and groundTruth, in the folder that"
                + " FATHOM_DATA names");
  }

  /// A crop and the outlines that each person drew in it.
  private record Crop(Scene scene, List<byte[]> drawn, double tolerance) {}

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int side = size.of(24, 64, 96);
    int width = size.of(2, 8, 16);
    var training = new EdgeTraining(0.01, size.of(1, 6, 10));
    List<Scene> train =
        crops("train", side, size.of(16, 144, 400), seed).stream().map(Crop::scene).toList();
    List<Crop> test = crops("test", side, size.of(2, 24, 50), seed);
    for (EdgeNet arm : ARMS) {
      note.alive();
      try (var _ = Scope.open()) {
        Layer net = arm.build(Init.he(seed), width, side);
        double[] losses = training.run(net, train, seed, note);
        double[] p = EdgeTraining.predict(net, test.stream().map(Crop::scene).toList());
        var score = new OutlineScore(size.of(3, 9, 33));
        for (int i = 0; i < test.size(); i++) {
          note.alive();
          float[] own = new float[side * side];
          for (int j = 0; j < own.length; j++) {
            own[j] = (float) p[i * own.length + j];
          }
          score.add(own, test.get(i).drawn, side, side, test.get(i).tolerance);
        }
        note.measure(arm + ", ODS", score.ods());
        note.measure(arm + ", OIS", score.ois());
        note.measure(arm + ", AP", score.averagePrecision());
        note.curve(
            "Loss",
            "epoch",
            "nats",
            Scale.LOG,
            arm.toString(),
            IntStream.rangeClosed(1, losses.length).asDoubleStream().toArray(),
            losses);
      }
    }
    for (EdgeNet arm : new EdgeNet[] {EdgeNet.LAYER, EdgeNet.BIAS}) {
      note.measure(
          arm + " less no norm, ODS",
          note.value(arm + ", ODS") - note.value("no norm, ODS"),
          Bound.atLeast(-0.03));
    }
  }

  /// Returns crops that the seed chooses, at most one of an image while there are unused images.
  private static List<Crop> crops(String part, int side, int count, long seed) {
    Path folder = data().orElseThrow();
    List<Path> files = files(folder.resolve("images").resolve(part));
    RandomKey key = RandomKey.of(seed, "crops " + part);
    int[] order = key.permutation(files.size());
    var crops = new ArrayList<Crop>();
    for (int i = 0; i < count; i++) {
      Path image = files.get(order[i % order.length]);
      String name = image.getFileName().toString().replace(".jpg", ".mat");
      Outlines outlines = Outlines.of(folder.resolve("groundTruth").resolve(part).resolve(name));
      crops.add(crop(MaskImage.of(image, 1), outlines, side, key.at(i)));
    }
    return crops;
  }

  private static List<Path> files(Path folder) {
    try (var files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".jpg")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Crop crop(MaskImage image, Outlines outlines, int side, RandomKey key) {
    int top = key.below(0, image.height() - side + 1);
    int left = key.below(1, image.width() - side + 1);
    float[] pixels = new float[side * side];
    byte[] anybody = new byte[pixels.length];
    double mean = 0;
    for (int p = 0; p < pixels.length; p++) {
      int at = (top + p / side) * image.width() + left + p % side;
      pixels[p] = 4 * (image.pixels()[at] & 0xff) / 255f;
      mean += pixels[p] / pixels.length;
    }
    for (int p = 0; p < pixels.length; p++) {
      pixels[p] -= (float) mean;
    }
    var drawn = new ArrayList<byte[]>();
    for (byte[] whole : outlines.drawn()) {
      byte[] own = new byte[pixels.length];
      for (int p = 0; p < own.length; p++) {
        own[p] = whole[(top + p / side) * image.width() + left + p % side];
        anybody[p] |= own[p];
      }
      drawn.add(own);
    }
    double diagonal = Math.hypot(image.height(), image.width());
    return new Crop(
        new Scene(side, 0, 1, pixels, pixels, anybody), drawn, OutlineScore.TOLERANCE * diagonal);
  }
}
