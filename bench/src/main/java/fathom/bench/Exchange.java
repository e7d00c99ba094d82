package fathom.bench;

import fathom.Scope;
import fathom.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The files through which a peer gets Fathom's net and images, and returns its logits. They are
/// deleted when this is closed.
final class Exchange implements AutoCloseable {
  private final Path folder;

  Exchange() {
    try {
      folder = Files.createTempDirectory("fathom-peer-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Path model() {
    return folder.resolve("net.onnx");
  }

  /// Weights as Fathom reads them.
  Path weights() {
    return folder.resolve("net.safetensors");
  }

  /// Weights as a peer writes and reads them.
  Path torchWeights() {
    return folder.resolve("net.pt");
  }

  Path images() {
    return folder.resolve("images");
  }

  Path logits() {
    return folder.resolve("logits");
  }

  /// Writes float32 in row-major order.
  void writeImages(Tensor x) {
    try (var _ = Scope.open()) {
      Files.write(images(), x.contiguous().segment().toArray(ValueLayout.JAVA_BYTE));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Returns the logits and deletes their file, so that those of the next peer are its own.
  double[] takeLogits() {
    try {
      var floats =
          ByteBuffer.wrap(Files.readAllBytes(logits()))
              .order(ByteOrder.LITTLE_ENDIAN)
              .asFloatBuffer();
      double[] logits = new double[floats.remaining()];
      for (int i = 0; i < logits.length; i++) {
        logits[i] = floats.get(i);
      }
      Files.delete(logits());
      return logits;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      for (Path file : List.of(model(), weights(), torchWeights(), images(), logits(), folder)) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
