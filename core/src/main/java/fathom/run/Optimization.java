package fathom.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import fathom.optim.Adam;
import fathom.optim.Cosine;
import fathom.optim.OneCycle;
import fathom.optim.Optimizer;
import fathom.optim.Plateau;
import fathom.optim.Schedule;
import fathom.optim.Sgd;
import fathom.optim.StepDecay;
import fathom.optim.WarmUpUntil;
import java.util.List;

/// How gradients change the weights in a training.
///
/// @param update the rule by which a gradient becomes a change
/// @param learningRate the learning rate over a training
/// @param clip the largest norm of all gradients together; 0 for no limit
/// @param smoothing the share of every label that the loss spreads evenly over all classes; 0 for
///   none
/// @param classWeights the weight of each class in the loss, in the order of the classes; empty if
///   all count alike
/// @param ema the decay of the moving average of the weights that is evaluated and saved; 0 for
///   none
public record Optimization(
    @JsonUnwrapped Update update,
    @JsonUnwrapped Rate learningRate,
    double clip,
    double smoothing,
    List<Double> classWeights,
    double ema) {
  /// Makes an optimization whose loss counts all classes alike, of weights that are not averaged.
  public Optimization(Update update, Rate learningRate, double clip, double smoothing) {
    this(update, learningRate, clip, smoothing, List.of(), 0);
  }

  /// The optimizers that have a name.
  public enum Method {
    SGD,
    ADAM,
    /// Adam with decoupled weight decay.
    ADAMW
  }

  /// The course of the learning rate, by its name in a recipe.
  public enum Curve {
    /// The learning rate of [StepDecay].
    STEPS,
    /// The learning rate of [Cosine].
    COSINE,
    /// The learning rate of [OneCycle].
    ONE_CYCLE,
    /// The learning rate of [Plateau], with its usual patience.
    PLATEAU
  }

  /// The rule by which a gradient becomes a change.
  ///
  /// @param optimizer the optimizer
  /// @param momentum the momentum of SGD; 0 for Adam and AdamW
  /// @param weightDecay the weight decay of SGD and AdamW; 0 for Adam
  public record Update(Method optimizer, double momentum, double weightDecay) {
    /// The residual paper's momentum and weight decay.
    static final Update SGD = new Update(Method.SGD, 0.9, 1e-4);

    static final Update ADAM = new Update(Method.ADAM, 0, 0);

    /// PyTorch's default weight decay.
    static final Update ADAMW = new Update(Method.ADAMW, 0, 0.01);

    /// Throws `IllegalArgumentException` naming the component that is out of its range.
    public Update {
      if ((optimizer != Method.SGD && momentum != 0)
          || (optimizer == Method.ADAM && weightDecay != 0)) {
        throw new IllegalArgumentException(
            "`momentum` is SGD's and `weightDecay` SGD's and AdamW's, but %s has %s and %s; leave them out, or choose sgd or adamw as `optimizer`"
                .formatted(optimizer, momentum, weightDecay));
      }
      Parts.check(
          "weightDecay",
          weightDecay,
          weightDecay >= 0 && Double.isFinite(weightDecay),
          "0 or more");
    }

    static Update usual(Method method) {
      return switch (method) {
        case SGD -> SGD;
        case ADAM -> ADAM;
        case ADAMW -> ADAMW;
      };
    }

    Optimizer.Spec optimizerSpec() {
      return switch (optimizer) {
        case SGD -> Sgd.of(momentum, weightDecay);
        case ADAM -> Adam.of();
        case ADAMW -> Adam.decoupled(weightDecay);
      };
    }
  }

  /// The learning rate over a training.
  ///
  /// @param curve the course of the learning rate
  /// @param peak the full learning rate
  /// @param divideAt the fractions of all steps at which the learning rate is divided by ten; empty
  ///   for other curves than steps
  /// @param warmUp the number of steps at a tenth of the learning rate before it
  /// @param warmUpError the training error of an epoch in % below which a warm-up ends, whatever
  ///   its number of steps; 0 for a warm-up by steps. See [WarmUpUntil]
  public record Rate(
      Curve curve,
      @JsonProperty("rate") double peak,
      List<Double> divideAt,
      long warmUp,
      double warmUpError) {
    /// Throws `IllegalArgumentException` naming the component that is out of its range.
    public Rate {
      divideAt = List.copyOf(divideAt);
      Parts.check("rate", peak, peak > 0 && Double.isFinite(peak), "a positive learning rate");
      if (curve != Curve.STEPS && !divideAt.isEmpty()) {
        throw new IllegalArgumentException(
            "only a learning rate in steps is divided, but that of %s is to be at %s"
                .formatted(curve, divideAt));
      }
      Parts.check(
          "warmUpError",
          warmUpError,
          warmUpError >= 0 && warmUpError <= 100,
          "a training error in % from 0 to 100");
      if (warmUp > 0 && warmUpError > 0) {
        throw new IllegalArgumentException(
            "a warm-up ends after a number of steps or by the training error, but both were asked for, %s and %s"
                .formatted(warmUp, warmUpError));
      }
      if (curve == Curve.ONE_CYCLE && (warmUp > 0 || warmUpError > 0)) {
        throw new IllegalArgumentException(
            "one cycle begins with a warm-up of its own, but %s steps or a training error of %s more are asked for"
                .formatted(warmUp, warmUpError));
      }
    }

    /// A learning rate that is warmed up for a number of steps.
    Rate(Curve curve, double peak, List<Double> divideAt, long warmUp) {
      this(curve, peak, divideAt, warmUp, 0);
    }

    private Rate withPeak(double other) {
      return new Rate(curve, other, divideAt, warmUp, warmUpError);
    }

    static Rate inSteps(double learningRate, List<Double> divideAt) {
      return new Rate(Curve.STEPS, learningRate, divideAt, 0);
    }

    Schedule schedule() {
      return warmUpError > 0 ? new WarmUpUntil(warmed(), peak, warmUpError) : warmed();
    }

    private Schedule warmed() {
      return switch (curve) {
        case STEPS -> new StepDecay(peak, warmUp, divideAt);
        case COSINE -> new Cosine(peak, warmUp);
        case ONE_CYCLE -> new OneCycle(peak);
        case PLATEAU -> new Plateau(peak, warmUp, Plateau.PATIENCE);
      };
    }
  }

  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Optimization {
    Parts.check(
        "clip",
        clip,
        clip >= 0 && Double.isFinite(clip),
        "the largest norm of the gradients, or 0 for any");
    Parts.check(
        "smoothing", smoothing, smoothing >= 0 && smoothing < 1, "0 or more and less than 1");
    classWeights = List.copyOf(classWeights);
    Parts.check(
        "classWeights",
        classWeights,
        classWeights.stream().allMatch(weight -> weight > 0 && Double.isFinite(weight)),
        "a number above 0 for each class");
    Parts.check("ema", ema, ema >= 0 && ema < 1, "0 or more and less than 1");
  }

  /// Returns the residual paper's SGD, with momentum 0.9 and weight decay 10⁻⁴, at a learning rate
  /// that is divided by ten at these fractions of the steps.
  public static Optimization sgd(double learningRate, List<Double> divideAt) {
    return new Optimization(Update.SGD, Rate.inSteps(learningRate, divideAt), 0, 0);
  }

  /// Returns Adam at a learning rate that is divided by ten at these fractions of the steps.
  public static Optimization adam(double learningRate, List<Double> divideAt) {
    return new Optimization(Update.ADAM, Rate.inSteps(learningRate, divideAt), 0, 0);
  }

  /// Returns the optimizer of a training.
  public Optimizer.Spec optimizer() {
    return update.optimizerSpec();
  }

  /// Returns the learning rate over a training.
  public Schedule schedule() {
    return learningRate.schedule();
  }

  /// Returns this optimization with another optimizer at its usual learning rate and weight decay,
  /// on the same schedule. If `method` is the present optimizer, nothing changes.
  public Optimization by(Method method) {
    return method == update.optimizer()
        ? this
        : new Optimization(
            Update.usual(method),
            learningRate.withPeak(method == Method.SGD ? 0.1 : 1e-3),
            clip,
            smoothing,
            classWeights,
            ema);
  }

  /// Returns this optimization with another full learning rate.
  public Optimization withRate(double full) {
    return with(learningRate.withPeak(full));
  }

  Optimization withWarmUp(long steps) {
    return with(
        new Rate(learningRate.curve(), learningRate.peak(), learningRate.divideAt(), steps));
  }

  /// Returns this optimization with another curve. A new curve other than steps drops the points at
  /// which the learning rate is divided, and one cycle drops the warm-up, because it has its own.
  public Optimization withCurve(Curve curve) {
    return with(
        new Rate(
            curve,
            learningRate.peak(),
            curve == Curve.STEPS ? learningRate.divideAt() : List.of(),
            curve == Curve.ONE_CYCLE ? 0 : learningRate.warmUp(),
            curve == Curve.ONE_CYCLE ? 0 : learningRate.warmUpError()));
  }

  /// Returns this optimization in steps, with the learning rate divided by ten at these fractions
  /// of the steps.
  Optimization dividedAt(List<Double> fractions) {
    return with(
        new Rate(
            Curve.STEPS,
            learningRate.peak(),
            fractions,
            learningRate.warmUp(),
            learningRate.warmUpError()));
  }

  /// Returns this optimization with a warm-up until the training error of an epoch is below this
  /// number of %; 0 for no warm-up.
  Optimization withWarmUpUntil(double error) {
    return with(
        new Rate(learningRate.curve(), learningRate.peak(), learningRate.divideAt(), 0, error));
  }

  /// Returns this optimization with another momentum. Throws `IllegalArgumentException` for an
  /// optimizer that has none.
  Optimization withMomentum(double momentum) {
    return new Optimization(
        new Update(update.optimizer(), momentum, update.weightDecay()),
        learningRate,
        clip,
        smoothing,
        classWeights,
        ema);
  }

  private Optimization with(Rate other) {
    return new Optimization(update, other, clip, smoothing, classWeights, ema);
  }

  /// Returns this optimization with another weight decay. Throws `IllegalArgumentException` for an
  /// optimizer that has none.
  public Optimization withWeightDecay(double weightDecay) {
    return new Optimization(
        new Update(update.optimizer(), update.momentum(), weightDecay),
        learningRate,
        clip,
        smoothing,
        classWeights,
        ema);
  }

  /// Returns this optimization with another limit of the gradients' norm; 0 for no limit.
  public Optimization withClip(double clip) {
    return new Optimization(update, learningRate, clip, smoothing, classWeights, ema);
  }

  /// Returns this optimization with another label smoothing.
  public Optimization withSmoothing(double smoothing) {
    return new Optimization(update, learningRate, clip, smoothing, classWeights, ema);
  }

  /// Returns this optimization with a weight for each class; an empty list counts all alike.
  public Optimization withClassWeights(List<Double> weights) {
    return new Optimization(update, learningRate, clip, smoothing, weights, ema);
  }

  /// Returns this optimization with a moving average of the weights of another decay; 0 for none.
  public Optimization withEma(double ema) {
    return new Optimization(update, learningRate, clip, smoothing, classWeights, ema);
  }
}
