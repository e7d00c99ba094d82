package fathom.kernel;

import fathom.DType;
import java.lang.System.Logger.Level;

/// Chooses, once, which kernels run on this JVM.
public final class Kernels {
  private static final BatchNormKernel SCALAR = new ScalarBatchNorm();
  private static final LayerNormKernel SCALAR_LAYER_NORM = new ScalarLayerNorm();
  private static final boolean VECTORS = hasVectors();
  private static final BatchNormKernel VECTOR = VECTORS ? new VectorBatchNorm() : SCALAR;
  private static final LayerNormKernel VECTOR_LAYER_NORM =
      VECTORS ? new VectorLayerNorm() : SCALAR_LAYER_NORM;

  private Kernels() {}

  /// Loaded when it is first asked for, which most processes never do.
  private static final class OfBFloat16 {
    private static final BatchNormKernel BATCH_NORM =
        VECTORS ? VectorBatchNorm.ofBFloat16() : SCALAR;
  }

  /// The kernel for elements of this type.
  public static BatchNormKernel batchNorm(DType type) {
    return switch (type) {
      case FLOAT32 -> VECTOR;
      case BFLOAT16 -> OfBFloat16.BATCH_NORM;
      case FLOAT64, INT64 -> SCALAR;
    };
  }

  /// The kernel for elements of this type.
  public static LayerNormKernel layerNorm(DType type) {
    return onVectors(type) ? VECTOR_LAYER_NORM : SCALAR_LAYER_NORM;
  }

  /// Whether layer norm and recurrent layers do their work on elements of this type on vector
  /// registers.
  public static boolean onVectors(DType type) {
    return VECTORS && type == DType.FLOAT32;
  }

  private static boolean hasVectors() {
    boolean here = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    if (!here) {
      System.getLogger(Kernels.class.getName())
          .log(
              Level.WARNING,
              "kernels run element by element: start Java with --add-modules=jdk.incubator.vector");
    }
    return here;
  }
}
