package fathom.lab.edges;

import fathom.Scope;
import fathom.Tensor;
import fathom.lab.ledger.Bound;
import fathom.lab.ledger.Experiment;
import fathom.lab.ledger.Notebook;
import fathom.lab.ledger.Size;
import fathom.lab.ledger.Statement;
import fathom.report.Scale;
import java.util.List;

/// Measures the gain of each norm on blank images, which have nothing but noise with a standard
/// deviation of 0.02. Source of the claim: a reader of Ba et al. 2016, row 51 of the project's list
/// of claims.
///
/// The gain of a norm is the root mean square of its output over that of its input. The gain of the
/// noise counts only what varies from pixel to pixel of a channel, in both, so that a bias, which
/// does not vary, does not count as noise.
///
/// The filters are random, so the experiment does not show what a trained net makes of such images;
/// `edges-trained` measures that.
final class EdgesBlank implements Experiment {
  @Override
  public Statement statement() {
    return new Statement(
        "edges-blank",
        "What does layer norm make of an image with nothing in it?",
        "Layer norm lifts the noise of a blank image to the size that outlines have, ten times and"
            + " more.",
        "a reader of Ba et al. 2016: \"sometimes you actually need a [...] small variance\"; row"
            + " 51",
        "3 s");
  }

  @Override
  public void observe(Size size, long seed, Notebook note) {
    int count = size.of(4, 50, 200);
    List<Scene> blank = Scenes.of(seed, "blank", 0, 0).take(count);
    List<Scene> busy = Scenes.of(seed, "busy", 6, 8).take(count);
    try (var _ = Scope.open()) {
      Tensor nothing = RandomFilters.filters(seed).predict(Scene.doubles(blank));
      Tensor much = RandomFilters.filters(seed).predict(Scene.doubles(busy));
      note.measure("root mean square of activations, blank", Moments.rms(nothing.toDoubles()));
      note.measure(
          "root mean square of activations, 6 to 8 objects", Moments.rms(much.toDoubles()));
      RandomFilters.norms(seed, blank.getFirst().side())
          .forEach((name, norm) -> {
            note.alive();
            if (name.equals("no norm") || name.equals("batch norm")) {
              return; // no norm has no gain, and batch norm has that of its batch
            }
            try (var _ = Scope.open()) {
              Tensor y = norm.predict(nothing);
              boolean bare = name.equals("layer norm");
              note.measure(
                  name + ", gain on a blank image",
                  Moments.rms(y.toDoubles()) / Moments.rms(nothing.toDoubles()),
                  bare ? Bound.atLeast(10) : Bound.NONE);
              note.measure(name + ", gain of the noise", noise(y) / noise(nothing));
              note.curve(
                  "Gain of the noise",
                  "0: blank images, 1: 6 to 8 objects",
                  "gain",
                  Scale.LOG,
                  name,
                  new double[] {0, 1},
                  new double[] {
                    noise(y) / noise(nothing), noise(norm.predict(much)) / noise(much)
                  });
            }
          });
    }
  }

  /// Returns the root of the mean variance over the pixels of a channel of an image.
  private static double noise(Tensor a) {
    int channels = (int) a.shape().size(1);
    double sum = 0;
    double count = 0;
    for (double[] image : RandomFilters.perImage(a)) {
      int plane = image.length / channels;
      double[] channel = new double[plane];
      for (int c = 0; c < channels; c++) {
        System.arraycopy(image, c * plane, channel, 0, plane);
        sum += Moments.variance(channel);
        count++;
      }
    }
    return Math.sqrt(sum / count);
  }
}
