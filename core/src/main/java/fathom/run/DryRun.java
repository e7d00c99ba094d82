package fathom.run;

import fathom.Memory;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.net.CifarNet;
import fathom.net.PhotoNet;
import fathom.net.PreActivationCifarNet;
import fathom.net.PreActivationPhotoNet;
import fathom.train.EarlyStopping;
import fathom.train.Listener;
import fathom.train.Moment;
import fathom.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Tries out a training for a few seconds, to estimate the time and memory of the whole.
///
/// All workers make whole steps with the data and a net whose weights are zero. The first batch has
/// one row for each worker, but at least two rows. The next one has four times as many, and so on,
/// up to the batch of the recipe or as far as three seconds allow. Memory is counted and time is
/// measured, and both are extrapolated along the line through the two largest batches that were
/// tried. The line is needed because most of a step of few rows is a cost that every step has,
/// whatever its batch, such as the barriers of the workers. A second batch may take up to twice the
/// time, because without a line the whole step would be attributed to its rows.
public final class DryRun {
  private static final double SECONDS = 3;

  /// A batch that would take more memory than this is not tried.
  private static final long BYTES = 1L << 30;

  /// The time for a shallow net of the family, which makes its steps first. Until loops over memory
  /// are compiled, they take a hundred times as long, which would be minutes for a thousand layers.
  private static final Patience WARM_UP = new Patience(1, 6);

  private static final Patience USUAL = new Patience(0.2, 1);

  /// The seconds that a training takes besides its steps and evaluations: it starts workers and
  /// writes checkpoints, predictions and the report.
  private static final double AROUND = 1;

  /// The cost of a prediction relative to a step. A prediction is a forward pass; a step also has a
  /// backward pass at twice that cost.
  private static final double PREDICTION = 1.0 / 3;

  /// Each batch that is tried has this many times the rows of the one before.
  private static final int GROWTH = 4;

  /// More epochs than a few seconds can have.
  private static final int ENDLESS = 1_000_000;

  private final Recipe recipe;
  private final Data data;
  private final Decoders decoders;
  private final @Nullable Normalization normalization;

  /// The estimated needs of a training.
  ///
  /// @param parameters the number of parameters of the net
  /// @param weightBytes the bytes of the weights, the gradients of each worker, and the optimizer
  /// @param batchBytes the most bytes of a batch's activations and cotangents at any time; counted
  ///   with `tried` rows and extrapolated to the whole batch
  /// @param steps the number of steps of the whole training
  /// @param examplesPerSecond the images or characters trained per second; measured with `tried`
  ///   rows and extrapolated to the whole batch
  /// @param seconds the time of the whole training and of its evaluations, in which an example
  ///   counts a third, if steps take what they typically took here; includes the time that the
  ///   first steps lose until loops are compiled
  /// @param low the time if every step is as fast as the fastest was and no time is lost
  /// @param high the time if steps are as slow as the slowest quarter was, and each size of a batch
  ///   that was tried has to be compiled anew
  /// @param tried the rows of the largest batch that was tried; a row is an image, or a stream of a
  ///   text
  /// @param availableBytes the memory for tensors on this machine or in this container, without
  ///   what this process needs for itself
  /// @param fits whether that is enough for weights and batch
  public record Estimate(
      long parameters,
      long weightBytes,
      long batchBytes,
      long steps,
      double examplesPerSecond,
      double seconds,
      double low,
      double high,
      int tried,
      long availableBytes,
      boolean fits) {}

  /// The limits of the steps of one size. Steps are made as long as, within `between` seconds, one
  /// of them is faster by a tenth than all before. There are at least two, and they take at most
  /// `most` seconds together. The fastest counts.
  private record Patience(double between, double most) {}

  /// The seconds of the steps of one size once they get no faster: of the fastest, the median, and
  /// the upper quartile.
  private record Pace(double fast, double typical, double slow) {
    /// @param taken the seconds of each step, in their order
    /// @param from the index of the first step that counts
    static Pace of(List<Double> taken, int from) {
      List<Double> sorted = taken.subList(from, taken.size()).stream().sorted().toList();
      return new Pace(
          sorted.getFirst(), sorted.get(sorted.size() / 2), sorted.get(sorted.size() * 3 / 4));
    }
  }

  /// The measurements of a few steps of `rows` rows.
  ///
  /// @param lost the sum of the seconds by which the first steps, which were still getting faster,
  ///   were slower than a typical step
  private record Tried(
      int rows, long examples, long bytes, Pace pace, double lost, long parameters) {
    /// The seconds of a step of `more` rows, on the line through two batches. Since the clock may
    /// be uneven, the cost of a further row is limited to the range from zero to the average cost
    /// of a row here.
    double seconds(int more, @Nullable Tried before, ToDoubleFunction<Pace> of) {
      double seconds = of.applyAsDouble(pace);
      double average = seconds / rows;
      double perRow =
          before == null
              ? average
              : Math.clamp(
                  (seconds - of.applyAsDouble(before.pace)) / (rows - before.rows), 0, average);
      return seconds + perRow * (more - rows);
    }

    /// Examples per second with batches of `more` rows.
    double perSecond(int more, @Nullable Tried before, ToDoubleFunction<Pace> of) {
      return (double) examples / rows * more / seconds(more, before, of);
    }
  }

  private DryRun(Recipe recipe, Data data, Decoders decoders) {
    this.recipe = recipe;
    this.decoders = decoders;
    this.data = data;
    this.normalization = recipe.kind().normalization(recipe, data);
  }

  /// Estimates the needs of a training. This takes a few seconds; it takes longer only if two steps
  /// of a row for each worker do. Throws `IllegalArgumentException` if the data does not suffice
  /// for the recipe, and [fathom.DeviceException] if this machine does not support the precision.
  public static Estimate of(Recipe recipe, Data data) {
    recipe.check(data);
    recipe.precision().check();
    return of(recipe, data, SECONDS);
  }

  /// Estimates with another time limit for trying larger and larger batches.
  static Estimate of(Recipe recipe, Data data, double seconds) {
    try (var decoders = Decoders.start()) {
      return new DryRun(recipe, data, decoders).estimate(seconds);
    }
  }

  private Estimate estimate(double seconds) {
    int least = Math.min(recipe.batch(), Math.max(2, recipe.workers()));
    Tried cold = tried(shallow(), least, WARM_UP);
    long began = System.nanoTime();
    long available = Memory.available(); // code is loaded, but hardly a tensor was made yet
    Tried before = null;
    Tried last = tried(recipe, least, USUAL);
    double lost = last.lost;
    int next = larger(least);
    while (last.rows < next
        && (System.nanoTime() - began) / 1e9 + 2 * last.seconds(next, before, Pace::fast)
            < (before == null ? 2 : 1) * seconds
        && (double) next / last.rows * last.bytes < Math.min(BYTES, available / 2.0)) {
      Tried larger = tried(recipe, next, USUAL);
      before = last;
      last = larger;
      lost += last.lost;
      next = larger(next);
    }
    double perRow =
        before == null
            ? (double) last.bytes / last.rows
            : (double) (last.bytes - before.bytes) / (last.rows - before.rows);
    double perSecond = last.perSecond(recipe.batch(), before, Pace::typical);
    double fastest = last.perSecond(recipe.batch(), before, Pace::fast);
    double slowest = last.perSecond(recipe.batch(), before, Pace::slow);
    Kind.Amounts of = recipe.kind().amounts(recipe, data);
    long steps = recipe.epochs() * of.steps();
    long weights = LeastMemory.weights(recipe, last.parameters);
    long batch = Math.round(last.bytes + Math.max(0, perRow) * (recipe.batch() - last.rows));
    return new Estimate(
        last.parameters,
        weights,
        batch,
        steps,
        perSecond,
        AROUND + cold.lost + examples(of) / perSecond,
        AROUND + examples(of) / Math.max(perSecond, fastest),
        2 * AROUND + cold.lost + lost + examples(of) / Math.min(perSecond, slowest),
        last.rows,
        available,
        weights + batch <= available);
  }

  private int larger(int rows) {
    return (int) Math.min(recipe.batch(), (long) GROWTH * rows);
  }

  /// The same recipe for the shallowest net of the family, with the same options.
  private Recipe shallow() {
    Recipe recipe = this.recipe.with(FineTuning.NONE); // whose layers need not be in that net
    return switch (recipe.architecture()) {
      case CifarNet _ -> recipe.withModel(recipe.model().replaceFirst("\\d+", "8"));
      case PreActivationCifarNet _ -> recipe.withModel("preresnet8");
      case PhotoNet _ when recipe.options().strideIn() == null ->
          recipe.withModel(recipe.model().replaceFirst("\\d+", "18"));
      case PreActivationPhotoNet _ -> recipe.withModel("preresnet18");
      default -> recipe;
    };
  }

  /// The examples of the whole training; a prediction counts as a third of an example.
  private double examples(Kind.Amounts of) {
    return recipe.epochs() * (of.train() + PREDICTION * of.validation()) + PREDICTION * of.end();
  }

  /// Makes the steps of a training in memory, until they get no faster.
  private Tried tried(Recipe recipe, int rows, Patience patience) {
    Recipe small =
        recipe
            .with(recipe.sampling().withEarlyStop(EarlyStopping.NONE))
            .withBatch(rows)
            .withEpochs(ENDLESS);
    var watch = new StopWatch(patience);
    recipe
        .kind()
        .subject(Run.unwritten(small, data), data, decoders, normalization)
        .train(
            small.plan(),
            List.of(watch),
            Training.Past.NONE,
            watch::isDone,
            Training.Distributed.NONE);
    return watch.tried(rows);
  }

  /// Times every step, and counts the memory it needs.
  private static final class StopWatch implements Listener {
    private final Patience patience;
    private final long start = System.nanoTime();
    private double began;
    private long bytes;
    private long before;
    private long parameters;
    private long examples;
    private final List<Double> each = new ArrayList<>();
    private double fastest = Double.POSITIVE_INFINITY;
    private double improved;
    private int first;
    private boolean done;

    StopWatch(Patience patience) {
      this.patience = patience;
    }

    @Override
    public void begin(Moment now, boolean evaluated) {
      parameters = now.net().params().stream().mapToLong(p -> p.value().shape().elements()).sum();
    }

    @Override
    public void before(Moment now) {
      before = Tensor.watchBytes();
      began = seconds();
    }

    @Override
    public void step(Moment now) {
      double after = seconds();
      double taken = after - began;
      bytes = Math.max(bytes, Tensor.mostBytes() - before);
      examples = now.examples();
      if (taken < 0.9 * fastest) {
        improved = after;
        first = each.size();
      }
      fastest = Math.min(fastest, taken);
      each.add(taken);
      boolean patient = after - improved < patience.between && after + fastest < patience.most;
      done = each.size() > 1 && !patient;
    }

    private double seconds() {
      return (System.nanoTime() - start) / 1e9;
    }

    /// Is asked after every step but the last. The step after which the answer is true is the last
    /// one.
    boolean isDone() {
      return done;
    }

    Tried tried(int rows) {
      Pace pace = Pace.of(each, first);
      double lost =
          each.subList(0, first).stream()
              .mapToDouble(taken -> Math.max(0, taken - pace.typical))
              .sum();
      return new Tried(rows, examples, bytes, pace, lost, parameters);
    }
  }
}
