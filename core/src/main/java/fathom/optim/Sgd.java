package fathom.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.IntToDoubleFunction;

/// Stochastic gradient descent with momentum m and weight decay λ, in the form that the residual
/// paper's authors used: v ← m·v + η·(∇E + λ·w), w ← w − v, on all parameters.
///
/// The learning rate η is inside the velocity. When it drops by a factor of ten, the velocity still
/// carries the old learning rate for a few steps. In PyTorch the learning rate is outside the
/// velocity; both forms are equal as long as the learning rate does not change.
public final class Sgd implements Optimizer {
  private static final int BLOCK = 1024;

  private final FlatParams params;
  private final double momentum;
  private final double weightDecay;
  private final MemorySegment velocity;

  /// Returns the description of SGD for a training run, with this momentum and weight decay.
  public static Spec of(double momentum, double weightDecay) {
    return new Spec(momentum, weightDecay);
  }

  /// Returns the description of the residual paper's SGD: momentum 0.9 and weight decay 10⁻⁴.
  public static Spec paper() {
    return of(0.9, 1e-4);
  }

  /// The description of SGD, before it has parameters.
  public record Spec(double momentum, double weightDecay) implements Optimizer.Spec {
    /// Throws `IllegalArgumentException` unless the momentum is in [0, 1) and the weight decay is a
    /// finite number of 0 or more.
    public Spec {
      if (!(momentum >= 0 && momentum < 1)) {
        throw new IllegalArgumentException(
            "a momentum is 0 or more and less than 1, but is " + momentum);
      }
      if (!(weightDecay >= 0) || Double.isInfinite(weightDecay)) {
        throw new IllegalArgumentException("a weight decay is 0 or more, but is " + weightDecay);
      }
    }

    @Override
    public Sgd over(FlatParams params, long steps) {
      return new Sgd(params, momentum, weightDecay);
    }
  }

  /// Makes SGD over these parameters, with a velocity of zero.
  public Sgd(FlatParams params, double momentum, double weightDecay) {
    this.params = params;
    this.momentum = momentum;
    this.weightDecay = weightDecay;
    this.velocity = params.zeros();
  }

  @Override
  public void step(double learningRate) {
    step(_ -> learningRate);
  }

  @Override
  public void step(IntToDoubleFunction learningRates) {
    for (FlatParams.Stretch stretch : params.stretches(learningRates)) {
      if (stretch.value() != 0) {
        step(stretch);
      }
    }
    params.gradients().fill((byte) 0);
  }

  private void step(FlatParams.Stretch stretch) {
    switch (params.type()) {
      case FLOAT32 -> floats(stretch, (float) momentum, (float) weightDecay);
      case FLOAT64 -> doubles(stretch);
      case BFLOAT16, INT64 ->
          throw new IllegalStateException(
              "parameters are FLOAT32 or FLOAT64, not " + params.type());
    }
  }

  /// Works in blocks that fit the first-level cache, copied to arrays, because the compiler
  /// vectorizes the loop over arrays.
  private void floats(FlatParams.Stretch stretch, float m, float decay) {
    float learningRate = (float) stretch.value();
    float[] w = new float[BLOCK];
    float[] g = new float[BLOCK];
    float[] v = new float[BLOCK];
    for (long at = stretch.from(); at < stretch.to(); at += BLOCK) {
      int n = (int) Math.min(BLOCK, stretch.to() - at);
      long bytes = Float.BYTES * at;
      MemorySegment.copy(params.values(), JAVA_FLOAT, bytes, w, 0, n);
      MemorySegment.copy(params.gradients(), JAVA_FLOAT, bytes, g, 0, n);
      MemorySegment.copy(velocity, JAVA_FLOAT, bytes, v, 0, n);
      for (int i = 0; i < n; i++) {
        v[i] = m * v[i] + learningRate * (g[i] + decay * w[i]);
        w[i] -= v[i];
      }
      MemorySegment.copy(v, 0, velocity, JAVA_FLOAT, bytes, n);
      MemorySegment.copy(w, 0, params.values(), JAVA_FLOAT, bytes, n);
    }
  }

  private void doubles(FlatParams.Stretch stretch) {
    double learningRate = stretch.value();
    for (long i = stretch.from(); i < stretch.to(); i++) {
      double value = params.values().getAtIndex(JAVA_DOUBLE, i);
      double gradient = params.gradients().getAtIndex(JAVA_DOUBLE, i);
      double moved =
          momentum * velocity.getAtIndex(JAVA_DOUBLE, i)
              + learningRate * (gradient + weightDecay * value);
      velocity.setAtIndex(JAVA_DOUBLE, i, moved);
      params.values().setAtIndex(JAVA_DOUBLE, i, value - moved);
    }
  }

  @Override
  public SequencedMap<String, MemorySegment> blocks() {
    var blocks = new LinkedHashMap<String, MemorySegment>();
    blocks.put("velocity", velocity);
    return blocks;
  }

  /// The velocity, in the layout of the parameters.
  public MemorySegment velocity() {
    return velocity;
  }
}
