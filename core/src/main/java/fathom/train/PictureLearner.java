package fathom.train;

import fathom.Collective;
import fathom.DType;
import fathom.Layer;
import fathom.Scope;
import fathom.Tensor;
import fathom.Traced;
import fathom.data.DataSet;
import fathom.data.Epochs;
import fathom.data.Loader;
import fathom.data.Normalization;
import fathom.data.Origin;
import fathom.data.Pictures;
import fathom.data.Rows;
import fathom.loss.CrossEntropy;
import fathom.nn.BatchNorm;
import fathom.nn.Fused;
import fathom.nn.Init;
import fathom.nn.Recompute;
import fathom.nn.Watched;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Learns the classes of pictures.
final class PictureLearner implements Learner {
  private static final int REPORT_ROWS = 64;

  /// Of the pictures of a report, all channels: 64 of 64×64, 5 of 224×224, because what their
  /// layers give lives at once.
  private static final long REPORT_VALUES = 64L * 3 * 64 * 64;

  private final Collective all;
  private final DataSet data;
  private final Preparation preparation;
  private final Precision precision;
  private final double smoothing;
  private final Epochs epochs;
  private final Loader loader;
  private final Layer plain;
  private final Layer fused;
  private final int epochCount;
  private Guesses guesses;
  private int epoch;
  private int[] order = {};

  /// The next batch that is expected, counted over all epochs.
  private long next = -1;

  /// Begins to decode what step `step` needs, and then builds the net.
  PictureLearner(
      Run run, DataSet data, Normalization normalization, Collective all, Init init, long step) {
    Recipe recipe = run.recipe();
    this.all = all;
    this.data = data;
    this.preparation = recipe.preparation();
    this.precision = recipe.precision();
    this.smoothing = recipe.descent().smoothing();
    this.epochs = new Epochs(recipe.seed(), data.train().count(), recipe.batch());
    this.loader = new Loader(data.train(), normalization);
    this.epochCount = recipe.epochs();
    expect(step);
    Layer net = run.pictureNet(init);
    Layer normed =
        recipe.shardStatistics()
            ? Layer.map(
                net, (_, layer) -> layer instanceof BatchNorm norm ? norm.ofShards() : layer)
            : net;
    this.plain = recipe.recompute() > 0 ? Recompute.every(recipe.recompute(), normed) : normed;
    this.fused = Fused.of(plain);
    this.guesses = new Guesses(data.test(), data.classes().size());
  }

  @Override
  public Layer net() {
    return plain;
  }

  @Override
  public int batches() {
    return epochs.batches();
  }

  @Override
  public Rows batch(int batch) {
    return epochs.batch(batch);
  }

  @Override
  public void begin(int epoch, int batch) {
    this.epoch = epoch;
    this.order = epochs.order(epoch);
    expect((long) epoch * epochs.batches() + batch);
  }

  /// All batches from this one on, unless that is expected already.
  private void expect(long batch) {
    if (batch == next) {
      return;
    }
    next = batch;
    int perEpoch = epochs.batches();
    int first = (int) (batch / perEpoch);
    loader.expect(
        IntStream.range(first, epochCount)
            .boxed()
            .flatMap(e -> {
              int[] of = e == epoch && order.length > 0 ? order : epochs.order(e);
              int from = e == first ? (int) (batch % perEpoch) : 0;
              return IntStream.range(from, perEpoch).mapToObj(b -> share(e, of, b));
            })
            .iterator());
  }

  /// This worker's share of a batch.
  private Loader.Batch share(int epoch, int[] order, int batch) {
    return new Loader.Batch(
        order,
        epochs.batch(batch).share(all.rank(), all.size()),
        preparation.augmentation(),
        epochs.augment(epoch));
  }

  @Override
  public double[] gradients(int batch) {
    double[] share = gradients(fused, batch);
    next = (long) epoch * epochs.batches() + batch + 1;
    return share;
  }

  private double[] gradients(Layer net, int batch) {
    Loader.Batch own = share(epoch, order, batch);
    int[] labels = loader.labels(order, own.rows());
    try (var _ = Scope.open()) {
      Tensor x = loader.pictures(own);
      Traced logits = net.forward(precision.of(x));
      Traced loss = CrossEntropy.of(logits.value(), labels, smoothing);
      logits.accumulate(loss.back(Tensor.scalar(DType.FLOAT32, 1)));
      return new double[] {loss.value().item(), Evaluation.errors(logits.value(), labels)};
    }
  }

  /// Runs the batch again with an eye on every layer.
  @Override
  public @Nullable String notFinite(int batch) {
    var search = new FirstNonFinite();
    gradients(Watched.leaves(plain, search), batch);
    return search.found();
  }

  @Override
  public Pictures pictures() {
    return data.train();
  }

  @Override
  public Evaluation test(BooleanSupplier stop) {
    guesses = new Guesses(data.test(), data.classes().size());
    Evaluation result = of(data.test(), guesses, stop);
    guesses.gather(all);
    return result;
  }

  private Evaluation of(Pictures pictures, Evaluation.Look look, BooleanSupplier stop) {
    return Evaluation.of(fused, pictures, loader.normalization(), all, look, stop);
  }

  @Override
  public Evaluation held(BooleanSupplier stop) {
    Pictures judges = data.validation();
    return judges == null ? test(stop) : of(judges, (_, _) -> {}, stop);
  }

  @Override
  public Answers answers(long step) {
    Origin origin = data.origin();
    return Answers.of(
        step,
        guesses,
        i ->
            origin == null || origin.test().isEmpty()
                ? ""
                : origin.place().resolve(origin.test().get(i).name()).toString());
  }

  @Override
  public Evaluation trained(BooleanSupplier stop) {
    return of(data.train(), (_, _) -> {}, stop);
  }

  @Override
  public Metrics.Layers layers(long step) {
    int most = Math.clamp(REPORT_VALUES / data.train().size(), 1, REPORT_ROWS);
    Rows rows = new Rows(0, Math.min(most, data.train().count()));
    int[] first = IntStream.range(0, rows.to()).toArray();
    try (var _ = Scope.open()) {
      Tensor x = loader.pictures(first, rows);
      return LayerReport.of(plain, x, loader.labels(first, rows), step);
    }
  }

  /// What is subtracted from pictures, and by what they are divided.
  @Override
  public SequencedMap<String, Tensor> stored() {
    var stored = new LinkedHashMap<String, Tensor>();
    Normalization normalization = loader.normalization();
    stored.put(Checkpoint.MEAN, vector(normalization.mean()));
    stored.put(Checkpoint.DEVIATION, vector(normalization.deviation()));
    return stored;
  }

  @Override
  public boolean storesAlone() {
    return true;
  }

  private static Tensor vector(float[] values) {
    return Tensor.of(values, values.length);
  }

  /// The normalization was there before this learner.
  @Override
  public void resume(Path checkpoint) {}
}
