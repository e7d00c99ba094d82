package fathom.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;

/// Adam (Kingma and Ba 2015, algorithm 1): m ← β1·m + (1−β1)·g, v ← β2·v + (1−β2)·g², and in step
/// t, counted from 1, w ← w − η · (m / (1−β1ᵗ)) / (√(v / (1−β2ᵗ)) + ε). It applies to all
/// parameters, with the paper's β1 = 0.9, β2 = 0.999 and ε = 10⁻⁸.
///
/// With a weight decay λ it is AdamW (Loshchilov and Hutter 2019, algorithm 2): each step also
/// subtracts η·λ·w from w, outside the moments, so that all weights shrink by the same factor
/// however large their gradients are. Here η is the learning rate of the step, as in PyTorch; the
/// paper multiplies λ only by the schedule.
public final class Adam implements Optimizer {
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPSILON = 1e-8;

  private final FlatParams params;
  private final double weightDecay;
  private final MemorySegment mean;
  private final MemorySegment square;
  private long t;

  /// Returns the description of Adam for a training run.
  public static Spec of() {
    return new Spec(0);
  }

  /// Returns the description of AdamW for a training run, with this decoupled weight decay, 0 or
  /// more.
  public static Spec decoupled(double weightDecay) {
    return new Spec(weightDecay);
  }

  /// The description of Adam, before it has parameters; with a weight decay above 0 it is AdamW.
  public record Spec(double weightDecay) implements Optimizer.Spec {
    /// Throws `IllegalArgumentException` unless the weight decay is a finite number of 0 or more.
    public Spec {
      if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
        throw new IllegalArgumentException("a weight decay is 0 or more, but is " + weightDecay);
      }
    }

    @Override
    public Adam over(FlatParams params, long steps) {
      return new Adam(params, steps, weightDecay);
    }
  }

  /// Makes Adam over these parameters, before the first step.
  public Adam(FlatParams params) {
    this(params, 0);
  }

  /// Makes Adam over these parameters as it is after `steps` steps; the caller still has to fill
  /// [#blocks()].
  public Adam(FlatParams params, long steps) {
    this(params, steps, 0);
  }

  /// Makes AdamW with this weight decay, as it is after `steps` steps; the caller still has to fill
  /// [#blocks()]. Throws `IllegalArgumentException` unless the weight decay is a finite number of 0
  /// or more, and the steps are 0 or more.
  public Adam(FlatParams params, long steps, double weightDecay) {
    new Spec(weightDecay); // refuses what is no weight decay
    if (steps < 0) {
      throw new IllegalArgumentException("0 or more steps have been made, not " + steps);
    }
    this.params = params;
    this.weightDecay = weightDecay;
    this.mean = params.zeros();
    this.square = params.zeros();
    this.t = steps;
  }

  @Override
  public void step(double learningRate) {
    step(_ -> learningRate);
  }

  @Override
  public void step(IntToDoubleFunction learningRates) {
    t++;
    for (FlatParams.Stretch stretch : params.stretches(learningRates)) {
      if (stretch.value() != 0) {
        step(stretch);
      }
    }
    params.gradients().fill((byte) 0);
  }

  private void step(FlatParams.Stretch stretch) {
    double learningRate = stretch.value();
    double meanScale = learningRate / (1 - StrictMath.pow(BETA1, (double) t));
    double rootScale = 1 / Math.sqrt(1 - StrictMath.pow(BETA2, (double) t));
    switch (params.type()) {
      case FLOAT32 ->
          floats(
              stretch,
              (float) meanScale,
              (float) rootScale,
              (float) (1 - learningRate * weightDecay));
      case FLOAT64 -> doubles(stretch, meanScale, rootScale, 1 - learningRate * weightDecay);
      case BFLOAT16, INT64 ->
          throw new IllegalStateException(
              "parameters are FLOAT32 or FLOAT64, not " + params.type());
    }
  }

  private void floats(FlatParams.Stretch stretch, float meanScale, float rootScale, float kept) {
    MemorySegment w = params.values();
    MemorySegment gradients = params.gradients();
    MemorySegment m = mean;
    MemorySegment v = square;
    for (long i = stretch.from(); i < stretch.to(); i++) {
      float g = gradients.getAtIndex(JAVA_FLOAT, i);
      float first = (float) BETA1 * m.getAtIndex(JAVA_FLOAT, i) + (float) (1 - BETA1) * g;
      float second = (float) BETA2 * v.getAtIndex(JAVA_FLOAT, i) + (float) (1 - BETA2) * g * g;
      m.setAtIndex(JAVA_FLOAT, i, first);
      v.setAtIndex(JAVA_FLOAT, i, second);
      float root = rootScale * (float) Math.sqrt(second) + (float) EPSILON;
      w.setAtIndex(JAVA_FLOAT, i, kept * w.getAtIndex(JAVA_FLOAT, i) - meanScale * first / root);
    }
  }

  private void doubles(
      FlatParams.Stretch stretch, double meanScale, double rootScale, double kept) {
    for (long i = stretch.from(); i < stretch.to(); i++) {
      double g = params.gradients().getAtIndex(JAVA_DOUBLE, i);
      double first = BETA1 * mean.getAtIndex(JAVA_DOUBLE, i) + (1 - BETA1) * g;
      double second = BETA2 * square.getAtIndex(JAVA_DOUBLE, i) + (1 - BETA2) * g * g;
      mean.setAtIndex(JAVA_DOUBLE, i, first);
      square.setAtIndex(JAVA_DOUBLE, i, second);
      double moved = meanScale * first / (rootScale * Math.sqrt(second) + EPSILON);
      params
          .values()
          .setAtIndex(JAVA_DOUBLE, i, kept * params.values().getAtIndex(JAVA_DOUBLE, i) - moved);
    }
  }

  @Override
  public SequencedMap<String, MemorySegment> blocks() {
    var blocks = new LinkedHashMap<String, MemorySegment>();
    blocks.put("mean", mean);
    blocks.put("square", square);
    return blocks;
  }
}
