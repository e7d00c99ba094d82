package fathom.task;

import fathom.Node;
import fathom.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// One worker's part of a training: its share of every batch, and of every evaluation.
///
/// All workers call the same methods in the same order, also where their share is empty, because
/// they may meet inside. The steps of an epoch are counted from 0.
public interface Session<N extends Node> {
  /// The net has been built, in the scope of this worker; what is made here lives as long.
  default void start(N net) {}

  /// How many steps an epoch has.
  int steps();

  /// How many examples the batch of a step has, over all workers.
  int examples(int step);

  /// Makes ready for the rest of an epoch, from `step` on.
  default void begin(int epoch, int step) {}

  /// This worker's share of a step of the current epoch: forward, the loss, and the way back.
  ///
  /// Losses and gradients are shares of the mean over the whole batch, so that their sums over the
  /// workers are the batch's ([fathom.parallel.Step] says how large that is). Called again for the
  /// same step it does the same again, with the net in another form.
  Objective forward(N net, int step);

  /// What is counted besides the loss, in the order of [Objective#counts()]: "error" counts wrong
  /// answers. Reported is the percentage of the examples.
  default List<String> counted() {
    return List.of();
  }

  /// How good the net is on a part of the data, by `predict`; every worker gets the same. Null for
  /// a part that this task does not have. Where there is no validation data, epochs are judged by
  /// what is for testing. What takes long asks [Setting#goesOn()] now and then.
  @Nullable Figures evaluate(N net, Part part);

  /// A forward on a few fixed training examples, as they are and by this worker alone, from which
  /// layers are measured; null where a task has no such thing.
  default @Nullable Objective probe(N net) {
    return null;
  }

  /// What a checkpoint needs besides weights and optimizer, in the innermost scope; the same on
  /// every worker.
  default SequencedMap<String, Tensor> state() {
    return new LinkedHashMap<>();
  }

  /// Whether this worker alone knows all of [#state()], without waiting for others: then a training
  /// that is in the middle of a long step can still be saved from outside.
  default boolean storesAlone() {
    return true;
  }

  /// Goes on from a checkpoint: `stored` has what [#state()] gave, whole.
  default void restore(Map<String, Tensor> stored) {}

  /// Some training examples as they are seen, PNG images by their names; empty where there is
  /// nothing to see.
  default SequencedMap<String, byte[]> preview() {
    return new LinkedHashMap<>();
  }

  /// Writes files of the task's own into the folder of a run, at the end. Only the first worker is
  /// asked, after all have evaluated what is for testing.
  default void write(Path folder, long step) {}

  /// What the report of a training shows of this task besides its figures, as of the last
  /// evaluation of what is for testing. Only the first worker is asked.
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
