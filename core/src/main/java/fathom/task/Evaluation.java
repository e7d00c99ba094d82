package fathom.task;

import fathom.Predictor;
import fathom.Scope;
import fathom.Shape;
import fathom.Tensor;
import fathom.data.LabelledImages;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Rows;
import fathom.data.Streams;
import fathom.loss.CrossEntropy;
import fathom.net.LanguageModel;
import fathom.parallel.Collective;
import fathom.recurrent.State;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/// The quality of a net's predictions: of the classes of images, or of the characters of a text.
///
/// @param count the number of images, or of characters that were predicted
/// @param errors the number of them whose largest logit is not that of the label
/// @param crossEntropy the mean cross-entropy over them, in nats
public record Evaluation(int count, long errors, double crossEntropy) {
  private static final int BATCH = 256;

  /// The most elements of the images of a batch, over all channels: 256 images of 64×64, or 20 of
  /// 224×224.
  private static final long MOST_VALUES = 256L * 3 * 64 * 64;

  /// The index, in the sums over all workers, of the flag that a worker was asked to stop. Before
  /// it are the errors and the cross-entropy.
  private static final int STOPPED = 2;

  private static final int STREAMS = 32;
  private static final int WINDOW = 100;

  /// Makes an evaluation of figures that include the error in percent. Throws
  /// `IllegalArgumentException` if they do not include it.
  public static Evaluation of(Figures figures) {
    double errors = figures.get(ImageClassification.ERROR) / 100 * figures.count();
    return new Evaluation(Math.toIntExact(figures.count()), Math.round(errors), figures.loss());
  }

  /// Returns the share of wrong predictions, in percent.
  public double error() {
    return 100.0 * errors / count;
  }

  /// Returns the 95 % confidence interval of the error in percent, for the population from which
  /// these images are a random sample. It is Wilson's score interval, which also holds for few
  /// errors.
  public Interval interval() {
    double z = 1.959963984540054; // 2.5 % of the normal distribution are above it
    double p = (double) errors / count;
    double shrunk = 1 + z * z / count;
    double centre = (p + z * z / (2.0 * count)) / shrunk;
    double half =
        z / shrunk * Math.sqrt(p * (1 - p) / count + z * z / (4.0 * count * (double) count));
    return new Interval(100 * Math.max(0, centre - half), 100 * Math.min(1, centre + half));
  }

  /// The loss, and the error in percent.
  Figures figures() {
    return Figures.of(count, crossEntropy).with(ImageClassification.ERROR, error());
  }

  /// An interval from `low` to `high`, in percent.
  public record Interval(double low, double high) {}

  /// Returns the cross-entropy in bits, the unit in which models of texts are compared.
  public double bitsPerCharacter() {
    return crossEntropy / Math.log(2);
  }

  /// Returns the perplexity, e^crossEntropy: the number of equally likely choices that would give
  /// the same cross-entropy.
  public double perplexity() {
    return Math.exp(crossEntropy);
  }

  /// Predicts every character of a text except the first one of each stream. There are up to 32
  /// streams, of at least 100 characters if the text is long enough, and the workers share them;
  /// see [Streams]. A net with a state carries it from the start of a stream to its end. Another
  /// net sees windows of its own length, each independently. Every worker gets the same result.
  public static Evaluation of(LanguageModel net, int[] text, Collective collective) {
    return of(net, text, collective, () -> false);
  }

  /// Evaluates like [#of(LanguageModel, int[], Collective)], unless `stop` becomes true on any
  /// worker meanwhile: then all workers throw [StoppedException].
  static Evaluation of(LanguageModel net, int[] text, Collective collective, BooleanSupplier stop) {
    int count = Math.clamp((text.length - 1) / WINDOW, 1, STREAMS);
    var streams = new Streams(text, count, net.context() > 0 ? net.context() : WINDOW);
    Rows own = new Rows(0, count).share(collective.rank(), collective.size());
    double[] sums = new double[STOPPED + 1];
    if (own.count() > 0) {
      try (var _ = Scope.open()) {
        State carried = net.start(own.count());
        for (int i = 0; i < streams.windows() && goesOn(i, stop, sums); i++) {
          add(net, streams, streams.window(i), own, carried, sums);
        }
      }
    }
    Setting.sum(sums, sums[STOPPED] > 0, collective);
    int predicted = count * streams.length();
    return new Evaluation(predicted, Math.round(sums[0]), sums[1] / predicted);
  }

  private static void add(
      LanguageModel net, Streams streams, Rows places, Rows own, State carried, double[] sums) {
    int[] next = streams.next(places, own);
    try (var _ = Scope.open()) {
      var predicted = net.predict(streams.read(places, own), carried);
      sums[0] += CrossEntropy.errors(predicted.value(), next);
      sums[1] += CrossEntropy.sum(predicted.value(), next);
      carry(predicted.end(), carried);
    }
  }

  /// Copies the state at the end of one window into `into`, the start of the next one. Throws
  /// `IllegalArgumentException` if the two states differ in shape or type.
  public static void carry(State end, State into) {
    into.check(end);
    for (int i = 0; i < into.tensors().size(); i++) {
      into.tensors().get(i).copy_(end.tensors().get(i));
    }
  }

  /// Gets the logits of the images at `places`. Several workers call it at the same time.
  @FunctionalInterface
  public interface Look {
    void at(Rows places, Tensor logits);
  }

  /// The number of images that all workers together predict at a time.
  private static int batch(LabelledImages images) {
    return Math.clamp(MOST_VALUES / images.size(), 1, BATCH);
  }

  /// Returns the shape N×C×H×W of the images that this worker predicts at a time; the last time
  /// there may be fewer.
  public static Shape piece(LabelledImages images, Collective collective) {
    Rows batch = new Rows(0, Math.min(images.count(), batch(images)));
    int own = Math.max(1, batch.share(collective.rank(), collective.size()).count());
    return Shape.of(own, images.channels(), images.height(), images.width());
  }

  /// Predicts all images without augmentation; the workers of `collective` share each batch. Every
  /// worker gets the same result.
  public static Evaluation of(
      Predictor net, LabelledImages images, Normalization normalization, Collective collective) {
    return of(net, images, normalization, collective, (_, _) -> {});
  }

  /// Predicts all images like the method above and passes every prediction to `look`.
  public static Evaluation of(
      Predictor net,
      LabelledImages images,
      Normalization normalization,
      Collective collective,
      Look look) {
    return of(net, images, normalization, collective, look, () -> false);
  }

  /// Predicts all images like the method above, unless `stop` becomes true on any worker meanwhile:
  /// then all workers throw [StoppedException].
  public static Evaluation of(
      Predictor net,
      LabelledImages images,
      Normalization normalization,
      Collective collective,
      Look look,
      BooleanSupplier stop) {
    var loader = new Loader(images, normalization);
    int count = images.count();
    int size = batch(images);
    int[] indices = IntStream.range(0, count).toArray();
    List<Rows> shares =
        IntStream.range(0, Math.ceilDiv(count, size))
            .mapToObj(i -> new Rows(i * size, Math.min(count, (i + 1) * size)))
            .map(batch -> batch.share(collective.rank(), collective.size()))
            .toList();
    loader.expect(shares.stream().map(own -> Loader.Batch.of(indices, own)).iterator());
    double[] sums = new double[STOPPED + 1];
    for (int i = 0; i < shares.size() && goesOn(i, stop, sums); i++) {
      Rows own = shares.get(i);
      try (var _ = Scope.open()) {
        Tensor logits = net.predict(loader.images(indices, own));
        int[] labels = loader.labels(indices, own);
        sums[0] += CrossEntropy.errors(logits, labels);
        sums[1] += CrossEntropy.sum(logits, labels);
        look.at(own, logits);
      }
    }
    Setting.sum(sums, sums[STOPPED] > 0, collective);
    return new Evaluation(count, Math.round(sums[0]), sums[1] / count);
  }

  /// Whether to predict batch `i`. The first batch is always predicted, because an evaluation of
  /// one batch is short enough to finish.
  private static boolean goesOn(int i, BooleanSupplier stop, double[] sums) {
    if (i > 0 && stop.getAsBoolean()) {
      sums[STOPPED] = 1;
    }
    return sums[STOPPED] == 0;
  }
}
