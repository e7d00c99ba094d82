package fathom.run;

import fathom.data.Data;
import fathom.task.Figures;
import fathom.task.mask.Masks;
import fathom.train.Metrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The wording of runs about the classes of pixels.
final class MaskWording implements Wording {
  private static final List<Measure> MEASURES =
      List.of(
          Measure.percent(Masks.F, "F", true, true),
          Measure.percent(Masks.PRECISION, "precision", false, true),
          Measure.percent(Masks.RECALL, "recall", false, true),
          Measure.percent(Masks.IOU, "intersection over union", true, true),
          Measure.percent(Masks.ERROR, "wrong pixels", true),
          Measure.loss());

  private static final ImageWording IMAGES = new ImageWording();

  @Override
  public String examples() {
    return IMAGES.examples();
  }

  @Override
  public String rows() {
    return IMAGES.rows();
  }

  @Override
  public List<Measure> measures() {
    return MEASURES;
  }

  @Override
  public String measuredOn(Recipe recipe) {
    return IMAGES.measuredOn(recipe);
  }

  @Override
  public String amount(Recipe recipe, Data data) {
    return IMAGES.amount(recipe, data);
  }

  @Override
  public String batches(Recipe recipe) {
    return IMAGES.batches(recipe);
  }

  @Override
  public String preprocessing(Preprocessing how) {
    return "channels normalised; squares of %s×%s out of the images, mirrored every other time"
        .formatted(how.size(), how.size());
  }

  @Override
  public String fitted(Recipe usual, Recipe fits, Data data) {
    return IMAGES.fitted(usual, fits, data);
  }

  @Override
  public String epoch(Metrics.Epoch epoch) {
    return String.format(
        Locale.ROOT,
        "train loss %.4f wrong %5.2f %%   %s loss %.4f wrong %5.2f %% IoU %5.2f %% F %5.2f %%  "
            + " %6.1f images/s",
        epoch.trainLoss(),
        epoch.trainError(),
        epoch.measuredOn(),
        epoch.testLoss(),
        epoch.testError(),
        in(epoch.test(), Masks.IOU),
        in(epoch.test(), Masks.F),
        epoch.examplesPerSecond());
  }

  private static double in(Map<String, Double> values, String name) {
    return values.getOrDefault(name, Double.NaN);
  }

  @Override
  public String soFar(double loss, double error) {
    return String.format(Locale.ROOT, "loss %.4f  wrong pixels %.1f %%", loss, error);
  }

  @Override
  public String result(Figures test, Figures training) {
    return String.format(
        Locale.ROOT,
        "F %.2f %% (precision %.2f %%, recall %.2f %%), intersection over union %.2f %%, wrong"
            + " pixels %.2f %% on %d test images; F %.2f %% in training",
        test.get(Masks.F),
        test.get(Masks.PRECISION),
        test.get(Masks.RECALL),
        test.get(Masks.IOU),
        test.get(Masks.ERROR),
        test.count(),
        training.get(Masks.F));
  }

  @Override
  public SequencedMap<String, @Nullable Object> answer(
      @Nullable Figures test, @Nullable Figures training, double examplesPerSecond) {
    var answer = new LinkedHashMap<String, @Nullable Object>();
    answer.put("measuredOn", Metrics.Split.TEST);
    answer.put("count", test == null ? null : test.count());
    for (Measure measure : MEASURES) {
      answer.put(measure.name(), test == null ? null : measure.in(test.values()));
    }
    answer.put("imagesPerSecond", examplesPerSecond);
    answer.put("trainF", training == null ? null : training.get(Masks.F));
    return answer;
  }

  @Override
  public String tested() {
    return "All images whole, through predict, by the last weights; precision and recall count a"
        + " pixel as met within %s pixels".formatted(Masks.TOLERANCE);
  }

  @Override
  public String learning(Recipe recipe) {
    return "Training: over the epoch, before each step, of squares out of the images. Measured: at"
        + " the epoch's end, of the whole %s images.".formatted(measuredOn(recipe));
  }

  @Override
  public String lead(String model, Metrics.Final end, String epochs) {
    return String.format(
        Locale.ROOT,
        "%s reaches an F of %.2f %% and a mean intersection over union of %.2f %% on the test"
            + " images, after %s.",
        model,
        in(end.test(), Masks.F),
        in(end.test(), Masks.IOU),
        epochs);
  }

  @Override
  public String standing(Metrics.Epoch last) {
    return String.format(
        Locale.ROOT,
        "an F of %.2f %% on the %s images",
        in(last.test(), Masks.F),
        last.measuredOn());
  }
}
