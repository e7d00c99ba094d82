package fathom.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// Times the prediction of one batch by ONNX Runtime's Java package, with all of its optimizations.
///
/// The arguments are MODEL IMAGES LOGITS N C H W THREADS. IMAGES has N·C·H·W floats in row-major
/// order, little-endian. The logits are written to LOGITS in the same form, to be checked before
/// the time is measured.
final class OnnxRuntime {
  private static final int WARM_UP = 10;

  private OnnxRuntime() {}

  public static void main(String[] args) throws IOException, OrtException {
    long[] shape = new long[4];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Long.parseLong(args[3 + i]);
    }
    var env = OrtEnvironment.getEnvironment();
    try (var options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(Integer.parseInt(args[7]));
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      byte[] bytes = Files.readAllBytes(Path.of(args[1]));
      ByteBuffer memory = ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder());
      memory
          .asFloatBuffer()
          .put(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
      try (var session = env.createSession(args[0], options);
          var pictures = OnnxTensor.createTensor(env, memory.asFloatBuffer(), shape)) {
        Files.write(Path.of(args[2]), bytes(run(session, pictures)));
        for (int i = 0; i < WARM_UP; i++) {
          run(session, pictures);
        }
        Orders.obey(env.getVersion(), () -> run(session, pictures));
      }
    }
  }

  /// Runs the session and returns the logits. Copying them into Java's memory is part of the time,
  /// because a user needs them there.
  private static FloatBuffer run(OrtSession session, OnnxTensor pictures) {
    try (var result = session.run(Map.of("pictures", pictures))) {
      return ((OnnxTensor) result.get(0)).getFloatBuffer();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] bytes(FloatBuffer values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.remaining() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }
}
