package fathom.kernel;

import fathom.DType;
import java.lang.System.Logger.Level;

/// Chooses, once, which kernels run on this JVM.
public final class Kernels {
  private static final BatchNormKernel SCALAR = new ScalarBatchNorm();
  private static final BatchNormKernel FASTEST = fastest();

  private Kernels() {}

  /// The kernel for elements of this type.
  public static BatchNormKernel batchNorm(DType type) {
    return type == DType.FLOAT32 ? FASTEST : SCALAR;
  }

  private static BatchNormKernel fastest() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      System.getLogger(Kernels.class.getName())
          .log(
              Level.WARNING,
              "kernels run element by element: start Java with --add-modules=jdk.incubator.vector");
      return SCALAR;
    }
    return new VectorBatchNorm();
  }
}
