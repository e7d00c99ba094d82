package fathom.run;

import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.ImageReadOptions;
import fathom.data.Normalization;
import fathom.data.Streams;
import fathom.data.Text;
import fathom.data.Vocabulary;
import fathom.net.Architecture;
import fathom.net.LanguageModel;
import fathom.task.CharacterModel;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The kind of runs that learn the next character of a text.
final class TextRuns implements Kind {
  private static final int WINDOW = 100;

  /// Nets that do not learn at twice the learning rate.
  private static final List<String> SLOW = List.of("rnn", Architecture.TRANSFORMER);

  @Override
  public String name() {
    return "text";
  }

  @Override
  public boolean reads(String spec) {
    return spec.startsWith(Data.TEXT);
  }

  @Override
  public boolean learns(Data data) {
    return data instanceof Text;
  }

  @Override
  public boolean learns(String model, int window) {
    return window > 0;
  }

  @Override
  public Architecture.OfText architecture(String model, Architecture.Options options) {
    return Architecture.text(model, options);
  }

  @Override
  public ImageReadOptions reading(Architecture net, ImageReadOptions how, @Nullable Integer side) {
    return how;
  }

  @Override
  public boolean hasSize(Data read) {
    return false;
  }

  private static Text text(Data data) {
    if (data instanceof Text text) {
      return text;
    }
    throw new IllegalArgumentException("a text is needed, but %s is none".formatted(data.name()));
  }

  @Override
  public Recipe usual(Architecture net, Data data, long seed, int workers) {
    if (!(net instanceof Architecture.OfText)) {
      throw new IllegalArgumentException(
          "%s learns no text, but %s is one".formatted(net.name(), data.name()));
    }
    double learningRate = SLOW.contains(net.name()) ? 1e-3 : 2e-3;
    return Recipe.of(
        net,
        data.name(),
        new Sampling(5, 32, WINDOW, 0),
        Optimization.adam(learningRate, List.of()).withClip(1),
        Preprocessing.PLAIN,
        seed,
        workers);
  }

  @Override
  public void check(
      Architecture net,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      Execution execution,
      Recording recording) {
    preprocessing.variation().checkNone(net.name(), "text");
    if (sampling.validation() > 0) {
      throw new IllegalArgumentException(
          "`validation` keeps images from training, and a text holds out a part of its own, but for %s it is %s; leave it out"
              .formatted(net.name(), sampling.validation()));
    }
    Parts.checkForClasses(net.name(), sampling, optimization);
    if (recording.watch().contains(Recording.Quantity.RESPONSES)) {
      throw new IllegalArgumentException(
          "`watch` responses is for nets that learn images, but %s learns text; leave it out"
              .formatted(net.name()));
    }
    if (execution.recompute() > 0 || execution.precision() != Precision.FP32) {
      throw new IllegalArgumentException(
          "`recompute` and `precision` bf16 are for resnetN and plainN, but the model is %s; leave them out"
              .formatted(net.name()));
    }
  }

  @Override
  public void check(Recipe recipe, Data data) {
    Text text = text(data);
    SingleValues.checkHidden(recipe);
    long least = (long) recipe.batch() * (recipe.window() + 1);
    if (text.train().length < least) {
      throw new IllegalArgumentException(
          "%s streams with windows of %s need a training text of %s characters, but %s has %s; give a longer text, or a smaller `batch` or `window`"
              .formatted(recipe.batch(), recipe.window(), least, text.name(), text.train().length));
    }
  }

  /// First takes the most streams that still have a whole window, and then the largest window that
  /// these streams have.
  @Override
  public Recipe fitted(Recipe recipe, Data data, boolean batch, boolean window) {
    int length = text(data).train().length;
    Recipe fits = recipe;
    if (batch) {
      fits = fits.withBatch(Math.clamp(length / (fits.window() + 1L), 1, fits.batch()));
    }
    if (window) {
      fits = fits.withWindow(Math.clamp(length / (long) fits.batch() - 1, 1, fits.window()));
    }
    return fits;
  }

  @Override
  public Amounts amounts(Recipe recipe, Data data) {
    Text text = text(data);
    int train = text.train().length;
    int held = text.validation().length;
    return new Amounts(
        new Streams(text.train(), recipe.batch(), recipe.window()).windows(),
        train,
        held,
        Math.min(held, train));
  }

  @Override
  public Subject<LanguageModel> subject(
      Run run, Data data, Decoders decoders, @Nullable Normalization known) {
    Recipe recipe = run.recipe();
    return new Subject<>(
        run::textNet,
        new CharacterModel(text(data), recipe.window(), recipe.optimization().smoothing()));
  }

  @Override
  public void check(List<String> classes, List<Integer> input) {
    if (classes.isEmpty() || !input.isEmpty()) {
      throw new IllegalArgumentException(
          "a run about text has a vocabulary and no size of images, but has %s characters and %s"
              .formatted(classes.size(), input));
    }
    var _ = new Vocabulary(classes);
  }

  @Override
  public Text open(Run run, String spec, ImageReadOptions how) {
    return Text.open(spec, run.vocabulary());
  }

  @Override
  public Wording wording() {
    return new TextWording();
  }
}
