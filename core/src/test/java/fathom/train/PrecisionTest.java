package fathom.train;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.DeviceException;
import java.util.List;
import org.junit.jupiter.api.Test;

class PrecisionTest {
  @Test
  void aProcessorWithoutBFloat16IsRefused() {
    var without =
        List.of("model name : any", "flags\t\t: fpu avx512f avx512_vnni amx_tile amx_int8");
    var e = assertThrows(DeviceException.class, () -> Precision.BF16.check(without));
    assertTrue(e.getMessage().contains("avx512_bf16"), e.getMessage());
    assertTrue(e.getMessage().contains("`precision` fp32"), e.getMessage());
    Precision.FP32.check(without);
    for (String has :
        List.of("flags : avx2 avx512_bf16", "flags\t: amx_bf16", "Features : fp bf16 i8mm")) {
      Precision.BF16.check(List.of("processor : 0", has));
    }
    Precision.BF16.check(List.of("processor : 0")); // which does not say
  }
}
