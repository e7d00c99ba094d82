package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.data.Data;
import fathom.net.Architecture;
import fathom.train.Metrics;
import fathom.train.Plan;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.function.UnaryOperator;

/// Everything that decides a training, resolved: what a run remembers. Each part validates itself;
/// together they are checked by the [Kind] of the run.
///
/// @param model the name, `resnet20` or `ln-lstm`
/// @param options of the model: all that it has
/// @param data the data as the user named it
/// @param seed decides every draw
public record Recipe(
    String model,
    Architecture.Options options,
    String data,
    @JsonUnwrapped Sampling sampling,
    @JsonProperty("descent") Optimization optimization,
    @JsonProperty("preparation") Preprocessing preprocessing,
    long seed,
    @JsonUnwrapped Execution execution,
    Recording recording) {

  /// Throws `IllegalArgumentException` unless all of it can be trained together, and the options
  /// are all that the model has.
  public Recipe {
    Kind kind = Kind.of(model, sampling.window());
    Architecture net = kind.architecture(model, options);
    if (!net.options().equals(options)) {
      throw new IllegalArgumentException(
          "a recipe has all options of its model, %s, but these are %s"
              .formatted(net.options(), options));
    }
    kind.check(net, sampling, optimization, preprocessing, execution, recording);
  }

  /// Of this net, without recording more than the learning curves, computed as usual.
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
        Recording.NONE);
  }

  /// The residual paper's recipe for CIFAR-10: learning rate 0.1 divided by ten at a half and three
  /// quarters of 64,000 steps of 128, per-pixel mean, pad-and-crop and flip. Throws
  /// `IllegalArgumentException` for another net than that paper's.
  ///
  /// Batches are as large for data that has fewer images: see [Kind#fitted].
  public static Recipe paper(Architecture net, Data data, long seed, int workers) {
    return ImageRuns.paper(net, data, seed, workers);
  }

  /// Short, for two cores.
  ///
  /// Plain and residual nets: 20 epochs of batches of 64 for fewer than 10,000 images, 10 of 128
  /// for more; SGD at 0.1, divided by ten at 60 % and 85 %; channels normalised. Of photos, which
  /// are larger, batches of 32, at the learning rate of 0.1 for 256 in proportion. Other nets for
  /// images: as many epochs of batches of 128, Adam at 0.001, images as they are. Nets for masks:
  /// 30 epochs of batches of 8, Adam at 0.001. Nets for text: 5 epochs of 32 streams in windows of
  /// 100, gradients clipped to a norm of 1, Adam at 0.002, or 0.001 for the plain RNN and the
  /// transformer.
  ///
  /// Batches and windows are as large for data that has less: see [Kind#fitted].
  public static Recipe fast(Architecture net, Data data, long seed, int workers) {
    return Kind.of(data).fast(net, data, seed, workers);
  }

  /// How its training goes.
  Plan plan() {
    return new Plan(
        optimization.optimizer(),
        optimization.schedule(),
        optimization.clip(),
        epochs(),
        batch(),
        seed,
        workers());
  }

  /// What such runs are about.
  public Kind kind() {
    return Kind.of(model, window());
  }

  /// Which images the epochs of a training are measured on.
  public Metrics.Split measuredOn() {
    return validation() > 0 ? Metrics.Split.VALIDATION : Metrics.Split.TEST;
  }

  public Architecture architecture() {
    return kind().architecture(model, options);
  }

  public int epochs() {
    return sampling.epochs();
  }

  public int batch() {
    return sampling.batch();
  }

  public int window() {
    return sampling.window();
  }

  public int validation() {
    return sampling.validation();
  }

  public int workers() {
    return execution.workers();
  }

  public int recompute() {
    return execution.recompute();
  }

  public Precision precision() {
    return execution.precision();
  }

  /// Throws `IllegalArgumentException` if there is less data than one step needs, or if a norm of
  /// the net would be over a single value in some batch of an epoch.
  public void check(Data of) {
    kind().check(this, of);
  }

  /// With a smaller batch and window where the data has less than a step needs; see [Kind#fitted].
  public Recipe fitted(Data to, boolean batch, boolean window) {
    return kind().fitted(this, to, batch, window);
  }

  /// With the data under another name.
  Recipe withData(String data) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  /// By another net with the same options.
  Recipe withModel(String model) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  public Recipe with(Sampling sampling) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  public Recipe with(Optimization optimization) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  public Recipe with(Preprocessing preprocessing) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  public Recipe with(Execution execution) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  public Recipe with(Recording recording) {
    return new Recipe(
        model, options, data, sampling, optimization, preprocessing, seed, execution, recording);
  }

  /// With another learning rate, clipping, optimizer and so on.
  public Recipe optimized(UnaryOperator<Optimization> change) {
    return with(change.apply(optimization));
  }

  /// Computed otherwise.
  public Recipe executed(UnaryOperator<Execution> change) {
    return with(change.apply(execution));
  }

  public Recipe withEpochs(int epochs) {
    return with(sampling.withEpochs(epochs));
  }

  public Recipe withBatch(int batch) {
    return with(sampling.withBatch(batch));
  }

  /// Throws `IllegalArgumentException` where no text is learned.
  public Recipe withWindow(int window) {
    return with(sampling.withWindow(window));
  }

  public Recipe withValidation(int validation) {
    return with(sampling.withValidation(validation));
  }
}
