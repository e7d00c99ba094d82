package fathom.run;

import fathom.optim.Adam;
import fathom.optim.Cosine;
import fathom.optim.OneCycle;
import fathom.optim.Optimizer;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.optim.StepDecay;
import java.util.List;

/// How gradients change the weights in a training.
///
/// @param rate the full learning rate
/// @param divideAt the fractions of all steps at which the rate is divided by ten
/// @param warmUp the steps at a tenth of the rate before it
/// @param momentum of SGD; 0 for Adam
/// @param weightDecay of SGD and AdamW; 0 for Adam
/// @param clip the largest norm of all gradients together; 0 for any
/// @param curve how the rate goes; `divideAt` is for steps, and empty for the others
/// @param smoothing of the labels in the loss; 0 for none
public record Descent(
    Method optimizer,
    double rate,
    List<Double> divideAt,
    long warmUp,
    double momentum,
    double weightDecay,
    double clip,
    Curve curve,
    double smoothing) {
  /// PyTorch's.
  private static final double ADAMW_DECAY = 0.01;

  /// How the learning rate goes, as it is named in a recipe.
  public enum Curve {
    /// [StepDecay]
    STEPS,
    /// [Cosine]
    COSINE,
    /// [OneCycle]
    ONE_CYCLE
  }

  /// The optimizers.
  public enum Method {
    SGD,
    ADAM,
    /// Adam with decoupled weight decay.
    ADAMW
  }

  public Descent {
    divideAt = List.copyOf(divideAt);
    if (!(rate > 0) || Double.isInfinite(rate)) {
      throw new IllegalArgumentException("the learning rate is positive, but --lr is " + rate);
    }
    if (!(clip >= 0) || Double.isInfinite(clip)) {
      throw new IllegalArgumentException(
          "gradients are clipped to a positive norm, or not at all (0), but --clip is " + clip);
    }
    if ((optimizer != Method.SGD && momentum != 0)
        || (optimizer == Method.ADAM && weightDecay != 0)) {
      throw new IllegalArgumentException(
          "momentum is SGD's, and weight decay SGD's and AdamW's, but %s has %s and %s; leave them out, or choose --optimizer sgd or adamw"
              .formatted(optimizer, momentum, weightDecay));
    }
    if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
      throw new IllegalArgumentException(
          "a weight decay is 0 or more, but --weight-decay is " + weightDecay);
    }
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(
          "labels are smoothed by 0 or more and less than 1, but --label-smoothing is "
              + smoothing);
    }
    if (curve != Curve.STEPS && !divideAt.isEmpty()) {
      throw new IllegalArgumentException(
          "only a rate in steps is divided, but that of %s is to be at %s"
              .formatted(curve, divideAt));
    }
    if (curve == Curve.ONE_CYCLE && warmUp > 0) {
      throw new IllegalArgumentException(
          "one cycle begins with a warm-up of its own, but %s steps more are asked for"
              .formatted(warmUp));
    }
  }

  /// The residual paper's SGD: momentum 0.9 and weight decay 10⁻⁴.
  static Descent sgd(double rate, List<Double> divideAt) {
    return new Descent(Method.SGD, rate, divideAt, 0, 0.9, 1e-4, 0, Curve.STEPS, 0);
  }

  static Descent adam(double rate, List<Double> divideAt) {
    return new Descent(Method.ADAM, rate, divideAt, 0, 0, 0, 0, Curve.STEPS, 0);
  }

  /// The optimizer of a training.
  public Optimizer.Spec optimization() {
    return switch (optimizer) {
      case SGD -> Sgd.of(momentum, weightDecay);
      case ADAM -> Adam.of();
      case ADAMW -> Adam.decoupled(weightDecay);
    };
  }

  /// The learning rate over a training.
  public Schedule schedule() {
    return switch (curve) {
      case STEPS -> new StepDecay(rate, warmUp, divideAt);
      case COSINE -> new Cosine(rate, warmUp);
      case ONE_CYCLE -> new OneCycle(rate);
    };
  }

  Descent withRate(double rate) {
    return with(rate, warmUp, weightDecay, clip, smoothing);
  }

  Descent withWarmUp(long warmUp) {
    return with(rate, warmUp, weightDecay, clip, smoothing);
  }

  Descent withWeightDecay(double weightDecay) {
    return with(rate, warmUp, weightDecay, clip, smoothing);
  }

  Descent withClip(double clip) {
    return with(rate, warmUp, weightDecay, clip, smoothing);
  }

  Descent withSmoothing(double smoothing) {
    return with(rate, warmUp, weightDecay, clip, smoothing);
  }

  private Descent with(
      double rate, long warmUp, double weightDecay, double clip, double smoothing) {
    return new Descent(
        optimizer, rate, divideAt, warmUp, momentum, weightDecay, clip, curve, smoothing);
  }

  /// On another curve; the points at which a rate in steps is divided are forgotten, and so is a
  /// warm-up before a curve that has one of its own.
  Descent withCurve(Curve curve) {
    return new Descent(
        optimizer,
        rate,
        curve == Curve.STEPS ? divideAt : List.of(),
        curve == Curve.ONE_CYCLE ? 0 : warmUp,
        momentum,
        weightDecay,
        clip,
        curve,
        smoothing);
  }

  /// Another optimizer at its usual rate and weight decay, on the same schedule.
  Descent by(Method method) {
    boolean sgd = method == Method.SGD;
    return new Descent(
        method,
        sgd ? 0.1 : 1e-3,
        divideAt,
        warmUp,
        sgd ? 0.9 : 0,
        switch (method) {
          case SGD -> 1e-4;
          case ADAM -> 0;
          case ADAMW -> ADAMW_DECAY;
        },
        clip,
        curve,
        smoothing);
  }
}
