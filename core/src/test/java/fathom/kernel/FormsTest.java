package fathom.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every form of the kernels obeys the laws of layers and of recurrent layers, and the form on
/// vectors does so at every width that this processor has. The choice is one of the process, so
/// each runs in a JVM of its own. The tests themselves run the form on vectors, at the widest.
class FormsTest {
  private static final boolean LONG = Boolean.getBoolean("fathom.long");
  private static final String LAYERS = "fathom.LayerLawsTest";
  private static final String RECURRENT = "fathom.recurrent.RecurrentLayerTest";
  private static final String SEQUENCES = "fathom.recurrent.RecurrentLawsTest";

  /// A layer's surroundings hold no kernels: here each row of the table stands alone and in one of
  /// them, with `fathom.long` in all.
  @ParameterizedTest
  @ValueSource(strings = {"scalar", "torch"})
  void theLawsHoldInEveryForm(String form) throws Exception {
    var ended =
        OtherJvm.run(
            List.of(),
            List.of("-D%s=%s".formatted(Kernels.PROPERTY, form)),
            LAYERS,
            RECURRENT,
            SEQUENCES);
    assertEquals(0, ended.exitCode(), ended::output);
  }

  @Test
  void withoutTheVectorModuleTheLawsHoldAndTheFlagIsNamedOnce() throws Exception {
    var ended = OtherJvm.run(List.of(Kernels.FLAG), List.of(), RECURRENT, SEQUENCES);
    assertEquals(0, ended.exitCode(), ended::output);
    assertEquals(2, ended.output().split(Kernels.FLAG, -1).length, ended::output);
  }

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void vectorsOfEveryWidthDoWhatTheLoopsDo(int bytes) throws Exception {
    int widest = FloatVector.SPECIES_PREFERRED.vectorByteSize();
    assumeTrue(bytes <= widest, () -> "this processor's vectors have " + widest + " bytes");
    assumeTrue(bytes < widest || LONG, "the tests themselves run at this width");
    var ended =
        OtherJvm.run(
            List.of(),
            List.of("-XX:MaxVectorSize=" + bytes, "-D%s=%s".formatted(WidthTest.BYTES, bytes)),
            "fathom.kernel.FormsTest$WidthTest",
            "fathom.kernel.LanesTest",
            "fathom.kernel.RowNormTest",
            "fathom.kernel.BatchNormKernelTest",
            "fathom.kernel.BFloat16Test",
            "fathom.kernel.PackedMatrixTest",
            "fathom.kernel.PatchFiltersTest",
            "fathom.kernel.WinogradTest",
            RECURRENT);
    assertEquals(0, ended.exitCode(), ended::output);
  }

  /// That the flag does what it is there for.
  static class WidthTest {
    static final String BYTES = "fathom.test.vector.bytes";

    @Test
    void vectorsAreAsWideAsAskedFor() {
      int asked = Integer.getInteger(BYTES, FloatVector.SPECIES_PREFERRED.vectorByteSize());
      assertEquals(asked, FloatVector.SPECIES_PREFERRED.vectorByteSize());
    }
  }

  @Test
  void theModuleChoosesAndTheProperty() {
    assertEquals(KernelForm.VECTOR, Kernels.ofProcess(null, true));
    assertEquals(KernelForm.TORCH, Kernels.ofProcess(null, false));
    assertEquals(KernelForm.SCALAR, Kernels.ofProcess("scalar", true));
    assertEquals(KernelForm.TORCH, Kernels.ofProcess("torch", true));
    assertEquals(KernelForm.VECTOR, Kernels.ofProcess("VECTOR", true));
    assertRefused("vector", false, Kernels.FLAG);
    assertRefused("fast", true, "is scalar, vector or torch, but is fast");
  }

  private static void assertRefused(String asked, boolean vectors, String part) {
    var e = assertThrows(IllegalArgumentException.class, () -> Kernels.ofProcess(asked, vectors));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
