package fathom.report;

import fathom.RandomKey;
import fathom.data.Images;
import fathom.data.Png;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/// A page with made-up numbers in the shape of the demo's: two kinds of nets, two depths, three
/// seeds. The page says that they are made up.
final class Sample {
  private static final int[] DEPTHS = {20, 56};
  private static final int EPOCHS = 30;
  private static final int SEEDS = 3;

  private Sample() {}

  static Page page() {
    return new Page(
        "Deep plain nets fail to learn; residual nets do not",
        "Four nets of two depths, three seeds each, trained alike on the same 2,048 points. All the"
            + " numbers on this page are made up: it shows what a report looks like.",
        new Section(
            "Result",
            new Text(
                "Going from 20 to 56 layers costs the plain net its training error as well as its"
                    + " test error, so it is not overfitting.\n\nThe residual net has the same"
                    + " parameters and the same gradient norms at the end."),
            new Table(
                "Error after 30 epochs, mean and spread over three seeds",
                List.of("Net", "Layers", "Training error, %", "Test error, %", "Seconds"),
                List.of(
                    List.of("plain", "20", "8.1 ± 0.6", "10.4 ± 0.5", "6.2"),
                    List.of("plain", "56", "31.7 ± 1.9", "33.0 ± 2.2", "17.9"),
                    List.of("residual", "20", "2.3 ± 0.2", "5.1 ± 0.3", "6.4"),
                    List.of("residual", "56", "0.4 ± 0.1", "4.2 ± 0.2", "18.3")))),
        new Section(
            "Learning curves",
            new Chart(
                "Training error",
                "The deeper plain net stays above the shallower one from the first epoch to the"
                    + " last.",
                "epoch",
                "error, %",
                Scale.LINEAR,
                errors(0)),
            new Chart(
                "Test error",
                "One line for each seed. The order of the nets is that of the training error.",
                "epoch",
                "error, %",
                Scale.LINEAR,
                errors(2))),
        new Section(
            "Gradients",
            new Text("The norm of the loss's gradient by each layer's weights, seed 0."),
            new Chart(
                "Gradient norm of each layer",
                "At the start the norms of the plain net grow from layer to layer towards the"
                    + " input; at the end they are flat, and look healthy.",
                "layer",
                "gradient norm",
                Scale.LOG,
                gradients())),
        new Section(
            "Responses",
            new Chart(
                "Standard deviation of each layer's response",
                "",
                "layer",
                "standard deviation",
                Scale.LINEAR,
                responses())),
        new Section("What was run", new Facts(facts())));
  }

  /// What became of images that are noise: 20 classes, with many mistakes and few.
  static Page tested() {
    List<String> names =
        IntStream.range(0, 20).mapToObj(c -> c % 3 == 0 ? "automobile " + c : "cat " + c).toList();
    RandomKey key = RandomKey.of(1, "confusion");
    List<List<Long>> counts = new ArrayList<>();
    for (int c = 0; c < 20; c++) {
      List<Long> row = new ArrayList<>();
      for (int g = 0; g < 20; g++) {
        double rate = c == g ? 300 : Math.exp(4 * key.normal(20 * c + g) - 3);
        row.add((long) Math.min(1000, rate));
      }
      counts.add(row);
    }
    return new Page(
        "What became of images",
        "All the numbers on this page are made up.",
        new Section("Classes", new Matrix("Who was taken for whom", names, counts)),
        new Section(
            "The worst mistakes",
            new Gallery(
                IntStream.range(0, 12)
                    .mapToObj(i ->
                        new Gallery.Image(
                            png(8 << i % 4, 8 << i % 3),
                            "Test image " + i,
                            List.of(
                                "cat, taken for automobile",
                                "automobile: 99.2 %, cat: under 0.1 %")))
                    .toList())),
        new Section("Two more", new Text("So that there is a list of contents.")));
  }

  /// Noise as a PNG file.
  static byte[] png(int width, int height) {
    RandomKey key = RandomKey.of(width, "noise");
    byte[] pixels = new byte[3 * width * height];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) key.below(i, 256);
    }
    return Png.of(new Images(3, height, width, pixels, new int[1]), 0);
  }

  private static List<Curve> errors(double gap) {
    List<Curve> curves = new ArrayList<>();
    for (String kind : List.of("plain", "residual")) {
      for (int depth : DEPTHS) {
        double end = kind.equals("plain") ? depth * 0.62 - 5 : 4 - depth * 0.05;
        double pace = kind.equals("plain") ? 3 + depth / 8.0 : 4;
        for (int seed = 0; seed < SEEDS; seed++) {
          RandomKey key = RandomKey.of(seed, kind + depth + gap);
          double[] x = IntStream.rangeClosed(0, EPOCHS).asDoubleStream().toArray();
          double[] y = new double[x.length];
          for (int e = 0; e < y.length; e++) {
            double decay = (90 - end) * Math.exp(-e / pace);
            y[e] =
                Math.max(
                    0.1, end + gap + decay * (1 + 0.05 * key.normal(e)) + 0.5 * key.normal(99 + e));
          }
          curves.add(Curve.of(kind + "-" + depth, "seed " + seed, x, y));
        }
      }
    }
    return curves;
  }

  private static List<Curve> gradients() {
    List<Curve> curves = new ArrayList<>();
    for (String kind : List.of("plain", "residual")) {
      for (int depth : DEPTHS) {
        RandomKey key = RandomKey.of(0, kind + depth);
        double slope = kind.equals("plain") ? 0.096 : 0.01;
        double[] x = IntStream.rangeClosed(1, depth).asDoubleStream().toArray();
        double[] start = new double[depth];
        double[] end = new double[depth];
        for (int l = 0; l < depth; l++) {
          start[l] = 0.2 * Math.exp(2 * slope * (depth - l) + 0.06 * key.normal(l));
          end[l] = 0.06 * Math.exp(0.15 * key.normal(100 + l));
        }
        curves.add(Curve.of(kind + "-" + depth, "start", x, start));
        curves.add(Curve.of(kind + "-" + depth, "end", x, end));
      }
    }
    return curves;
  }

  private static List<Curve> responses() {
    List<Curve> curves = new ArrayList<>();
    for (String kind : List.of("plain", "residual")) {
      for (int depth : DEPTHS) {
        RandomKey key = RandomKey.of(1, kind + depth);
        double level = kind.equals("plain") ? 1.1 : 0.7 - depth * 0.006;
        double[] x = IntStream.rangeClosed(1, depth).asDoubleStream().toArray();
        double[] y =
            IntStream.range(0, depth).mapToDouble(l -> level + 0.07 * key.normal(l)).toArray();
        curves.add(Curve.of(kind + "-" + depth, "", x, y));
      }
    }
    return curves;
  }

  private static SequencedMap<String, String> facts() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("Data", "made up");
    facts.put("Seeds", "0, 1, 2");
    facts.put("Optimiser", "SGD, momentum 0.9, batch 128, learning rate 0.02");
    facts.put("Source", "0.1.0-SNAPSHOT");
    facts.put("JDK", "25");
    facts.put("libtorch", "2.10.0");
    facts.put("Machine", "2 cores, AVX-512, 8 GB");
    facts.put("Time", "48.8 s");
    return facts;
  }
}
