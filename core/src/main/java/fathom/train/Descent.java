package fathom.train;

import fathom.FlatParams;
import fathom.optim.Adam;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import java.util.List;

/// How gradients change the weights in a training.
///
/// @param rate the full learning rate
/// @param divideAt the fractions of all steps at which the rate is divided by ten
/// @param warmUp the steps at a tenth of the rate before it
/// @param momentum of SGD; 0 for Adam
/// @param weightDecay of SGD; 0 for Adam
/// @param clip the largest norm of all gradients together; 0 for any
public record Descent(
    Method optimizer,
    double rate,
    List<Double> divideAt,
    long warmUp,
    double momentum,
    double weightDecay,
    double clip) {
  /// The optimizers.
  public enum Method {
    SGD,
    ADAM
  }

  public Descent {
    divideAt = List.copyOf(divideAt);
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is positive, but is " + rate);
    }
    if (!(clip >= 0) || Double.isInfinite(clip)) {
      throw new IllegalArgumentException(
          "gradients are clipped to a positive norm, or not at all (0), but --clip is " + clip);
    }
    if (optimizer == Method.ADAM && (momentum != 0 || weightDecay != 0)) {
      throw new IllegalArgumentException(
          "Adam has no momentum and no weight decay of SGD's, but they are %s and %s"
              .formatted(momentum, weightDecay));
    }
  }

  /// The residual paper's SGD: momentum 0.9 and weight decay 10⁻⁴.
  static Descent sgd(double rate, List<Double> divideAt) {
    return new Descent(Method.SGD, rate, divideAt, 0, 0.9, 1e-4, 0);
  }

  static Descent adam(double rate, List<Double> divideAt) {
    return new Descent(Method.ADAM, rate, divideAt, 0, 0, 0, 0);
  }

  Optimizer over(FlatParams params, long steps) {
    return switch (optimizer) {
      case SGD -> new Sgd(params, momentum, weightDecay);
      case ADAM -> new Adam(params, steps);
    };
  }

  /// The rate over `steps` steps in all.
  Schedule schedule(long steps) {
    return Schedule.divided(
            rate, steps, divideAt.stream().mapToDouble(Double::doubleValue).toArray())
        .withWarmUp(warmUp);
  }

  Descent withRate(double rate) {
    return new Descent(optimizer, rate, divideAt, warmUp, momentum, weightDecay, clip);
  }

  Descent withWarmUp(long warmUp) {
    return new Descent(optimizer, rate, divideAt, warmUp, momentum, weightDecay, clip);
  }

  Descent withClip(double clip) {
    return new Descent(optimizer, rate, divideAt, warmUp, momentum, weightDecay, clip);
  }

  /// The other optimizer at its usual rate, on the same schedule.
  Descent by(Method method) {
    return switch (method) {
      case SGD -> sgd(0.1, divideAt).withWarmUp(warmUp).withClip(clip);
      case ADAM -> adam(1e-3, divideAt).withWarmUp(warmUp).withClip(clip);
    };
  }
}
