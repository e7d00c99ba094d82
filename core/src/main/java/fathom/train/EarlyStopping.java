package fathom.train;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Ends a training after `patience` evaluations in a row that were not better than the best before
/// them by more than `minDelta` (Prechelt 1998, "Early stopping – but when?", whose criterion UP is
/// close to it). What is compared is the validation error in percent, or the loss of a task that
/// counts no errors.
///
/// The decision is a function of the evaluations alone, so a training that was stopped and goes on
/// ends where one that was not stopped does.
///
/// @param patience the number of evaluations; 0 to train to the end
/// @param minDelta by how much an error has to be below the best one to count as better, in the
///   error's unit, percentage points
public record EarlyStopping(int patience, double minDelta) {
  /// The training goes to its end.
  public static final EarlyStopping NONE = new EarlyStopping(0, 0);

  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public EarlyStopping {
    if (patience < 0 || !(minDelta >= 0) || Double.isInfinite(minDelta)) {
      throw new IllegalArgumentException(
          "`earlyStop` is 0 or more evaluations, and a difference of 0 or more, but is %s,%s"
              .formatted(patience, minDelta));
    }
  }

  /// Why a training ended early.
  ///
  /// @param epoch the number of epochs after which it ended
  /// @param best the epoch with the best error
  /// @param error that error in percent
  public record Stop(int epoch, int best, double error) {}

  /// Returns whether a training may end early.
  @JsonIgnore
  public boolean isGiven() {
    return patience > 0;
  }

  /// Returns why the training ends after these epochs; null if it goes on.
  public @Nullable Stop stop(List<Metrics.Epoch> epochs) {
    if (!isGiven()) {
      return null;
    }
    Metrics.Epoch best = null;
    int waited = 0;
    for (Metrics.Epoch epoch : epochs) {
      if (best == null || error(epoch) < error(best) - minDelta) {
        best = epoch;
        waited = 0;
      } else {
        waited++;
      }
    }
    return best == null || waited < patience
        ? null
        : new Stop(epochs.getLast().epoch(), best.epoch(), error(best));
  }

  /// The error of an epoch; an evaluation that was not a number is the worst.
  private static double error(Metrics.Epoch epoch) {
    var values = epoch.validation().values();
    double error = values.getOrDefault(Metrics.ERROR, epoch.validation().loss());
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }
}
