package fathom.run;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Photos;
import fathom.task.Evaluation;
import fathom.task.Figures;
import fathom.train.Metrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The wording of runs about the classes of images.
final class ImageWording implements Wording {
  private static final List<Measure> MEASURES =
      List.of(Measure.percent(Metrics.ERROR, "error", true), Measure.loss());

  @Override
  public String examples() {
    return "images";
  }

  @Override
  public String rows() {
    return "images";
  }

  @Override
  public List<Measure> measures() {
    return MEASURES;
  }

  @Override
  public String measuredOn(Recipe recipe) {
    return recipe.measuredOn().toString();
  }

  @Override
  public String amount(Recipe recipe, Data data) {
    return "%s images %s".formatted(Kind.of(data).amounts(recipe, data).train(), batches(recipe));
  }

  @Override
  public String batches(Recipe recipe) {
    return "in batches of " + recipe.batch();
  }

  @Override
  public String preprocessing(Preprocessing p) {
    return "%s; %s%s"
        .formatted(
            p.pixelMean() ? "mean of each pixel subtracted" : "channels normalised",
            p.size() > 0
                ? "photos from their files at %s×%s, %s"
                    .formatted(
                        p.size(),
                        p.size(),
                        p.part()
                            ? (p.variation().scale()
                                    ? "crops after scaling the shorter side to %s to %s"
                                        .formatted(
                                            Photos.shortest(p.size()), Photos.longest(p.size()))
                                    : "random parts")
                                + (p.flip() ? ", flipped" : "")
                            : "the centre")
                : p.crop() == 0 && !p.flip()
                    ? "as they are"
                    : "cropped from a border of %s%s"
                        .formatted(p.crop(), p.flip() ? ", flipped" : ""),
            p.variation().toString().isEmpty() ? "" : "; " + p.variation());
  }

  @Override
  public String fitted(Recipe usual, Recipe fits, Data data) {
    long trained = Kind.of(data).amounts(fits, data).train();
    return "there are %s images to train with: batches of %s, not %s%s"
        .formatted(
            trained,
            fits.batch(),
            usual.batch(),
            data instanceof DataSet && fits.batch() < trained
                ? ", so that batch norm has no image alone"
                : "");
  }

  @Override
  public String epoch(Metrics.Epoch epoch) {
    return String.format(
        Locale.ROOT,
        "train loss %.4f error %5.2f %%   %s loss %.4f error %5.2f %%   %6.0f images/s",
        epoch.trainLoss(),
        epoch.trainError(),
        epoch.measuredOn(),
        epoch.testLoss(),
        epoch.testError(),
        epoch.examplesPerSecond());
  }

  @Override
  public String soFar(double loss, double error) {
    return String.format(Locale.ROOT, "loss %.4f  error %.1f %%", loss, error);
  }

  @Override
  public String result(Figures test, Figures training) {
    Evaluation of = Evaluation.of(test);
    return String.format(
        Locale.ROOT,
        "test error %.2f %% (%d of %d), cross-entropy %.4f; training error %.2f %%",
        of.error(),
        of.errors(),
        of.count(),
        of.crossEntropy(),
        training.get(Metrics.ERROR));
  }

  @Override
  public SequencedMap<String, @Nullable Object> answer(
      @Nullable Figures test, @Nullable Figures training, double examplesPerSecond) {
    var answer = new LinkedHashMap<String, @Nullable Object>();
    answer.put("measuredOn", Metrics.Split.TEST);
    answer.put("count", test == null ? null : test.count());
    answer.put("error", test == null ? null : test.get(Metrics.ERROR));
    answer.put("crossEntropy", test == null ? null : test.loss());
    answer.put("imagesPerSecond", examplesPerSecond);
    answer.put("trainError", training == null ? null : training.get(Metrics.ERROR));
    return answer;
  }

  @Override
  public String tested() {
    return "All images, as they are, through predict, by the last weights";
  }

  @Override
  public String learning(Recipe recipe) {
    String measured = measuredOn(recipe);
    boolean mixed = !recipe.preprocessing().variation().mixing().isNone();
    return "Training: over the epoch, before each step, of images varied as in training%s. %s: at the epoch's end, of the %s images%s."
        .formatted(
            mixed
                ? ", where the loss is that of both labels of a mixed image, and an error is one against the label with the larger share"
                : "",
            measured.substring(0, 1).toUpperCase(Locale.ROOT) + measured.substring(1),
            measured,
            recipe.optimization().ema() > 0 ? ", by the averaged weights" : "");
  }

  @Override
  public String lead(String model, Metrics.Final end, String epochs) {
    return String.format(
        Locale.ROOT,
        "%s makes %.2f %% errors on the test images and %.2f %% on those it was trained with, after"
            + " %s.",
        model,
        end.testError(),
        end.trainError(),
        epochs);
  }

  @Override
  public String standing(Metrics.Epoch last) {
    return String.format(
        Locale.ROOT, "%.2f %% errors on the %s images", last.testError(), last.measuredOn());
  }
}
