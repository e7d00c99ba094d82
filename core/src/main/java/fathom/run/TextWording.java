package fathom.run;

import fathom.data.Data;
import fathom.data.Text;
import fathom.task.Evaluation;
import fathom.task.Figures;
import fathom.train.Metrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The wording of runs about the characters of a text.
final class TextWording implements Wording {
  private static final List<Measure> MEASURES =
      List.of(
          new Measure(
              "bitsPerCharacter",
              "bits per character",
              "bits per character",
              3,
              false,
              true,
              false,
              values -> bits(Measure.named(Figures.LOSS).applyAsDouble(values))),
          new Measure(
              "perplexity",
              "perplexity",
              "perplexity",
              2,
              false,
              false,
              false,
              values -> Math.exp(Measure.named(Figures.LOSS).applyAsDouble(values))),
          Measure.percent(Metrics.ERROR, "error", true));

  @Override
  public String examples() {
    return "characters";
  }

  @Override
  public String rows() {
    return "streams";
  }

  @Override
  public List<Measure> measures() {
    return MEASURES;
  }

  @Override
  public String measuredOn(Recipe recipe) {
    return "held out";
  }

  @Override
  public String amount(Recipe recipe, Data data) {
    return "%s characters as %s in windows of %s"
        .formatted(Kind.of(data).amounts(recipe, data).train(), streams(recipe), recipe.window());
  }

  @Override
  public String batches(Recipe recipe) {
    return "of %s in windows of %s characters".formatted(streams(recipe), recipe.window());
  }

  private static String streams(Recipe recipe) {
    return recipe.batch() == 1 ? "1 stream" : recipe.batch() + " streams";
  }

  @Override
  public String preprocessing(Preprocessing how) {
    return "";
  }

  @Override
  public String fitted(Recipe usual, Recipe fits, Data data) {
    int characters = data instanceof Text text ? text.train().length : 0;
    return "there are %s characters to train with: %s in windows of %s, not %s in windows of %s"
        .formatted(characters, streams(fits), fits.window(), usual.batch(), usual.window());
  }

  @Override
  public String epoch(Metrics.Epoch epoch) {
    return String.format(
        Locale.ROOT,
        "train %.3f bits per character   held out %.3f   %8.0f characters/s",
        bits(epoch.trainLoss()),
        bits(epoch.testLoss()),
        epoch.examplesPerSecond());
  }

  private static double bits(double nats) {
    return nats / Math.log(2);
  }

  @Override
  public String soFar(double loss, double error) {
    return String.format(Locale.ROOT, "%.3f bits per character", bits(loss));
  }

  @Override
  public String result(Figures test, Figures training) {
    Evaluation of = Evaluation.of(test);
    return String.format(
        Locale.ROOT,
        "%.3f bits per held-out character, perplexity %.2f, error %.2f %% (%d of %d); %.3f bits in"
            + " training",
        of.bitsPerCharacter(),
        of.perplexity(),
        of.error(),
        of.errors(),
        of.count(),
        bits(training.loss()));
  }

  @Override
  public SequencedMap<String, @Nullable Object> answer(
      @Nullable Figures test, @Nullable Figures training, double examplesPerSecond) {
    var answer = new LinkedHashMap<String, @Nullable Object>();
    answer.put("count", test == null ? null : test.count());
    answer.put("bitsPerCharacter", test == null ? null : bits(test.loss()));
    answer.put("perplexity", test == null ? null : Math.exp(test.loss()));
    answer.put("crossEntropy", test == null ? null : test.loss());
    answer.put("error", test == null ? null : test.get(Metrics.ERROR));
    answer.put("charactersPerSecond", examplesPerSecond);
    answer.put("trainBitsPerCharacter", training == null ? null : bits(training.loss()));
    return answer;
  }

  @Override
  public String tested() {
    return "All of the text that was held out, and as much of the beginning of the rest, through"
        + " predict";
  }

  @Override
  public String learning(Recipe recipe) {
    return "Training: over the epoch, before each step. Held out: the text that was held out, at"
        + " the epoch's end.";
  }

  @Override
  public String lead(String model, Metrics.Final end, String epochs) {
    return String.format(
        Locale.ROOT,
        "%s needs %.3f bits for a character of the text that was held out, and %.3f for one of the"
            + " text it was trained with, after %s.",
        model,
        bits(end.testLoss()),
        bits(end.trainLoss()),
        epochs);
  }

  @Override
  public String standing(Metrics.Epoch last) {
    return String.format(
        Locale.ROOT,
        "%.3f bits per character of the text that was held out",
        bits(last.testLoss()));
  }
}
