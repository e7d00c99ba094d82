package fathom.run;

import fathom.Memory;
import fathom.Tensor;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.net.CifarNet;
import fathom.net.PhotoNet;
import fathom.train.Listener;
import fathom.train.Moment;
import fathom.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Tries a training out for a few seconds, to say what all of it is going to need.
///
/// Whole steps are made, by all workers, with the data, and by a net whose weights are zero: first
/// of as few rows as there are workers, then of four times as many, and so on to the batch of the
/// recipe or as far as three seconds go. Memory is counted, time taken, and both are carried on
/// along the line through the two largest batches that were tried: a step of few rows is mostly
/// what a step needs once, whatever the batch, such as that workers meet. For a second batch there
/// may be twice the time, because without a line all of a step counts for its rows.
public final class DryRun {
  private static final double SECONDS = 3;

  /// A batch that would take more memory is not tried.
  private static final long BYTES = 1L << 30;

  /// A shallow net of the family steps first: until loops over memory are compiled, they take a
  /// hundred times as long, which would be minutes for a thousand layers.
  private static final Patience WARM_UP = new Patience(1, 6);

  private static final Patience USUAL = new Patience(0.2, 1);

  /// What a training takes besides its steps and evaluations: workers are started, checkpoints and
  /// answers written, and the report.
  private static final double AROUND = 1;

  /// A prediction goes forward; a step goes forward and, at twice the cost, back.
  private static final double PREDICTION = 1.0 / 3;

  /// Each batch that is tried has so many times the rows of the one before.
  private static final int GROWTH = 4;

  /// More epochs than a few seconds have.
  private static final int ENDLESS = 1_000_000;

  private final Recipe recipe;
  private final Data data;
  private final Decoders decoders;
  private final @Nullable Normalization normalization;

  /// What a training is going to need.
  ///
  /// @param parameters how many the net has
  /// @param weightBytes of weights, the gradients of each worker, and the optimizer
  /// @param batchBytes of what is remembered of a batch on its way through the net, and of what is
  ///   made of it on the way back, at most; counted with `tried` rows, carried on to all of them
  /// @param steps of the whole training
  /// @param examplesPerSecond images or characters that are trained with, measured with `tried`
  ///   rows, carried on to all of a batch
  /// @param seconds of the whole training, with what its first steps lose until loops are compiled,
  ///   and of its evaluations, in which an example counts a third; steps take what they typically
  ///   took here
  /// @param low the same if every step is as fast as the fastest was and none is lost
  /// @param high the same if steps are as slow as the slowest quarter was, and each size of a batch
  ///   that was tried has to be compiled anew
  /// @param tried rows of the largest batch that was tried; images, or streams of a text
  /// @param availableBytes what tensors can have on this machine or in this container, beside what
  ///   this process has for itself
  /// @param fits whether that is as much as weights and batch need
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

  /// Steps of one size are made as long as one in so many seconds is faster than all before by a
  /// tenth, at least two of them, and at most for so long. The fastest counts.
  private record Patience(double between, double most) {}

  /// The seconds of steps of one size once they get no faster: of the fastest, the one in the
  /// middle, and the one that a quarter exceeds.
  private record Pace(double fast, double typical, double slow) {
    /// @param taken of each step, in their order
    /// @param from the first of those that count
    static Pace of(List<Double> taken, int from) {
      List<Double> sorted = taken.subList(from, taken.size()).stream().sorted().toList();
      return new Pace(
          sorted.getFirst(), sorted.get(sorted.size() / 2), sorted.get(sorted.size() * 3 / 4));
    }
  }

  /// A few steps of `rows` rows.
  ///
  /// @param lost the seconds that the steps before they got no faster took longer than is typical,
  ///   together
  private record Tried(
      int rows, long examples, long bytes, Pace pace, double lost, long parameters) {
    /// The seconds of a step of more rows, on the line through two batches. Where the clock was
    /// uneven, a row costs nothing at least, and what it costs here on average at most.
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

    /// Examples in a second with batches of `more` rows.
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

  /// Takes a few seconds, more only where two steps of a row for each worker do. Throws
  /// [fathom.DeviceException] if this machine does not have the precision.
  public static Estimate of(Recipe recipe, Data data) {
    recipe.check(data);
    recipe.precision().check();
    return of(recipe, data, SECONDS);
  }

  /// With another time to try larger and larger batches in.
  static Estimate of(Recipe recipe, Data data, double seconds) {
    try (var decoders = Decoders.start()) {
      return new DryRun(recipe, data, decoders).estimate(seconds);
    }
  }

  private Estimate estimate(double seconds) {
    int least = Math.min(recipe.batch(), Math.max(2, recipe.workers()));
    Tried cold = tried(shallow(), least, WARM_UP);
    long began = System.nanoTime();
    long available = Memory.available(); // code is loaded, and hardly a tensor was there yet
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
    return switch (recipe.architecture()) {
      case CifarNet _ -> recipe.withModel(recipe.model().replaceFirst("\\d+", "8"));
      case PhotoNet _ -> recipe.withModel(recipe.model().replaceFirst("\\d+", "18"));
      default -> recipe;
    };
  }

  /// Of the whole training; those that are only predicted count a part.
  private double examples(Kind.Amounts of) {
    return recipe.epochs() * (of.train() + PREDICTION * of.validation()) + PREDICTION * of.end();
  }

  /// The steps of a training in memory, until they get no faster.
  private Tried tried(Recipe recipe, int rows, Patience patience) {
    Recipe small = recipe.withBatch(rows).withEpochs(ENDLESS);
    var watch = new StopWatch(patience);
    recipe
        .kind()
        .subject(Run.unwritten(small, data), data, decoders, normalization)
        .train(small.plan(), List.of(watch), Training.Past.NONE, watch::isDone);
    return watch.tried(rows);
  }

  /// Times every step, and counts what it needs.
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

    /// Asked after every step but the last, which is the one that ends it.
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
