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

/// The type of the activations between the layers during training. With either type, weights, their
/// gradients, statistics, losses and sums are float32 or better, and so are the evaluations during
/// a training. A trained net can predict with either type.
public enum Precision {
  /// Activations in float32.
  FP32(DType.FLOAT32),
  /// Activations in bfloat16, which has the range of float32 with 8 bits of precision, in half of
  /// the memory.
  BF16(DType.BFLOAT16);

  private static final Path PROCESSOR = Path.of("/proc/cpuinfo");

  /// The names that Linux gives to the instructions, on x86 and on ARM.
  private static final List<String> INSTRUCTIONS = List.of("avx512_bf16", "amx_bf16", "bf16");

  private final DType type;

  Precision(DType type) {
    this.type = type;
  }

  /// Returns the element type.
  public DType type() {
    return type;
  }

  /// Returns the images in this type; if they have it already, the result is a second handle of
  /// them.
  public Tensor of(Tensor images) {
    return images.to(type);
  }

  /// Throws [DeviceException] if the processor has no instructions for this type. Without them
  /// libtorch computes in float32 and converts, which saves memory but takes more time. On a system
  /// that does not list its processor's instructions, nothing is refused.
  public void check() {
    if (Files.isReadable(PROCESSOR)) {
      try (Stream<String> lines = Files.lines(PROCESSOR)) {
        check(lines.toList());
      } catch (IOException | UncheckedIOException e) {
        return; // the system does not list the instructions
      }
    }
  }

  /// Checks a processor that these lines describe.
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
