package fathom.task;

import fathom.DType;
import fathom.Layer;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.Augmentation;
import fathom.data.BalancedOrder;
import fathom.data.DataSet;
import fathom.data.Epochs;
import fathom.data.Images;
import fathom.data.LabelledImages;
import fathom.data.Loader;
import fathom.data.Mixing;
import fathom.data.Mixing.Mix;
import fathom.data.Normalization;
import fathom.data.Origin;
import fathom.data.Png;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The task to predict the classes of images, trained by the cross-entropy of their labels.
///
/// The training images decide the normalization, and a checkpoint stores it. The best epoch is the
/// one with the smallest error; among equal errors the smallest loss decides.
///
/// @param data the images, with validation images if there are any; see [DataSet#judgedBy]
/// @param normalization what is subtracted from images, and by what they are divided
/// @param augmentation the random variation of training images
/// @param precision the type of the images that go into the net in training
/// @param smoothing the share of every label that is spread evenly over all classes; see
///   [CrossEntropy]
/// @param balance what is done about classes of unequal size in training
/// @param mixing how training images and their labels are mixed; the loss is then that of both
///   labels, and an error is counted against the one with the larger share
public record ImageClassification(
    DataSet data,
    Normalization normalization,
    Augmentation augmentation,
    DType precision,
    double smoothing,
    ClassBalance balance,
    Mixing mixing)
    implements LayerTask {
  /// Throws `IllegalArgumentException` if another number of classes is weighted.
  public ImageClassification {
    balance.check(data.classes().size());
  }

  static final String ERROR = "error";

  /// The names of the normalization's mean and standard deviation in a checkpoint.
  public static final String MEAN = "input.mean";

  public static final String STANDARD_DEVIATION = "input.deviation";

  private static final int PROBE_IMAGES = 64;

  /// The most elements of the images of a probe, over all channels: 64 images of 64×64, or 5 of
  /// 224×224. The number is limited because the activations of all layers are in memory at the same
  /// time.
  private static final long PROBE_VALUES = 64L * 3 * 64 * 64;

  private static final int PREVIEW = 8;

  /// Makes a task that treats all classes alike and mixes nothing.
  public ImageClassification(
      DataSet data,
      Normalization normalization,
      Augmentation augmentation,
      DType precision,
      double smoothing) {
    this(data, normalization, augmentation, precision, smoothing, ClassBalance.NONE, Mixing.NONE);
  }

  /// Returns a task in float32 that brings each channel to mean 0 and standard deviation 1, without
  /// augmentation and without label smoothing.
  public static ImageClassification of(DataSet data) {
    return new ImageClassification(
        data, Normalization.perChannel(data.train()), Augmentation.NONE, DType.FLOAT32, 0);
  }

  /// Returns this task with another normalization.
  public ImageClassification normalizedBy(Normalization normalization) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  /// Returns this task with this augmentation of the training images.
  public ImageClassification augmentedBy(Augmentation augmentation) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  /// Returns this task with training activations of another type: bfloat16 or float32.
  public ImageClassification in(DType precision) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  /// Returns this task with label smoothing.
  public ImageClassification smoothedBy(double smoothing) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  /// Returns this task with another treatment of classes of unequal size. Throws
  /// `IllegalArgumentException` if it weights another number of classes.
  public ImageClassification balancedBy(ClassBalance balance) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  /// Returns this task with training images that are mixed.
  public ImageClassification mixedBy(Mixing mixing) {
    return new ImageClassification(
        data, normalization, augmentation, precision, smoothing, balance, mixing);
  }

  @Override
  public boolean better(Figures now, Figures before) {
    return now.get(ERROR) != before.get(ERROR)
        ? now.get(ERROR) < before.get(ERROR)
        : now.loss() < before.loss();
  }

  /// Opens a session, which begins at once to decode the images of the next step.
  @Override
  public Session<Layer> open(Setting setting) {
    return new Own(setting);
  }

  private final class Own implements EpochSession<Layer> {
    private final Setting setting;
    private final Epochs epochs;
    private final Loader loader;
    private final double[] weights =
        balance.weights().stream().mapToDouble(Double::doubleValue).toArray();
    private int epoch;
    private int[] order = {};

    /// The next batch that the loader expects, counted over all epochs.
    private long next = -1;

    private @Nullable Predictions tested;

    /// The number of validation images on which the temperature of `tested` was fitted.
    private int fittedOn;

    Own(Setting setting) {
      this.setting = setting;
      this.epochs = setting.over(data.train().count());
      this.loader = new Loader(data.train(), normalization);
      expect(setting.step());
    }

    @Override
    public Epochs epochs() {
      return epochs;
    }

    @Override
    public List<String> counted() {
      return List.of(ERROR);
    }

    @Override
    public void begin(int epoch, int step) {
      this.epoch = epoch;
      this.order = order(epoch);
      expect((long) epoch * epochs.batches() + step);
    }

    private int[] order(int epoch) {
      return balance.sampled()
          ? new BalancedOrder(setting.seed(), data.train().labels()).of(epoch)
          : data.train().order(epochs, epoch);
    }

    /// Announces all batches from this one on to the loader, unless it expects them already.
    private void expect(long batch) {
      if (batch == next) {
        return;
      }
      next = batch;
      int perEpoch = epochs.batches();
      int first = (int) (batch / perEpoch);
      loader.expect(
          IntStream.range(first, setting.epochs())
              .boxed()
              .flatMap(e -> {
                int[] of = e == epoch && order.length > 0 ? order : order(e);
                int from = e == first ? (int) (batch % perEpoch) : 0;
                return IntStream.range(from, perEpoch).boxed().flatMap(b -> read(e, of, b));
              })
              .iterator());
    }

    /// What this worker reads for a step: its share, and the partners of the share's images.
    private Stream<Loader.Batch> read(int epoch, int[] order, int step) {
      Loader.Batch own = share(epoch, order, step);
      Rows partners = Mix.partners(own.rows(), epochs.batch(step));
      return mix(epoch, step).isNone() || partners.equals(own.rows())
          ? Stream.of(own)
          : Stream.of(own, batch(epoch, order, partners));
    }

    private Loader.Batch share(int epoch, int[] order, int step) {
      return batch(epoch, order, setting.share(epochs.batch(step)));
    }

    private Loader.Batch batch(int epoch, int[] order, Rows rows) {
      return new Loader.Batch(order, rows, augmentation, epochs.augment(epoch), balance.sampled());
    }

    private Mix mix(int epoch, int step) {
      LabelledImages images = data.train();
      return mixing.of(epochs.mixing(epoch, step), images.height(), images.width());
    }

    @Override
    public Objective forward(Layer net, int step) {
      Loader.Batch own = share(epoch, order, step);
      next = (long) epoch * epochs.batches() + step + 1;
      Rows whole = epochs.batch(step);
      Mix mix = mix(epoch, step);
      return objective(
          net,
          loader.images(own, whole, mix).to(precision),
          mixed(own.rows(), whole, mix),
          smoothing,
          weights.length == 0 ? whole.count() : total(mixed(whole, whole, mix)));
    }

    /// What the loss of a batch is divided by.
    private double total(CrossEntropy.Labels batch) {
      return weights.length == 0 ? batch.own().length : batch.sum(weights);
    }

    /// The labels of these rows of the whole batch, and of their partners.
    private CrossEntropy.Labels mixed(Rows rows, Rows whole, Mix mix) {
      int[] others = loader.labels(order, Mix.partners(rows, whole));
      return new CrossEntropy.Labels(
          loader.labels(order, rows),
          IntStream.range(0, others.length).map(i -> others[others.length - 1 - i]).toArray(),
          mix.lambda());
    }

    @Override
    public Objective probe(Layer net) {
      int most = Math.clamp(PROBE_VALUES / data.train().size(), 1, PROBE_IMAGES);
      Rows rows = new Rows(0, Math.min(most, data.train().count()));
      int[] first = IntStream.range(0, rows.to()).toArray();
      var labels = CrossEntropy.Labels.of(loader.labels(first, rows));
      return objective(net, loader.images(first, rows), labels, 0, total(labels));
    }

    private Objective objective(
        Layer net, Tensor x, CrossEntropy.Labels labels, double smoothing, double total) {
      Traced logits = net.forward(x);
      return Objective.of(
          logits,
          CrossEntropy.of(logits.value(), labels, smoothing, weights, total),
          CrossEntropy.errors(logits.value(), labels.dominant()));
    }

    @Override
    public @Nullable Figures evaluate(Layer net, Part part) {
      return switch (part) {
        case TRAINING -> figures(net, data.train(), (_, _) -> {});
        case VALIDATION -> {
          LabelledImages validation = data.validation();
          yield validation == null ? null : figures(net, validation, (_, _) -> {});
        }
        case TEST -> {
          var predictions = new Predictions(data.test(), data.classes().size(), temperature(net));
          Figures figures = figures(net, data.test(), predictions);
          predictions.gather(setting.workers());
          tested = predictions;
          yield figures;
        }
      };
    }

    /// The temperature that suits the validation images; 1 if there are none.
    private double temperature(Layer net) {
      LabelledImages validation = data.validation();
      if (validation == null) {
        return 1;
      }
      var temperature = new Temperature(validation.labels(), data.classes().size());
      figures(net, validation, temperature);
      fittedOn = temperature.count();
      return temperature.fit(setting.workers()::allReduce);
    }

    private Figures figures(Layer net, LabelledImages images, Evaluation.Look look) {
      return Evaluation.of(net, images, normalization, setting.workers(), look, setting.stop())
          .figures();
    }

    @Override
    public SequencedMap<String, Tensor> state() {
      var state = new LinkedHashMap<String, Tensor>();
      state.put(MEAN, vector(normalization.mean()));
      state.put(STANDARD_DEVIATION, vector(normalization.standardDeviation()));
      return state;
    }

    private static Tensor vector(float[] values) {
      return Tensor.of(values, values.length);
    }

    @Override
    public SequencedMap<String, byte[]> preview() {
      var preview = new LinkedHashMap<String, byte[]>();
      Images images = data.train().take(Math.min(PREVIEW, data.train().count())).images();
      for (int i = 0; i < images.count(); i++) {
        preview.put(Integer.toString(i), Png.of(images, i));
      }
      return preview;
    }

    @Override
    public void write(Path folder, long step) {
      Predictions of = tested;
      if (of != null) {
        AnswersFile.write(folder, Answers.of(step, of, fittedOn, this::file));
      }
    }

    /// The file of a test image, or an empty string if it has none of its own.
    private String file(int image) {
      Origin origin = data.origin();
      return origin == null || origin.test().isEmpty()
          ? ""
          : origin.place().resolve(origin.test().get(image).name()).toString();
    }
  }
}
