package fathom.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import fathom.data.Data;
import fathom.data.Decoders;
import fathom.data.Normalization;
import fathom.optim.ExponentialSweep;
import fathom.train.DivergedException;
import fathom.train.EarlyStopping;
import fathom.train.Listener;
import fathom.train.Moment;
import fathom.train.Plan;
import fathom.train.Training;
import fathom.train.Tuning;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The learning rate range test (Smith 2017, "Cyclical learning rates", arXiv 1506.01186, section
/// 3.3): the steps of a recipe at learning rates that rise from 10⁻⁷ to 10, each at its own, and
/// the loss of each step before it. Everything but the learning rate is the recipe's. The weights
/// begin as the recipe says and are thrown away; nothing is written.
///
/// The test ends when the loss is no longer finite, or when its running mean is above four times
/// its least. Suggestions are read from the mean over nine steps around each, because a running
/// mean lags behind by most of a decade.
public final class RateRangeTest {
  static final double LOW = 1e-7;
  static final double HIGH = 10;

  /// The number of steps: twelve in a decade.
  static final int STEPS = 100;

  /// How many steps on either side the mean is over.
  private static final int REACH = 4;

  /// The share of the running mean that stays in a step.
  private static final double KEPT = 0.9;

  private static final double WORSE = 4;

  /// More epochs than a sweep has.
  private static final int ENDLESS = 1_000_000;

  private RateRangeTest() {}

  /// One step.
  ///
  /// @param rate the learning rate of the step
  /// @param loss the mean loss of its batch before the step
  /// @param smoothed the mean over the steps around it
  public record Point(double rate, double loss, double smoothed) {}

  /// The result of a test.
  ///
  /// @param points the steps in their order
  /// @param diverged whether the loss was no longer finite at the end
  /// @param steepest the learning rate at which the smoothed loss falls the most for each factor of
  ///   the learning rate; null if it never falls
  /// @param minimum the learning rate with the least smoothed loss; null if it never falls
  public record Result(
      List<Point> points, boolean diverged, @Nullable Double steepest, @Nullable Double minimum) {
    public Result {
      points = List.copyOf(points);
    }

    /// Returns a tenth of the learning rate with the least loss, at which a training still goes
    /// down well after the first steps; null if the loss never falls.
    @JsonIgnore
    public @Nullable Double suggested() {
      return minimum == null ? null : minimum / 10;
    }

    /// Reads the suggestions from these losses, one for each learning rate of the sweep from its
    /// start.
    static Result of(double[] rates, double[] losses, boolean diverged) {
      double[] smoothed = smoothed(losses);
      var points = new ArrayList<Point>();
      int least = 0;
      for (int i = 0; i < losses.length; i++) {
        points.add(new Point(rates[i], losses[i], smoothed[i]));
        least = smoothed[i] < smoothed[least] ? i : least;
      }
      if (least == 0) {
        return new Result(points, diverged, null, null);
      }
      int steepest = 1;
      for (int i = 1; i <= least; i++) {
        steepest = fall(smoothed, i) > fall(smoothed, steepest) ? i : steepest;
      }
      return new Result(points, diverged, rates[steepest], rates[least]);
    }

    /// By how much the loss falls around point i.
    private static double fall(double[] smoothed, int i) {
      int after = Math.min(smoothed.length - 1, i + 1);
      return (smoothed[i - 1] - smoothed[after]) / (after - i + 1);
    }

    private static double[] smoothed(double[] losses) {
      double[] smoothed = new double[losses.length];
      for (int i = 0; i < losses.length; i++) {
        int reach = Math.min(REACH, Math.min(i, losses.length - 1 - i));
        for (int j = i - reach; j <= i + reach; j++) {
          smoothed[i] += losses[j] / (2 * reach + 1);
        }
      }
      return smoothed;
    }
  }

  /// Makes the test. Throws `IllegalArgumentException` if the data does not suffice for the recipe,
  /// [fathom.io.BadFileException] if its weights cannot be read, and [fathom.DeviceException] if
  /// this machine does not support the precision or certainly has too little memory.
  ///
  /// @param progress gets the number of every step
  public static Result of(Recipe recipe, Data data, int decoders, Consumer<Integer> progress) {
    recipe.check(data);
    recipe.precision().check();
    Run run = Run.unwritten(recipe, data);
    LeastMemory.check(run);
    Normalization normalization = recipe.kind().normalization(recipe, data);
    var sweep = new Sweep(progress);
    Tuning tuning = recipe.fineTuning().tuning();
    Plan plan =
        recipe
            .plan()
            .withEpochs(ENDLESS) // so that a sweep never ends with the evaluations of a training
            .withEarlyStop(EarlyStopping.NONE)
            .withTuning(new Tuning(tuning.freezeUntil(), 0, tuning.layerDecay()))
            .withSchedule(new ExponentialSweep(LOW, HIGH, STEPS));
    boolean diverged = false;
    try (var threads = Decoders.start(decoders)) {
      recipe
          .kind()
          .subject(run, data, threads, normalization)
          .from(recipe.fineTuning())
          .train(
              plan,
              List.of(sweep),
              Training.Past.NONE,
              () -> sweep.done,
              Training.Distributed.NONE);
    } catch (DivergedException e) {
      diverged = true;
    }
    return sweep.result(diverged);
  }

  /// Notes the loss of every step.
  private static final class Sweep implements Listener {
    private final Consumer<Integer> progress;
    private final List<Double> rates = new ArrayList<>();
    private final List<Double> losses = new ArrayList<>();
    private double sum;
    private long examples;
    private double mean;
    private double least = Double.POSITIVE_INFINITY;
    private volatile boolean done;

    Sweep(Consumer<Integer> progress) {
      this.progress = progress;
    }

    /// The loss of a step is the difference of the sums before and after it.
    @Override
    public void step(Moment now) {
      if (done) {
        return; // one more step is made before the training stops
      }
      double before = sum;
      examples += now.examples();
      sum = now.soFar().loss() * examples;
      add(now.learningRate(), (sum - before) / now.examples());
      if (now.endsEpoch(now.step())) {
        sum = 0;
        examples = 0;
      }
      progress.accept(losses.size());
    }

    private void add(double rate, double loss) {
      rates.add(rate);
      losses.add(loss);
      mean = KEPT * mean + (1 - KEPT) * loss;
      double running = mean / (1 - Math.pow(KEPT, losses.size()));
      least = Math.min(least, running);
      done = losses.size() == STEPS || running > WORSE * least;
    }

    Result result(boolean diverged) {
      return Result.of(
          rates.stream().mapToDouble(Double::doubleValue).toArray(),
          losses.stream().mapToDouble(Double::doubleValue).toArray(),
          diverged);
    }
  }
}
