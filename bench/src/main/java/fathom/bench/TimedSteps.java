package fathom.bench;

import fathom.FlatParams;
import fathom.Param;
import fathom.parallel.Collective;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The steps of a worker whose training is timed. Their loss has to fall, because otherwise the
/// work that is timed is no training.
final class TimedSteps {
  private final String what;
  private final double[] losses;
  private int step;

  /// @param what what is seen again and again, such as `a batch`
  /// @param warmUp the steps after which the loss has to be lower than at the first; 0 if what is
  ///   seen differs from step to step, so that the loss says nothing
  TimedSteps(String what, int warmUp) {
    this.what = what;
    this.losses = new double[warmUp];
  }

  /// Returns parameters that share the weights of the first worker, which has drawn them.
  static FlatParams share(
      Collective all, AtomicReference<@Nullable FlatParams> shared, List<Param> params) {
    if (all.rank() == 0) {
      shared.set(FlatParams.of(params));
    }
    all.barrier();
    FlatParams first = Objects.requireNonNull(shared.get());
    return all.rank() == 0 ? first : first.shareWith(params);
  }

  /// The number of steps so far.
  int count() {
    return step;
  }

  /// Takes the loss of a step. Throws `IllegalStateException` in the step after the warm-up if the
  /// loss has not fallen in it.
  void add(double loss) {
    if (step < losses.length) {
      losses[step] = loss;
    } else if (step > 0 && step == losses.length && !(losses[step - 1] < losses[0])) {
      throw new IllegalStateException(
          "%s that is seen again and again is learned, but its loss went from %s to %s"
              .formatted(what, losses[0], losses[step - 1]));
    }
    step++;
  }
}
