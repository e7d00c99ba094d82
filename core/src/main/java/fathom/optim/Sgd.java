package fathom.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/// Stochastic gradient descent with momentum m and weight decay λ, as the residual paper's authors
/// ran it: v ← m·v + η·(∇E + λ·w), w ← w − v, on all parameters.
///
/// The rate η is inside the velocity: when it drops by ten, the velocity still carries the old rate
/// for a few steps. With the rate outside, as PyTorch has it, both are the same until the rate
/// changes.
public final class Sgd implements Optimizer {
  private final FlatParams params;
  private final double momentum;
  private final double weightDecay;
  private final MemorySegment velocity;

  public Sgd(FlatParams params, double momentum, double weightDecay) {
    this.params = params;
    this.momentum = momentum;
    this.weightDecay = weightDecay;
    this.velocity = params.zeros();
  }

  @Override
  public void step(double rate) {
    switch (params.type()) {
      case FLOAT32 -> floats((float) rate, (float) momentum, (float) weightDecay);
      case FLOAT64 -> doubles(rate);
      case BFLOAT16, INT64 ->
          throw new IllegalStateException(
              "parameters are FLOAT32 or FLOAT64, not " + params.type());
    }
    params.gradients().fill((byte) 0);
  }

  private void floats(float rate, float m, float decay) {
    MemorySegment w = params.values();
    MemorySegment g = params.gradients();
    MemorySegment v = velocity;
    long count = params.count();
    for (long i = 0; i < count; i++) {
      float value = w.getAtIndex(JAVA_FLOAT, i);
      float moved =
          m * v.getAtIndex(JAVA_FLOAT, i) + rate * (g.getAtIndex(JAVA_FLOAT, i) + decay * value);
      v.setAtIndex(JAVA_FLOAT, i, moved);
      w.setAtIndex(JAVA_FLOAT, i, value - moved);
    }
  }

  private void doubles(double rate) {
    for (long i = 0; i < params.count(); i++) {
      double value = params.values().getAtIndex(JAVA_DOUBLE, i);
      double gradient = params.gradients().getAtIndex(JAVA_DOUBLE, i);
      double moved =
          momentum * velocity.getAtIndex(JAVA_DOUBLE, i) + rate * (gradient + weightDecay * value);
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

  /// The velocity, laid out like the parameters.
  public MemorySegment velocity() {
    return velocity;
  }
}
