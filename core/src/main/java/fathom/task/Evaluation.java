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

/// How well a net predicts: the classes of images, or the characters of a text.
///
/// @param count the number of images, or of characters that were predicted
/// @param errors how many of them got their largest logit elsewhere than they should
/// @param crossEntropy the mean over them, in nats
public record Evaluation(int count, long errors, double crossEntropy) {
  private static final int BATCH = 256;

  /// Of the images of a batch, all channels: 256 of 64×64, 20 of 224×224.
  private static final long MOST_VALUES = 256L * 3 * 64 * 64;

  /// Among the sums over all workers, errors and cross-entropy before it: who was asked to stop.
  private static final int STOPPED = 2;

  private static final int STREAMS = 32;
  private static final int WINDOW = 100;

  /// What these figures say, of which one is the error in percent.
  public static Evaluation of(Figures figures) {
    double errors = figures.get(ImageClassification.ERROR) / 100 * figures.count();
    return new Evaluation(Math.toIntExact(figures.count()), Math.round(errors), figures.loss());
  }

  /// The share of wrong predictions, in percent.
  public double error() {
    return 100.0 * errors / count;
  }

  /// Between which percentages the error on all images of this kind lies, with a confidence of 95
  /// %, if these were drawn from them at random: Wilson's score interval, which also holds for few
  /// errors.
  public Interval interval() {
    double z = 1.959963984540054; // the normal distribution has 2.5 % above it
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

  /// From `low` to `high`, in percent.
  public record Interval(double low, double high) {}

  /// The cross-entropy in bits, as texts are measured.
  public double bitsPerCharacter() {
    return crossEntropy / Math.log(2);
  }

  /// Among how many equally likely ones the net might as well choose.
  public double perplexity() {
    return Math.exp(crossEntropy);
  }

  /// Predicts every character of a text but the first of each of up to 32 streams, of at least 100
  /// characters where the text has so many, which the workers share; see [Streams]. A net with a
  /// state carries it from the start of a stream to its end, another sees windows of its own
  /// length, each alone. Every worker gets the same result.
  public static Evaluation of(LanguageModel net, int[] text, Collective collective) {
    return of(net, text, collective, () -> false);
  }

  /// The same, unless `stop` says so on any worker meanwhile: then all throw [StoppedException].
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

  /// The state after one stretch is the start of the next.
  public static void carry(State end, State into) {
    into.check(end);
    for (int i = 0; i < into.tensors().size(); i++) {
      into.tensors().get(i).copy_(end.tensors().get(i));
    }
  }

  /// Sees what was predicted of the images at these places; called by several workers at once.
  @FunctionalInterface
  public interface Look {
    void at(Rows places, Tensor logits);
  }

  /// How many images all workers predict at a time.
  private static int batch(LabelledImages images) {
    return Math.clamp(MOST_VALUES / images.size(), 1, BATCH);
  }

  /// How many images this worker predicts at a time, but the last time, and their size: N×C×H×W.
  public static Shape piece(LabelledImages images, Collective collective) {
    Rows batch = new Rows(0, Math.min(images.count(), batch(images)));
    int own = Math.max(1, batch.share(collective.rank(), collective.size()).count());
    return Shape.of(own, images.channels(), images.height(), images.width());
  }

  /// Predicts all images, as they are, the workers of `collective` sharing each batch. Every worker
  /// gets the same result.
  public static Evaluation of(
      Predictor net, LabelledImages images, Normalization normalization, Collective collective) {
    return of(net, images, normalization, collective, (_, _) -> {});
  }

  /// The same, with a look at every prediction.
  public static Evaluation of(
      Predictor net,
      LabelledImages images,
      Normalization normalization,
      Collective collective,
      Look look) {
    return of(net, images, normalization, collective, look, () -> false);
  }

  /// The same, unless `stop` says so on any worker meanwhile: then all throw [StoppedException].
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

  /// Whether to predict batch `i`: the first always, because an evaluation that is short need not
  /// listen.
  private static boolean goesOn(int i, BooleanSupplier stop, double[] sums) {
    if (i > 0 && stop.getAsBoolean()) {
      sums[STOPPED] = 1;
    }
    return sums[STOPPED] == 0;
  }
}
