package fathom.train;

import fathom.BadFileException;
import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.data.Normalization;
import fathom.io.SafeTensors;
import fathom.optim.Optimizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/// A position in a run: weights and buffers under their paths, each block of the optimizer under
/// `optimizer.velocity.` or by its other name, what is subtracted from pictures under `input.`,
/// what a net remembers of a text under `carried.`, and how far the run has come.
///
/// @param step the steps that have been made
/// @param seconds the time they took
/// @param lossSum the sum of the losses of the examples that the current epoch has seen, which at
///   its end are all of it
/// @param errorSum how many of them were predicted wrongly
/// @param examplesPerSecond of the epoch so far; 0 in a checkpoint of a version that wrote it when
///   the epoch had been judged, with sums of 0
/// @param watch what was watched of the epoch's last step; null if that was not made or not watched
record Checkpoint(
    long step,
    double seconds,
    double lossSum,
    double errorSum,
    double examplesPerSecond,
    Metrics.@Nullable Watch watch) {
  /// Before the first step.
  static final Checkpoint NONE = new Checkpoint(0, 0, 0, 0, 0, null);

  /// The entries that the end of an epoch needs, and nothing that is learned.
  private static final String SPEED = "epoch.examplesPerSecond";

  private static final String WATCH = "epoch.watch";

  private static final String INPUT = "input.";
  static final String MEAN = INPUT + "mean";
  static final String DEVIATION = INPUT + "deviation";

  /// Writes it with `more` besides weights and optimizer, and what is said of the net. What `more`
  /// has of a weight's name is written in the place of the weight.
  void write(
      Path file,
      Node net,
      FlatParams flat,
      Optimizer optimizer,
      Map<String, Tensor> more,
      ModelCard card) {
    try (var _ = Scope.open()) {
      var tensors = new LinkedHashMap<String, Tensor>();
      tensors.putAll(parts(net, flat, optimizer));
      tensors.putAll(more);
      write(file, net, tensors, card);
    }
  }

  /// The same of an epoch to be used and not to be gone on from: without what only a training
  /// needs, which is the optimizer's memory and what a net remembers of a text.
  void writeToUse(Path file, Node net, Map<String, Tensor> more, ModelCard card) {
    try (var _ = Scope.open()) {
      var tensors = new LinkedHashMap<String, Tensor>();
      more.forEach((name, tensor) -> {
        if (name.startsWith(INPUT)) {
          tensors.put(name, tensor);
        }
      });
      write(file, net, tensors, card);
    }
  }

  private void write(Path file, Node net, Map<String, Tensor> more, ModelCard card) {
    try (var _ = Scope.open()) {
      var tensors = Weights.stored(net);
      more.forEach((name, tensor) -> tensors.put(name, Weights.stored(tensor)));
      var metadata = new LinkedHashMap<>(card.metadata());
      metadata.put("fathom.step", Long.toString(step));
      metadata.put("fathom.seconds", Double.toString(seconds));
      metadata.put("fathom.lossSum", Double.toString(lossSum));
      metadata.put("fathom.errorSum", Double.toString(errorSum));
      metadata.put(SPEED, Double.toString(examplesPerSecond));
      if (watch != null) {
        metadata.put(WATCH, Json.object(watch).toString());
      }
      SafeTensors.write(file, tensors, metadata);
    }
  }

  /// Writes it later, from another thread, while a step is on its way that has not moved the
  /// weights yet: running statistics, which the way back changes before that, are copied now.
  Runnable later(
      Path file,
      Node net,
      FlatParams flat,
      Optimizer optimizer,
      Supplier<? extends Map<String, Tensor>> stored,
      ModelCard card) {
    var statistics = new LinkedHashMap<String, double[]>();
    net.state()
        .forEach((path, param) -> {
          if (!param.trained()) {
            statistics.put(path, param.value().toDoubles());
          }
        });
    return () -> {
      try (var _ = Scope.open()) {
        var more = new LinkedHashMap<>(stored.get());
        net.state()
            .forEach((path, param) -> {
              double[] values = statistics.get(path);
              if (values != null) {
                Tensor now = param.value();
                more.put(path, Tensor.of(values, now.shape().toArray()).to(now.type()));
              }
            });
        write(file, net, flat, optimizer, more, card);
      }
    };
  }

  /// What the optimizer remembers of each trained parameter, by the name under which it is stored.
  private static SequencedMap<String, Tensor> parts(
      Node net, FlatParams flat, Optimizer optimizer) {
    var parts = new LinkedHashMap<String, Tensor>();
    optimizer
        .blocks()
        .forEach((block, memory) -> {
          int i = 0;
          for (Map.Entry<String, Param> entry : net.state().entrySet()) {
            if (entry.getValue().trained()) {
              parts.put("optimizer.%s.%s".formatted(block, entry.getKey()), flat.part(memory, i++));
            }
          }
        });
    return parts;
  }

  /// Where the run of this checkpoint stands.
  static Checkpoint position(Path file) {
    try (var stored = SafeTensors.open(file)) {
      Map<String, String> metadata = stored.metadata();
      double step = number(file, metadata, "fathom.step");
      if (step != Math.rint(step) || step > Long.MAX_VALUE) {
        throw new BadFileException(
            file, "fathom.step counts steps, but is \"%s\"".formatted(metadata.get("fathom.step")));
      }
      return new Checkpoint(
          (long) step,
          number(file, metadata, "fathom.seconds"),
          number(file, metadata, "fathom.lossSum"),
          number(file, metadata, "fathom.errorSum"),
          metadata.containsKey(SPEED) ? number(file, metadata, SPEED) : 0,
          watch(file, metadata.get(WATCH)));
    }
  }

  private static Metrics.@Nullable Watch watch(Path file, @Nullable String json) {
    try {
      return json == null ? null : Json.read(Json.parse(json), Metrics.Watch.class);
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(file, "%s is no line of metrics".formatted(WATCH), e);
    }
  }

  private static double number(Path file, Map<String, String> metadata, String key) {
    String text = metadata.get(key);
    if (text == null) {
      throw new BadFileException(
          file,
          "a run's checkpoint has the entry %s, but this file does not; is it of a run?"
              .formatted(key));
    }
    double number;
    try {
      number = Double.parseDouble(text);
    } catch (NumberFormatException _) {
      number = Double.NaN;
    }
    if (!(number >= 0 && number < Double.POSITIVE_INFINITY)) {
      throw new BadFileException(
          file, "%s is a number of 0 or more, but is \"%s\"".formatted(key, text));
    }
    return number;
  }

  static void readOptimizer(Path file, Node net, FlatParams flat, Optimizer optimizer) {
    try (var stored = SafeTensors.open(file);
        var _ = Scope.open()) {
      parts(net, flat, optimizer)
          .forEach((name, part) -> {
            Weights.checkShape(file, stored, name, part);
            Weights.copy(stored, name, part);
          });
    }
  }

  /// What the run of this checkpoint does to pictures.
  static Normalization normalization(Path file) {
    try (var stored = SafeTensors.open(file)) {
      return normalization(stored);
    }
  }

  static Normalization normalization(SafeTensors stored) {
    return new Normalization(floats(stored, MEAN), floats(stored, DEVIATION));
  }

  private static float[] floats(SafeTensors stored, String name) {
    var tensor = stored.tensor(name);
    var values = new float[(int) tensor.shape().elements()];
    MemorySegment.copy(
        tensor.bytes(), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values, 0, values.length);
    return values;
  }
}
