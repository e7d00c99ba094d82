package fathom.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxModelMetadata;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import fathom.Node;
import fathom.Param;
import fathom.RandomKey;
import fathom.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// A model of a file that ONNX Runtime runs. Tensors of an input are added by name, and each run
/// uses those that were added since the last one.
final class ModelSession implements AutoCloseable {
  /// What a tensor may differ by, relative to the largest element of it.
  private static final double RELATIVE = 1e-4;

  private static final RandomKey TRAINED = RandomKey.of(1, "onnx");

  private final OrtEnvironment env = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final Map<String, OnnxTensor> inputs = new HashMap<>();

  ModelSession(Path file) throws OrtException {
    try (var options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      session = env.createSession(file.toString(), options);
    }
  }

  ModelSession with(String name, Tensor values) throws OrtException {
    double[] elements = values.toDoubles();
    float[] floats = new float[elements.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) elements[i];
    }
    long[] shape = values.shape().toArray();
    inputs.put(name, OnnxTensor.createTensor(env, FloatBuffer.wrap(floats), shape));
    return this;
  }

  ModelSession with(String name, byte[] values, long... shape) throws OrtException {
    var buffer = ByteBuffer.allocateDirect(values.length).put(values).flip();
    inputs.put(name, OnnxTensor.createTensor(env, buffer, shape, OnnxJavaType.UINT8));
    return this;
  }

  /// Adds the texts of T×N tokens, which the model takes as N×T.
  ModelSession withTokens(int[][] tokens) throws OrtException {
    int n = tokens[0].length;
    long[] flat = new long[n * tokens.length];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = tokens[i % tokens.length][i / tokens.length];
    }
    long[] shape = {n, tokens.length};
    inputs.put("tokens", OnnxTensor.createTensor(env, LongBuffer.wrap(flat), shape));
    return this;
  }

  /// Runs the model and returns all its outputs. They live in the innermost scope.
  Map<String, Tensor> run() throws OrtException {
    var outputs = new HashMap<String, Tensor>();
    try (var result = session.run(inputs)) {
      for (var entry : result) {
        var value = (OnnxTensor) entry.getValue();
        FloatBuffer buffer = value.getFloatBuffer();
        double[] all = new double[buffer.remaining()];
        Arrays.setAll(all, buffer::get);
        outputs.put(entry.getKey(), Tensor.of(all, value.getInfo().getShape()));
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
      inputs.clear();
    }
    return outputs;
  }

  /// What the file says of an input or output.
  TensorInfo said(String name) throws OrtException {
    var port = session.getInputInfo().get(name);
    return (TensorInfo) (port == null ? session.getOutputInfo().get(name) : port).getInfo();
  }

  OnnxModelMetadata metadata() throws OrtException {
    return session.getMetadata();
  }

  /// The names of inputs and outputs.
  Set<String> names() {
    var names = new TreeSet<>(session.getInputNames());
    names.addAll(session.getOutputNames());
    return names;
  }

  static void same(Tensor expected, Tensor is, String of) {
    assertArrayEquals(expected.shape().toArray(), is.shape().toArray(), of);
    double[] numbers = expected.toDoubles();
    double scale = Arrays.stream(numbers).map(Math::abs).max().orElseThrow();
    assertTrue(scale > 1e-3, "these say nothing: " + of);
    assertArrayEquals(numbers, is.toDoubles(), RELATIVE * scale, of);
  }

  /// Gives every parameter and buffer of one dimension values as after a training: those of a new
  /// norm would do nothing.
  static <N extends Node> N asTrained(N net) {
    int i = 0;
    for (Param param : net.state().values()) {
      if (param.value().shape().rank() == 1) {
        RandomKey own = TRAINED.at(i);
        double[] values = new double[(int) param.value().shape().size(0)];
        Arrays.setAll(values, k -> 0.5 + own.uniform(k));
        param.value().copy_(values);
      }
      i++;
    }
    return net;
  }

  @Override
  public void close() throws OrtException {
    inputs.values().forEach(OnnxTensor::close);
    session.close();
  }
}
