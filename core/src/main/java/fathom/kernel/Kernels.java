package fathom.kernel;

import fathom.DType;
import fathom.Shape;
import fathom.Tensor;
import java.lang.System.Logger.Level;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Chooses which form of a kernel runs. The choice is one of the process: vectors where the JVM has
/// the vector module, libtorch's operations where it has not. Within it, what is computed in
/// float64 (checks) runs on the specification, because vectors are for float32.
///
/// For tests the system property `fathom.kernels` forces `scalar`, `vector` or `torch`.
public final class Kernels {
  static final String PROPERTY = "fathom.kernels";
  static final String FLAG = "--add-modules=jdk.incubator.vector";

  private static final KernelForm OF_PROCESS =
      ofProcess(
          System.getProperty(PROPERTY),
          ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent());

  private static final BatchNormKernel SCALAR_BATCH_NORM =
      new BatchNormInMemory(new ScalarBatchNorm());
  private static final BatchNormKernel TORCH_BATCH_NORM = new TorchBatchNorm();
  private static final RowNorm SCALAR_ROW_NORM = new ScalarRowNorm();
  private static final RowNorm TORCH_ROW_NORM = new TorchRowNorm();
  private static final Convolution TORCH_CONVOLUTION = new Convolution.Operation();
  private static final Convolution SCALAR_CONVOLUTION = new ScalarConvolution();

  private Kernels() {}

  /// Loaded when a kernel on vectors is asked for, which a JVM without the module never does.
  private static final class OnVectors {
    private static final BatchNormKernel BATCH_NORM = new BatchNormInMemory(new VectorBatchNorm());
    private static final RowNorm ROW_NORM = new VectorRowNorm();
    private static final Convolution CONVOLUTION = new TiledConvolution();
  }

  /// Loaded when it is first asked for, which most processes never do.
  private static final class OfBFloat16 {
    private static final BatchNormKernel BATCH_NORM =
        new BatchNormInMemory(VectorBatchNorm.ofBFloat16());
  }

  /// Throws `IllegalArgumentException` for what is no form, and for vectors where there are none.
  static KernelForm ofProcess(@Nullable String asked, boolean vectors) {
    if (asked == null) {
      if (!vectors) { // once: this is called when the class is loaded
        System.getLogger(Kernels.class.getName())
            .log(
                Level.WARNING,
                "kernels run as libtorch's operations; Java with %s runs faster ones"
                    .formatted(FLAG));
      }
      return vectors ? KernelForm.VECTOR : KernelForm.TORCH;
    }
    KernelForm form =
        switch (asked.toLowerCase(Locale.ROOT)) {
          case "scalar" -> KernelForm.SCALAR;
          case "vector" -> KernelForm.VECTOR;
          case "torch" -> KernelForm.TORCH;
          default ->
              throw new IllegalArgumentException(
                  "%s is scalar, vector or torch, but is %s".formatted(PROPERTY, asked));
        };
    if (form == KernelForm.VECTOR && !vectors) {
      throw new IllegalArgumentException(
          "%s is vector, but this JVM has no vector module: start Java with %s"
              .formatted(PROPERTY, FLAG));
    }
    return form;
  }

  /// The form in which recurrent layers, and norms of rows, take tensors like this one.
  public static KernelForm form(Tensor x) {
    return !x.isOnProcessor() ? KernelForm.TORCH : form(x.type() == DType.FLOAT32);
  }

  private static KernelForm form(boolean forVectors) {
    return OF_PROCESS == KernelForm.VECTOR && !forVectors ? KernelForm.SCALAR : OF_PROCESS;
  }

  /// The kernel for tensors like this one.
  public static RowNorm rowNorm(Tensor x) {
    return switch (form(x)) {
      case SCALAR -> SCALAR_ROW_NORM;
      case VECTOR -> OnVectors.ROW_NORM;
      case TORCH -> TORCH_ROW_NORM;
    };
  }

  /// The kernel for tensors like this one.
  public static BatchNormKernel batchNorm(Tensor x) {
    boolean half = x.type() == DType.BFLOAT16;
    return switch (x.isOnProcessor() ? form(half || x.type() == DType.FLOAT32) : KernelForm.TORCH) {
      case SCALAR -> SCALAR_BATCH_NORM;
      case VECTOR -> half ? OfBFloat16.BATCH_NORM : OnVectors.BATCH_NORM;
      case TORCH -> TORCH_BATCH_NORM;
    };
  }

  /// The kernel for images like these, N×C×H×W, to `out` channels.
  public static Convolution convolution(Tensor x, int out) {
    if (!x.isOnProcessor() || !Convolution.inFractions(x.type())) {
      return TORCH_CONVOLUTION;
    }
    return switch (OF_PROCESS) {
      case SCALAR -> SCALAR_CONVOLUTION;
      case VECTOR -> inTiles(x.shape(), x.type(), out) ? OnVectors.CONVOLUTION : TORCH_CONVOLUTION;
      case TORCH -> TORCH_CONVOLUTION;
    };
  }

  /// Whether 3×3 convolutions of such images to `out` channels go by tiles, because that is the
  /// faster way. The sizes alone decide, so that a run resumes exactly.
  private static boolean inTiles(Shape x, DType type, int out) {
    return OF_PROCESS == KernelForm.VECTOR
        && type == DType.FLOAT32
        && Winograd.pays(x.size(0), x.size(2), x.size(3), (int) x.size(1), out);
  }

  /// The same for a prediction with [TiledFilters].
  public static boolean inKeptTiles(Shape x, DType type, int out) {
    return OF_PROCESS == KernelForm.VECTOR
        && type == DType.FLOAT32
        && Winograd.paysKept(x.size(0), x.size(2), x.size(3), (int) x.size(1), out);
  }
}
