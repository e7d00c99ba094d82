package fathom.optim;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import fathom.FlatParams;
import java.lang.foreign.MemorySegment;

/// Gradient clipping by the global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1). If the
/// norm ‖g‖ over all parameters together is above a limit θ, then g ← g · θ / ‖g‖.
public final class Clip {
  private Clip() {}

  /// Returns the Euclidean norm of all gradients together.
  public static double norm(FlatParams params) {
    MemorySegment g = params.gradients();
    long count = params.count();
    double sum = 0;
    switch (params.type()) {
      case FLOAT32 -> {
        for (long i = 0; i < count; i++) {
          double each = g.getAtIndex(JAVA_FLOAT, i);
          sum += each * each;
        }
      }
      case FLOAT64 -> {
        for (long i = 0; i < count; i++) {
          double each = g.getAtIndex(JAVA_DOUBLE, i);
          sum += each * each;
        }
      }
      case BFLOAT16, INT64 ->
          throw new IllegalStateException(
              "parameters are FLOAT32 or FLOAT64, not " + params.type());
    }
    return Math.sqrt(sum);
  }

  /// Scales the gradients down to the norm `limit` if their norm is larger, and returns the norm
  /// before that. Throws `IllegalArgumentException` unless the limit is positive.
  public static double to(FlatParams params, double limit) {
    if (!(limit > 0)) {
      throw new IllegalArgumentException("the limit of a norm is positive, but is " + limit);
    }
    double norm = norm(params);
    if (norm > limit) {
      scale(params, limit / norm);
    }
    return norm;
  }

  private static void scale(FlatParams params, double factor) {
    MemorySegment g = params.gradients();
    long count = params.count();
    for (long i = 0; i < count; i++) {
      switch (params.type()) {
        case FLOAT32 -> g.setAtIndex(JAVA_FLOAT, i, (float) (factor * g.getAtIndex(JAVA_FLOAT, i)));
        case FLOAT64 -> g.setAtIndex(JAVA_DOUBLE, i, factor * g.getAtIndex(JAVA_DOUBLE, i));
        case BFLOAT16, INT64 -> throw new IllegalStateException("not of " + params.type());
      }
    }
  }
}
