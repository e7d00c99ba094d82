package fathom.run;

import fathom.data.Data;
import fathom.data.DataSet;
import fathom.data.Photos;
import fathom.data.Pictures;
import fathom.data.Streams;
import fathom.data.Text;
import fathom.net.Architecture;
import fathom.net.CharacterNet;
import fathom.net.CifarNet;
import fathom.net.Mlp;
import fathom.net.PhotoNet;
import fathom.net.RowNet;
import fathom.optim.Schedule;
import fathom.train.Metrics;
import fathom.train.Plan;
import fathom.train.Precision;
import fathom.train.Recording;
import java.util.List;
import java.util.function.Consumer;

/// Everything that decides a training, resolved: what a run remembers.
///
/// @param model the name, `resnet20` or `ln-lstm`
/// @param options of the model: all that it has
/// @param data the data as the user named it
/// @param batch the pictures of a batch, or the streams of a text, over all workers
/// @param window the characters that every stream reads in a step; 0 for pictures
/// @param preparation what is done to pictures
/// @param shardStatistics whether batch norm's statistics are those of each worker's share
/// @param recompute how many blocks of a stage are computed again at a time on the way back, to
///   save memory; 0 for none. It changes no result
/// @param precision in which values go from layer to layer
/// @param validation how many pictures judge the epochs, so that the test pictures are seen at the
///   end alone: those that the data has for it, or else so many that are kept from training; 0 for
///   none
public record Recipe(
    String model,
    Architecture.Options options,
    String data,
    int epochs,
    int batch,
    int window,
    Descent descent,
    Preparation preparation,
    long seed,
    int workers,
    boolean shardStatistics,
    int recompute,
    Precision precision,
    int validation,
    Recording recording) {

  /// From this depth on the residual paper warms up (section 4.2).
  private static final int WARM_UP_DEPTH = 110;

  private static final long PAPER_STEPS = 64_000;

  private static final List<Double> FAST = List.of(0.6, 0.85);
  private static final double RATE = 0.1;

  /// In a batch.
  private static final int PHOTOGRAPHS = 32;

  /// Without pictures for validation, and without recording more than the learning curves.
  public Recipe(
      String model,
      Architecture.Options options,
      String data,
      int epochs,
      int batch,
      int window,
      Descent descent,
      Preparation preparation,
      long seed,
      int workers,
      boolean shardStatistics,
      int recompute,
      Precision precision) {
    this(
        model,
        options,
        data,
        epochs,
        batch,
        window,
        descent,
        preparation,
        seed,
        workers,
        shardStatistics,
        recompute,
        precision,
        0,
        Recording.NONE);
  }

  /// Throws `IllegalArgumentException` unless all of it can be trained, and the options are all
  /// that the model has.
  public Recipe {
    checkCount("epochs", epochs);
    checkCount("batch", batch);
    checkCount("workers", workers);
    if (window < 0) {
      throw new IllegalArgumentException("a window has at least one character, not " + window);
    }
    Architecture net = architecture(model, options, window);
    if (recompute < 0) {
      throw new IllegalArgumentException(
          "--recompute is a number of blocks, or 0 to compute none again, but is " + recompute);
    }
    if (recompute > 0 && !(net instanceof Architecture.Convolutional)) {
      throw new IllegalArgumentException(
          "--recompute is for the blocks of resnetN and plainN, and %s has none; leave it out"
              .formatted(model));
    }
    if (precision != Precision.FP32 && !(net instanceof Architecture.Convolutional)) {
      throw new IllegalArgumentException(
          "--precision bf16 is for resnetN and plainN, but the model is %s; leave it out"
              .formatted(model));
    }
    if (validation < 0 || (validation > 0 && window > 0)) {
      throw new IllegalArgumentException(
          "--val keeps 0 or more training pictures from training, and a text holds out a part of its own, but for %s it is %s"
              .formatted(model, validation));
    }
    if (window > 0 && recording.watch().contains(Recording.Quantity.RESPONSES)) {
      throw new IllegalArgumentException(
          "--watch responses is for nets that learn pictures, but %s learns text; leave it out"
              .formatted(model));
    }
    Architecture.Options resolved = net.options();
    if (!resolved.equals(options)) {
      throw new IllegalArgumentException(
          "a recipe has all options of its model, %s, but these are %s"
              .formatted(resolved, options));
    }
  }

  private static void checkCount(String name, int count) {
    if (count < 1) {
      throw new IllegalArgumentException("--%s is at least 1, but is %s".formatted(name, count));
    }
  }

  /// The residual paper's recipe for CIFAR-10: rate 0.1 divided by ten at a half and three quarters
  /// of 64,000 steps of 128, per-pixel mean, pad-and-crop and flip. Throws
  /// `IllegalArgumentException` for another net than that paper's.
  ///
  /// Batches are as large for data that has fewer images: see [#withBatchFor].
  public static Recipe paper(Architecture net, Data data, long seed, int workers) {
    if (!(net instanceof CifarNet convolutional) || !(data instanceof DataSet pictures)) {
      throw new IllegalArgumentException(
          "the recipe of the paper is that of its nets for CIFAR-10, resnetN and plainN for N = 6n+2, but the model is %s; leave out --recipe"
              .formatted(net.name()));
    }
    int epochs = (int) Math.ceilDiv(PAPER_STEPS, Math.ceilDiv(pictures.train().count(), 128));
    return convolutional(
        convolutional,
        pictures,
        epochs,
        128,
        Descent.sgd(RATE, List.of(0.5, 0.75)),
        true,
        seed,
        workers);
  }

  /// Short, for two cores.
  ///
  /// Plain and residual nets: 20 epochs of batches of 64 for fewer than 10,000 pictures, 10 of 128
  /// for more; SGD at 0.1, divided by ten at 60 % and 85 %; channels normalised. Of photographs,
  /// which are larger, batches of 32, at the rate of 0.1 for 256 in proportion. Other nets for
  /// pictures: as many epochs of batches of 128, Adam at 0.001, pictures as they are. Nets for
  /// text: 5 epochs of 32 streams in windows of 100, gradients clipped to a norm of 1, Adam at
  /// 0.002, or 0.001 for the plain RNN and the transformer.
  ///
  /// Batches and windows are as large for data that has less: see [#withBatchFor] and
  /// [#withWindowFor].
  public static Recipe fast(Architecture net, Data data, long seed, int workers) {
    return switch (net) {
      case Architecture.Convolutional convolutional -> {
        DataSet pictures = pictures(net, data);
        boolean small = small(pictures);
        boolean photographs = pictures.train() instanceof Photos;
        int batch = photographs ? PHOTOGRAPHS : small ? 64 : 128;
        double rate = photographs ? RATE * PHOTOGRAPHS / 256 : RATE;
        yield convolutional(
            convolutional,
            pictures,
            small ? 20 : 10,
            batch,
            Descent.sgd(rate, FAST),
            false,
            seed,
            workers);
      }
      case Mlp _ -> dense(net, pictures(net, data), Descent.adam(1e-3, FAST), seed, workers);
      case RowNet _ ->
          dense(net, pictures(net, data), Descent.adam(1e-3, FAST).withClip(1), seed, workers);
      case CharacterNet _ -> {
        boolean slow = List.of("rnn", "transformer").contains(net.name());
        yield new Recipe(
            net.name(),
            net.options(),
            data.name(),
            5,
            32,
            100,
            Descent.adam(slow ? 1e-3 : 2e-3, List.of()).withClip(1),
            Preparation.PLAIN,
            seed,
            workers,
            false,
            0,
            Precision.FP32);
      }
      default ->
          throw new IllegalArgumentException("there is no recipe for %s".formatted(net.name()));
    };
  }

  private static DataSet pictures(Architecture net, Data data) {
    if (data instanceof DataSet pictures) {
      return pictures;
    }
    throw new IllegalArgumentException(
        "%s learns pictures, but %s is a text".formatted(net.name(), data.name()));
  }

  private static boolean small(DataSet pictures) {
    return pictures.train().count() < 10_000;
  }

  private static Recipe dense(
      Architecture net, DataSet data, Descent descent, long seed, int workers) {
    return new Recipe(
            net.name(),
            net.options(),
            data.name(),
            small(data) ? 20 : 10,
            128,
            0,
            descent,
            Preparation.plain(data.train()),
            seed,
            workers,
            false,
            0,
            Precision.FP32)
        .withValidation(judges(data));
  }

  private static int judges(DataSet data) {
    Pictures validation = data.validation();
    return validation == null ? 0 : validation.count();
  }

  /// Pictures in colour are cropped and flipped, those in grey, where a flip may change the class,
  /// stay as they are.
  private static Recipe convolutional(
      Architecture.Convolutional net,
      DataSet data,
      int epochs,
      int batch,
      Descent descent,
      boolean pixelMean,
      long seed,
      int workers) {
    boolean colour = data.train().channels() == 3;
    Preparation preparation =
        data.train() instanceof Photos
            ? Preparation.photographs(data.train().width(), colour)
            : new Preparation(colour ? 4 : 0, colour, pixelMean);
    boolean deep = net instanceof CifarNet && net.depth() >= WARM_UP_DEPTH;
    return new Recipe(
            net.name(),
            net.options(),
            data.name(),
            epochs,
            batch,
            0,
            descent.withWarmUp(deep ? Schedule.WARM_UP_STEPS : 0),
            preparation,
            seed,
            workers,
            false,
            0,
            Precision.FP32)
        .withValidation(judges(data));
  }

  /// The size to which this net wants photographs decoded: that for which it was made, or 0 if it
  /// is none for photographs.
  public static int usualSize(Architecture net) {
    return net instanceof PhotoNet photo ? photo.input().height() : 0;
  }

  /// How its training goes.
  Plan plan() {
    return new Plan(
        descent.optimization(), descent.schedule(), descent.clip(), epochs, batch, seed, workers);
  }

  /// Whether it is a text that is learned.
  public boolean isText() {
    return window > 0;
  }

  /// Which images the epochs of a training are measured on.
  public Metrics.Split measuredOn() {
    return validation > 0 ? Metrics.Split.VALIDATION : Metrics.Split.TEST;
  }

  public Architecture architecture() {
    return architecture(model, options, window);
  }

  private static Architecture architecture(String model, Architecture.Options options, int window) {
    return window > 0 ? Architecture.text(model, options) : Architecture.pictures(model, options);
  }

  /// Throws `IllegalArgumentException` if there is less data than one step needs, or if a norm of
  /// the net would be over a single value in some batch of an epoch.
  public void check(Data of) {
    Amounts.check(this, of);
  }

  /// With batches that this data has: the same, or smaller ones where there are fewer images to
  /// train with, or fewer streams with a whole window.
  public Recipe withBatchFor(Data data) {
    return withBatch(Amounts.batch(this, data));
  }

  /// With windows that the streams of this text have: the same, or shorter ones.
  public Recipe withWindowFor(Text text) {
    return withWindow(Amounts.window(this, text));
  }

  /// The steps of an epoch with this data.
  long batches(Data of) {
    return switch (of) {
      case DataSet pictures ->
          Math.ceilDiv(
              pictures.train().count() - (pictures.validation() == null ? validation : 0), batch);
      case Text text -> new Streams(text.train(), batch, window).windows();
    };
  }

  /// With the data under another name.
  Recipe withData(String data) {
    return with(draft -> draft.data = data);
  }

  public Recipe withEpochs(int epochs) {
    return with(draft -> draft.epochs = epochs);
  }

  public Recipe withBatch(int batch) {
    return with(draft -> draft.batch = batch);
  }

  /// Throws `IllegalArgumentException` where pictures are learned.
  public Recipe withWindow(int window) {
    if (!isText() || window < 1) {
      throw new IllegalArgumentException(
          isText()
              ? "a window has at least one character, not " + window
              : "--window is for text, but %s learns pictures".formatted(model));
    }
    return with(draft -> draft.window = window);
  }

  public Recipe withRate(double rate) {
    return withDescent(descent.withRate(rate));
  }

  /// By this optimizer; if it is another one, at its usual rate.
  public Recipe withOptimizer(Descent.Method method) {
    return method == descent.optimizer() ? this : withDescent(descent.by(method));
  }

  public Recipe withClip(double clip) {
    return withDescent(descent.withClip(clip));
  }

  /// Throws `IllegalArgumentException` for an optimizer that has no weight decay.
  public Recipe withWeightDecay(double weightDecay) {
    return withDescent(descent.withWeightDecay(weightDecay));
  }

  /// With the rate on another curve.
  public Recipe withCurve(Descent.Curve curve) {
    return withDescent(descent.withCurve(curve));
  }

  /// With so much of every label given to all classes alike.
  public Recipe withSmoothing(double smoothing) {
    return withDescent(descent.withSmoothing(smoothing));
  }

  private Recipe withDescent(Descent descent) {
    return with(draft -> draft.descent = descent);
  }

  public Recipe withWorkers(int workers) {
    return with(draft -> draft.workers = workers);
  }

  public Recipe withShardStatistics(boolean shardStatistics) {
    return with(draft -> draft.shardStatistics = shardStatistics);
  }

  /// With so many blocks computed again at a time; 0 for none.
  public Recipe withRecompute(int recompute) {
    return with(draft -> draft.recompute = recompute);
  }

  /// Throws `IllegalArgumentException` for bfloat16 and a net without convolutions.
  public Recipe withPrecision(Precision precision) {
    return with(draft -> draft.precision = precision);
  }

  /// With so many training pictures kept from training.
  public Recipe withValidation(int validation) {
    return with(draft -> draft.validation = validation);
  }

  /// Throws `IllegalArgumentException` for responses where text is learned.
  public Recipe withRecording(Recording recording) {
    return with(draft -> draft.recording = recording);
  }

  /// By another net with the same options.
  Recipe withModel(String model) {
    return with(draft -> draft.model = model);
  }

  private Recipe with(Consumer<Draft> change) {
    var draft = new Draft(this);
    change.accept(draft);
    return draft.recipe();
  }

  /// A recipe of which something is being changed.
  private static final class Draft {
    private final Recipe from;
    private String model;
    private String data;
    private int epochs;
    private int batch;
    private int window;
    private Descent descent;
    private int workers;
    private boolean shardStatistics;
    private int recompute;
    private Precision precision;
    private int validation;
    private Recording recording;

    Draft(Recipe from) {
      this.from = from;
      this.model = from.model;
      this.data = from.data;
      this.epochs = from.epochs;
      this.batch = from.batch;
      this.window = from.window;
      this.descent = from.descent;
      this.workers = from.workers;
      this.shardStatistics = from.shardStatistics;
      this.recompute = from.recompute;
      this.precision = from.precision;
      this.validation = from.validation;
      this.recording = from.recording;
    }

    Recipe recipe() {
      return new Recipe(
          model,
          from.options,
          data,
          epochs,
          batch,
          window,
          descent,
          from.preparation,
          from.seed,
          workers,
          shardStatistics,
          recompute,
          precision,
          validation,
          recording);
    }
  }
}
