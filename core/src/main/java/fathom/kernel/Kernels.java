package fathom.kernel;

import fathom.DType;
import fathom.Shape;
import fathom.Tensor;
import fathom.parallel.Cores;
import java.lang.System.Logger.Level;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Chooses which form of a kernel runs. The choice holds for the whole process: vector registers if
/// the JVM has the vector module, libtorch's operations if it has not. With vector registers, norms
/// and recurrent layers compute float64 tensors (those of gradient checks) by the specification,
/// because the vector form is for float32; convolutions give to libtorch what the vector form does
/// not take.
///
/// Tests force a form by the system property `fathom.kernels`, which is `scalar`, `vector` or
/// `torch`.
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

  /// This class is loaded when a kernel on vector registers is first used. A JVM without the vector
  /// module never uses one, and so never loads classes that it does not have.
  private static final class OnVectors {
    private static final BatchNormKernel BATCH_NORM = new BatchNormInMemory(new VectorBatchNorm());
    private static final RowNorm ROW_NORM = new VectorRowNorm();
    private static final Convolution CONVOLUTION = new TiledConvolution();
  }

  /// This class is loaded when a kernel for bfloat16 is first used, which most processes never do.
  private static final class OfBFloat16 {
    private static final BatchNormKernel BATCH_NORM =
        new BatchNormInMemory(VectorBatchNorm.ofBFloat16());
  }

  /// Returns the form that the property's value `asked` names, or the best form if it is null.
  /// Throws `IllegalArgumentException` if it names no form, or names vectors where there are none.
  static KernelForm ofProcess(@Nullable String asked, boolean vectors) {
    if (asked == null) {
      if (!vectors) { // this runs once, when the class is loaded
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

  /// Returns the form in which recurrent layers and [RowNorm] compute tensors of the type and
  /// device of `x`.
  public static KernelForm form(Tensor x) {
    return !x.isOnProcessor() ? KernelForm.TORCH : form(x.type() == DType.FLOAT32);
  }

  private static KernelForm form(boolean forVectors) {
    return OF_PROCESS == KernelForm.VECTOR && !forVectors ? KernelForm.SCALAR : OF_PROCESS;
  }

  /// Returns the kernel that normalizes rows of the type and device of `x`.
  public static RowNorm rowNorm(Tensor x) {
    return switch (form(x)) {
      case SCALAR -> SCALAR_ROW_NORM;
      case VECTOR -> OnVectors.ROW_NORM;
      case TORCH -> TORCH_ROW_NORM;
    };
  }

  /// Returns the batch norm kernel for tensors of the type and device of `x`.
  public static BatchNormKernel batchNorm(Tensor x) {
    boolean half = x.type() == DType.BFLOAT16;
    return switch (x.isOnProcessor() ? form(half || x.type() == DType.FLOAT32) : KernelForm.TORCH) {
      case SCALAR -> SCALAR_BATCH_NORM;
      case VECTOR -> half ? OfBFloat16.BATCH_NORM : OnVectors.BATCH_NORM;
      case TORCH -> TORCH_BATCH_NORM;
    };
  }

  /// Returns the kernel for 3×3 convolutions of images of the shape, type and device of `x`,
  /// N×C×H×W, to `out` channels.
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

  /// Whether 3×3 convolutions of such images to `out` channels run by [Winograd]'s tiles, because
  /// tiles are faster for these sizes. The decision depends on sizes alone, so that a resumed run
  /// repeats the first exactly.
  private static boolean inTiles(Shape x, DType type, int out) {
    return OF_PROCESS == KernelForm.VECTOR
        && type == DType.FLOAT32
        && Winograd.pays(x.size(0), x.size(2), x.size(3), (int) x.size(1), out);
  }

  /// Returns whether a prediction with [TiledFilters], whose filters are transformed once, is the
  /// faster way for 3×3 convolutions of images of shape `x`, N×C×H×W, to `out` channels. The
  /// decision depends on sizes and type alone.
  public static boolean inKeptTiles(Shape x, DType type, int out) {
    return OF_PROCESS == KernelForm.VECTOR
        && type == DType.FLOAT32
        && Winograd.paysKept(x.size(0), x.size(2), x.size(3), (int) x.size(1), out);
  }

  /// Returns whether the free cores of this thread share a prediction with [PatchFilters], because
  /// that is the faster way for them: with AVX-512, where libtorch's own ways to share a product of
  /// few rows stay far behind (docs/speed-log.md). A thread that has one core is faster in
  /// libtorch.
  public static boolean inSharedPatches(DType type) {
    return OF_PROCESS == KernelForm.VECTOR
        && type == DType.FLOAT32
        && PanelProduct.MANY_REGISTERS
        && Cores.parts(Long.MAX_VALUE, 1) > 1;
  }
}
