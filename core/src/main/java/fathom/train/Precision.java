package fathom.train;

import fathom.DType;
import fathom.DeviceException;
import fathom.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The type of the values between the layers. While a net is trained, weights, gradients of
/// weights, statistics, losses and sums are float32 or better in either, and so is what is
/// evaluated on the way; a trained net can be asked to predict in either.
public enum Precision {
  /// Float32.
  FP32(DType.FLOAT32),
  /// Bfloat16: the range of float32 with 8 bits of precision, in half of the memory.
  BF16(DType.BFLOAT16);

  private static final Path PROCESSOR = Path.of("/proc/cpuinfo");

  /// As Linux calls the instructions, of x86 and of ARM.
  private static final List<String> INSTRUCTIONS = List.of("avx512_bf16", "amx_bf16", "bf16");

  private final DType type;

  Precision(DType type) {
    this.type = type;
  }

  public DType type() {
    return type;
  }

  /// The images in this type: a second handle if they have it.
  public Tensor of(Tensor images) {
    return images.to(type);
  }

  /// Throws [DeviceException] if the processor has no instructions for this type. Without them
  /// libtorch computes in float32 and converts, which saves memory at the price of time. Where a
  /// system does not say what its processor has, nothing is refused.
  public void check() {
    if (Files.isReadable(PROCESSOR)) {
      try (Stream<String> lines = Files.lines(PROCESSOR)) {
        check(lines.toList());
      } catch (IOException | UncheckedIOException e) {
        return; // it does not say
      }
    }
  }

  /// The same for a processor of which these lines tell.
  void check(List<String> lines) {
    Set<String> has = new HashSet<>();
    for (String line : lines) {
      if (line.startsWith("flags") || line.startsWith("Features")) {
        has.addAll(Arrays.asList(line.substring(line.indexOf(':') + 1).strip().split("\\s+")));
      }
    }
    if (this == BF16 && !has.isEmpty() && INSTRUCTIONS.stream().noneMatch(has::contains)) {
      throw new DeviceException(
          "`precision` bf16 needs a processor with one of the instruction sets %s, but this one has none of them; take `precision` fp32"
              .formatted(String.join(", ", INSTRUCTIONS)));
    }
  }
}
