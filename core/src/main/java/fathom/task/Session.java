package fathom.task;

import fathom.Node;
import fathom.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// One worker's part of a training: its share of every batch and of every evaluation.
///
/// All workers must call the same methods in the same order, also if their share is empty, because
/// a method may wait for the other workers. The steps of an epoch are counted from 0.
public interface Session<N extends Node> {
  /// Called when the net has been built, in the scope of this worker. Tensors that are made here
  /// live as long as the net.
  default void start(N net) {}

  /// Returns the number of steps of an epoch.
  int steps();

  /// Returns the number of examples of a step's batch, over all workers.
  int examples(int step);

  /// Prepares the rest of an epoch, from `step` on.
  default void begin(int epoch, int step) {}

  /// Runs the forward pass of this worker's share of a step of the current epoch, and returns the
  /// loss with its backward pass.
  ///
  /// Losses and gradients are shares of the mean over the whole batch, whose size
  /// [fathom.parallel.Step] gives, so that their sums over the workers are those of the batch. A
  /// second call for the same step does the same again, perhaps with the net in another form.
  Objective forward(N net, int step);

  /// Returns the names of what is counted besides the loss, in the order of [Objective#counts()]:
  /// "error" counts wrong predictions. The training reports each as a percentage of the examples.
  default List<String> counted() {
    return List.of();
  }

  /// Evaluates the net on a part of the data, by `predict`. Every worker gets the same result; it
  /// is null for a part that this task does not have. If there is no validation data, the test data
  /// decides which epoch is the best. An evaluation that takes long should ask [Setting#goesOn()]
  /// now and then.
  @Nullable Figures evaluate(N net, Part part);

  /// Runs a forward pass on a few fixed training examples, by this worker alone, from which the
  /// layers are measured. Returns null if a task has no such examples.
  default @Nullable Objective probe(N net) {
    return null;
  }

  /// Returns the data that a checkpoint needs besides weights and optimizer, in the innermost
  /// scope. It is the same on every worker.
  default SequencedMap<String, Tensor> state() {
    return new LinkedHashMap<>();
  }

  /// Returns whether this worker knows all of [#state()] without waiting for others. Then a
  /// training in the middle of a long step can be saved from outside.
  default boolean storesAlone() {
    return true;
  }

  /// Continues from a checkpoint: `stored` holds all that [#state()] returned.
  default void restore(Map<String, Tensor> stored) {}

  /// Returns some training examples as PNG images by their names; empty if the examples are not
  /// visible.
  default SequencedMap<String, byte[]> preview() {
    return new LinkedHashMap<>();
  }

  /// Writes the task's own files into the folder of a run, at its end. It is called only on the
  /// first worker, after all workers have evaluated the test data.
  default void write(Path folder, long step) {}

  /// Returns the sections that this task adds to the report of a training, as of the last
  /// evaluation of the test data. It is called only on the first worker.
  default List<Section> sections() {
    return List.of();
  }

  /// The parts that data may have.
  enum Part {
    TRAINING,
    VALIDATION,
    TEST
  }
}
