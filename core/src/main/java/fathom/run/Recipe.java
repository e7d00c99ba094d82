package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.data.Data;
import fathom.net.Architecture;
import fathom.train.Metrics;
import fathom.train.Plan;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// All decisions of a training, with no default left open: what a run stores in `run.json`. Each
/// part validates itself; the [Kind] of the run checks them together.
///
/// @param model the name of the net, such as `resnet20` or `ln-lstm`
/// @param options the options of the model, all that it has
/// @param data the data as the user named it
/// @param sampling the order and the sizes in which the data is used
/// @param optimization how gradients change the weights
/// @param preprocessing the preprocessing of images
/// @param seed the seed of every random key
/// @param execution how the training is computed
/// @param recording what is recorded besides the learning curves
/// @param fineTuning the weights with which the training begins, if they are not random
/// @param published the published recipe by whose name the run was made; where the run deviates
///   from it is for [PublishedRecipe#differences(Run)] to say
public record Recipe(
    String model,
    Architecture.Options options,
    String data,
    @JsonUnwrapped Sampling sampling,
    @JsonProperty("descent") Optimization optimization,
    @JsonProperty("preparation") Preprocessing preprocessing,
    long seed,
    @JsonUnwrapped Execution execution,
    Recording recording,
    @JsonProperty("finetuning") FineTuning fineTuning,
    @JsonProperty("recipe") PublishedRecipe published) {

  /// The epochs for which the learning rate of [#finetune] warms up.
  public static final double FINETUNE_WARM_UP = 1;

  /// Throws `IllegalArgumentException` unless all parts can be trained together and the options are
  /// exactly those that the model has.
  public Recipe {
    Kind kind = Kind.of(model, sampling.window());
    Architecture net = kind.architecture(model, options);
    if (!net.options().equals(options)) {
      throw new IllegalArgumentException(
          "a recipe has all options of its model, %s, but these are %s"
              .formatted(net.options(), options));
    }
    kind.check(net, sampling, optimization, preprocessing, execution, recording);
    boolean judges = sampling.window() > 0 || sampling.validation() > 0;
    if (optimization.learningRate().curve() == Optimization.Curve.PLATEAU && !judges) {
      throw new IllegalArgumentException(
          "a learning rate on a plateau is divided by what validation examples say, but there are 0, and the test examples must not decide; give `validation` some");
    }
    if (fineTuning.isGiven() && !kind.finetunes()) {
      throw new IllegalArgumentException(
          "weights are fine-tuned on the classes of images, but %s learns %s"
              .formatted(model, kind.name()));
    }
  }

  /// Makes a recipe without a published name.
  public Recipe(
      String model,
      Architecture.Options options,
      String data,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      long seed,
      Execution execution,
      Recording recording,
      FineTuning fineTuning) {
    this(
        model,
        options,
        data,
        sampling,
        optimization,
        preprocessing,
        seed,
        execution,
        recording,
        fineTuning,
        PublishedRecipe.NONE);
  }

  /// A recipe for this net with the usual execution, which records only the learning curves.
  static Recipe of(
      Architecture net,
      String data,
      Sampling sampling,
      Optimization optimization,
      Preprocessing preprocessing,
      long seed,
      int workers) {
    return new Recipe(
        net.name(),
        net.options(),
        data,
        sampling,
        optimization,
        preprocessing,
        seed,
        Execution.on(workers),
        Recording.NONE,
        FineTuning.NONE);
  }

  /// Returns the recipe of a short training on two cores.
  ///
  /// - Plain and residual nets are trained for 20 epochs with batches of 64 on fewer than 10,000
  ///   images, and for 10 epochs with batches of 128 on more. They use SGD at a learning rate of
  ///   0.1, divided by ten at 60 % and 85 % of the steps, and normalized channels. Photos, which
  ///   are larger, come in batches of 32, at a learning rate of 0.1·32/256.
  /// - Other nets for images are trained for as many epochs with batches of 128, by Adam at 0.001,
  ///   on images without augmentation.
  /// - Nets for masks are trained for 30 epochs with batches of 8, by Adam at 0.001.
  /// - Nets for text are trained for 5 epochs with 32 streams in windows of 100 characters, by Adam
  ///   at 0.002 (0.001 for the plain RNN and the transformer). Their gradients are clipped to a
  ///   norm of 1.
  ///
  /// Batch and window are the same for less data: see [Kind#fitted]. Throws
  /// `IllegalArgumentException` if the net does not learn such data.
  public static Recipe usual(Architecture net, Data data, long seed, int workers) {
    return Kind.of(data).usual(net, data, seed, workers);
  }

  /// Returns the recipe of a short training that begins with trained weights: 10 epochs on fewer
  /// than 10,000 images, and 5 on more, by SGD at a learning rate that warms up for an epoch and
  /// then falls to 0 along a cosine: 0.1 for batches of 256 if the classifier is new, and a tenth
  /// of it if it is kept. Fewer than 10,000 images come in batches of 32, and fewer than 500, if
  /// the classifier is new, in batches of 16 at the learning rate of 32, because it then needs
  /// steps more than precise gradients; with so few such a classifier begins fitted, see
  /// [FineTuning#fittingHead]. Preprocessing and augmentation are those of [#usual]. Throws
  /// `IllegalArgumentException` if the net does not learn the classes of images.
  ///
  /// @param from the weights; see [FineTuning#of]
  public static Recipe finetune(
      Architecture net, Data data, FineTuning from, long seed, int workers) {
    return ImageRuns.finetune(net, data, from, seed, workers);
  }

  /// The settings of the training.
  Plan plan() {
    return new Plan(
        optimization.optimizer(),
        optimization.schedule(),
        optimization.clip(),
        epochs(),
        batch(),
        seed,
        workers(),
        fineTuning.tuning(),
        sampling.earlyStop(),
        optimization.ema());
  }

  /// Returns the kind of such runs.
  public Kind kind() {
    return Kind.of(model, window());
  }

  /// Returns the part of the data on which the epochs of a training are measured.
  public Metrics.Split measuredOn() {
    return validation() > 0 ? Metrics.Split.VALIDATION : Metrics.Split.TEST;
  }

  /// Returns the net of the recipe, with its options.
  public Architecture architecture() {
    return kind().architecture(model, options);
  }

  /// Returns the number of epochs.
  public int epochs() {
    return sampling.epochs();
  }

  /// Returns the number of images of a batch, or of streams of a text, over all workers.
  public int batch() {
    return sampling.batch();
  }

  /// Returns the number of characters that every stream of a text reads in a step; 0 for other
  /// data.
  public int window() {
    return sampling.window();
  }

  /// Returns the number of validation images; 0 if the test data is used to compare epochs.
  public int validation() {
    return sampling.validation();
  }

  /// Returns the number of threads among which every batch is divided.
  public int workers() {
    return execution.workers();
  }

  /// Returns the number of blocks that the backward pass recomputes at a time; 0 for none.
  public int recompute() {
    return execution.recompute();
  }

  /// Returns the type of the activations between the layers.
  public Precision precision() {
    return execution.precision();
  }

  /// Throws `IllegalArgumentException` if there is less data than one step needs, or if a norm of
  /// the net would be over a single element in some batch of an epoch.
  public void check(Data of) {
    kind().check(this, of);
  }

  /// Returns this recipe with a smaller batch and window if there is less data than a step needs;
  /// see [Kind#fitted].
  public Recipe fitted(Data to, boolean batch, boolean window) {
    return kind().fitted(this, to, batch, window);
  }

  /// The recipe with the data under another name.
  Recipe withData(String data) {
    return changed(copy -> copy.data = data);
  }

  /// The recipe for another net with the same options.
  Recipe withModel(String model) {
    return changed(copy -> copy.model = model);
  }

  /// Returns this recipe with another sampling.
  public Recipe with(Sampling sampling) {
    return changed(copy -> copy.sampling = sampling);
  }

  /// Returns this recipe with another optimization.
  public Recipe with(Optimization optimization) {
    return changed(copy -> copy.optimization = optimization);
  }

  /// Returns this recipe with another preprocessing.
  public Recipe with(Preprocessing preprocessing) {
    return changed(copy -> copy.preprocessing = preprocessing);
  }

  /// Returns this recipe with another execution.
  public Recipe with(Execution execution) {
    return changed(copy -> copy.execution = execution);
  }

  /// Returns this recipe with weights to begin with.
  public Recipe with(FineTuning fineTuning) {
    return changed(copy -> copy.fineTuning = fineTuning);
  }

  /// Returns this recipe under the name of a published one.
  Recipe with(PublishedRecipe published) {
    return changed(copy -> copy.published = published);
  }

  /// Returns this recipe with another recording.
  public Recipe with(Recording recording) {
    return changed(copy -> copy.recording = recording);
  }

  /// Returns this recipe with a changed optimization, such as another learning rate or optimizer.
  public Recipe optimized(UnaryOperator<Optimization> change) {
    return with(change.apply(optimization));
  }

  /// Returns this recipe with a warm-up at a tenth of the learning rate for this number of epochs,
  /// which may be a fraction, to the nearest step. Throws `IllegalArgumentException` for a negative
  /// number, and for a learning rate that warms up by itself.
  public Recipe warmedUp(double epochs, Data of) {
    Parts.check("warmUp", epochs, epochs >= 0 && epochs <= epochs(), "0 to all of the epochs");
    long steps = Math.round(epochs * kind().amounts(this, of).steps());
    return optimized(usual -> usual.withWarmUp(steps));
  }

  /// Returns this recipe with a changed execution, such as another number of workers.
  public Recipe executed(UnaryOperator<Execution> change) {
    return with(change.apply(execution));
  }

  /// Returns this recipe with another number of epochs.
  public Recipe withEpochs(int epochs) {
    return with(sampling.withEpochs(epochs));
  }

  /// Returns this recipe with another batch.
  public Recipe withBatch(int batch) {
    return with(sampling.withBatch(batch));
  }

  /// Returns this recipe with another window. Throws `IllegalArgumentException` if the run learns
  /// no text.
  public Recipe withWindow(int window) {
    return with(sampling.withWindow(window));
  }

  /// Returns this recipe with another number of validation images.
  public Recipe withValidation(int validation) {
    return with(sampling.withValidation(validation));
  }

  private Recipe changed(Consumer<Copy> change) {
    var copy = new Copy(this);
    change.accept(copy);
    return copy.recipe();
  }

  /// A recipe whose parts can still change, so that each method that changes one names it alone.
  private static final class Copy {
    private String model;
    private final Architecture.Options options;
    private String data;
    private Sampling sampling;
    private Optimization optimization;
    private Preprocessing preprocessing;
    private final long seed;
    private Execution execution;
    private Recording recording;
    private FineTuning fineTuning;
    private PublishedRecipe published;

    Copy(Recipe of) {
      this.model = of.model;
      this.options = of.options;
      this.data = of.data;
      this.sampling = of.sampling;
      this.optimization = of.optimization;
      this.preprocessing = of.preprocessing;
      this.seed = of.seed;
      this.execution = of.execution;
      this.recording = of.recording;
      this.fineTuning = of.fineTuning;
      this.published = of.published;
    }

    Recipe recipe() {
      return new Recipe(
          model,
          options,
          data,
          sampling,
          optimization,
          preprocessing,
          seed,
          execution,
          recording,
          fineTuning,
          published);
    }
  }
}
