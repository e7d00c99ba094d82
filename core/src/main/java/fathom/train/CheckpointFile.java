package fathom.train;

import fathom.DType;
import fathom.FlatParams;
import fathom.Node;
import fathom.Param;
import fathom.Scope;
import fathom.Tensor;
import fathom.io.SafeTensors;
import fathom.io.StoredTensor;
import fathom.optim.Optimizer;
import fathom.task.Session;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/// The file format of a checkpoint. It holds weights and buffers under their paths, the blocks of
/// the optimizer under `optimizer.` and their names, such as `optimizer.velocity.`, the state of
/// the task under its own names, and the [Position] of the training as texts.
///
/// If the weights are averaged, the averages stand under the paths of the net, so that whoever
/// reads a net from the file gets what was evaluated; the weights that the training goes on with
/// stand under `unaveraged.` and their paths.
final class CheckpointFile {
  private static final String UNAVERAGED = "unaveraged.";

  private static final String INPUT = "input.";

  private CheckpointFile() {}

  /// Writes a checkpoint. A tensor in `carried` that has the name of a weight replaces the weight.
  static void write(
      Path file,
      Map<String, String> texts,
      Node net,
      FlatParams flat,
      Optimizer optimizer,
      Map<String, Tensor> carried,
      MovingAverage average) {
    try (var _ = Scope.open()) {
      var tensors = Weights.stored(net);
      parts(net, flat, optimizer).forEach((name, part) -> tensors.put(name, Weights.stored(part)));
      carried.forEach((name, tensor) -> tensors.put(name, Weights.stored(tensor)));
      average
          .tensors()
          .forEach((path, averaged) -> {
            StoredTensor trained = tensors.put(path, Weights.stored(averaged));
            tensors.put(UNAVERAGED + path, Objects.requireNonNull(trained));
          });
      SafeTensors.write(file, tensors, texts);
    }
  }

  /// Reads the weights that a training goes on with from a checkpoint that has averages too.
  static void readUnaveraged(Path file, Node net) {
    try (var stored = SafeTensors.open(file)) {
      net.state()
          .forEach(
              (path, param) -> Weights.checkShape(file, stored, UNAVERAGED + path, param.value()));
      net.state().forEach((path, param) -> Weights.copy(stored, UNAVERAGED + path, param.value()));
    }
  }

  /// Writes a file for evaluations and predictions: the weights and the normalization of the input,
  /// without the optimizer and the other state that only a training needs.
  static void writeWeights(
      Path file, Map<String, String> texts, Node net, Map<String, Tensor> carried) {
    try (var _ = Scope.open()) {
      var tensors = Weights.stored(net);
      carried.forEach((name, tensor) -> {
        if (name.startsWith(INPUT)) {
          tensors.put(name, Weights.stored(tensor));
        }
      });
      SafeTensors.write(file, tensors, texts);
    }
  }

  /// The present elements of a net's buffers, by their paths.
  static Map<String, double[]> buffers(Node net) {
    var buffers = new LinkedHashMap<String, double[]>();
    net.state()
        .forEach((path, param) -> {
          if (!param.trained()) {
            buffers.put(path, param.value().toDoubles());
          }
        });
    return buffers;
  }

  /// Buffers as tensors in the innermost scope.
  static SequencedMap<String, Tensor> tensors(Node net, Map<String, double[]> buffers) {
    var tensors = new LinkedHashMap<String, Tensor>();
    net.state()
        .forEach((path, param) -> {
          double[] values = buffers.get(path);
          if (values != null) {
            Tensor now = param.value();
            tensors.put(path, Tensor.of(values, now.shape().toArray()).to(now.type()));
          }
        });
    return tensors;
  }

  /// The optimizer's state for each trained parameter, by the name under which it is stored.
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

  /// Gives the session the state that it stored. The file must have the tensors, by name and shape,
  /// that the session would store now.
  static void restore(Path file, Session<?> session) {
    try (var stored = SafeTensors.open(file);
        var _ = Scope.open()) {
      var carried = new LinkedHashMap<String, Tensor>();
      session
          .state()
          .forEach((name, now) -> {
            Tensor before = Tensor.zeros(DType.FLOAT32, now.shape().toArray()).to(now.type());
            Weights.checkShape(file, stored, name, before);
            Weights.copy(stored, name, before);
            carried.put(name, before);
          });
      session.restore(carried);
    }
  }
}
