package fathom.train;

import fathom.BadFileException;
import fathom.FlatParams;
import fathom.Layer;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Normalization;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.optim.Sgd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// A position in a run: weights and buffers under their paths, the optimizer's velocity under
/// `optimizer.velocity.`, what is subtracted from pictures under `input.`, and how far the run has
/// come.
///
/// @param step the steps that have been made
/// @param seconds the time they took
/// @param lossSum the sum of the losses of the pictures that the current epoch has seen
/// @param errorSum how many of them were predicted wrongly
record Checkpoint(long step, double seconds, double lossSum, double errorSum) {
  private static final String VELOCITY = "optimizer.velocity.";
  private static final String MEAN = "input.mean";
  private static final String DEVIATION = "input.deviation";

  void write(Path file, Layer net, FlatParams flat, Sgd sgd, Normalization normalization) {
    try (var _ = Scope.open()) {
      var tensors = Weights.stored(net);
      int i = 0;
      for (var entry : net.state().entrySet()) {
        if (entry.getValue().trained()) {
          tensors.put(VELOCITY + entry.getKey(), Weights.stored(flat.part(sgd.velocity(), i++)));
        }
      }
      tensors.put(MEAN, vector(normalization.mean()));
      tensors.put(DEVIATION, vector(normalization.deviation()));
      var metadata = new LinkedHashMap<String, String>();
      metadata.put("fathom.step", Long.toString(step));
      metadata.put("fathom.seconds", Double.toString(seconds));
      metadata.put("fathom.lossSum", Double.toString(lossSum));
      metadata.put("fathom.errorSum", Double.toString(errorSum));
      SafeTensors.write(file, tensors, metadata);
    }
  }

  private static StoredTensor vector(float[] values) {
    return Weights.stored(Tensor.of(values, values.length));
  }

  /// Where the run of this checkpoint stands.
  static Checkpoint position(Path file) {
    try (var stored = SafeTensors.open(file)) {
      Map<String, String> metadata = stored.metadata();
      return new Checkpoint(
          (long) number(file, metadata, "fathom.step"),
          number(file, metadata, "fathom.seconds"),
          number(file, metadata, "fathom.lossSum"),
          number(file, metadata, "fathom.errorSum"));
    }
  }

  private static double number(Path file, Map<String, String> metadata, String key) {
    String text = metadata.get(key);
    try {
      if (text != null) {
        return Double.parseDouble(text);
      }
    } catch (NumberFormatException e) {
      throw new BadFileException(file, "%s is a number, but is \"%s\"".formatted(key, text), e);
    }
    throw new BadFileException(
        file,
        "a run's checkpoint has the entry %s, but this file does not; is it of a run?"
            .formatted(key));
  }

  static void readVelocity(Path file, Layer net, FlatParams flat, Sgd sgd) {
    try (var stored = SafeTensors.open(file);
        var _ = Scope.open()) {
      int i = 0;
      for (Map.Entry<String, Param> entry : net.state().entrySet()) {
        if (entry.getValue().trained()) {
          Weights.copy(stored, VELOCITY + entry.getKey(), flat.part(sgd.velocity(), i++));
        }
      }
    }
  }

  /// What the run of this checkpoint does to pictures.
  static Normalization normalization(Path file) {
    try (var stored = SafeTensors.open(file)) {
      return new Normalization(floats(stored, MEAN), floats(stored, DEVIATION));
    }
  }

  private static float[] floats(SafeTensors stored, String name) {
    var tensor = stored.tensor(name);
    var values = new float[(int) tensor.shape().elements()];
    MemorySegment.copy(
        tensor.bytes(), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values, 0, values.length);
    return values;
  }
}
