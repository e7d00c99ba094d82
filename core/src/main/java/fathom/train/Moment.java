package fathom.train;

import fathom.FlatParams;
import fathom.Node;
import fathom.task.Figures;
import fathom.task.Section;
import fathom.task.Watch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// The present state of a training, for its listeners. It is valid only during the call; weights
/// and gradients change with the next step.
public interface Moment {
  /// Returns the number of steps that have been made.
  long step();

  /// Returns the number of steps of the whole training.
  long steps();

  /// Returns the number of examples of the last step's batch, over all workers.
  int examples();

  /// Returns the epoch that the last step belongs to, from 1.
  int epoch();

  /// Returns the number of epochs of the whole training.
  int epochs();

  /// Returns whether an epoch ends when `step` steps have been made.
  boolean endsEpoch(long step);

  /// Returns the learning rate of the last step.
  double learningRate();

  /// Returns the means over the epoch so far.
  Figures soFar();

  /// Returns the time of the training in seconds, without interruptions.
  double seconds();

  /// Returns the throughput of the epoch so far, in examples per second.
  double examplesPerSecond();

  /// Returns the net in the form in which it is stored, without fusion. If the weights are averaged
  /// ([Plan#ema]), it has the averages at [Listener#epoch] and [Listener#end].
  Node net();

  /// Returns the trained parameters as one block.
  FlatParams params();

  /// Runs a forward and a backward pass over a few fixed training examples, shows `watch` every
  /// layer, and calls `then` while the net has the gradients of these examples. Afterwards the net
  /// is as before. Returns false, and calls nothing, if the task has no such examples.
  boolean probe(Watch watch, Runnable then);

  /// Returns some training examples as PNG images by their names; empty if the examples are not
  /// visible.
  SequencedMap<String, byte[]> preview();

  /// Writes a checkpoint: weights, buffers, optimizer, the task's state, this position, and
  /// `texts`.
  void write(Path file, Map<String, String> texts);

  /// Returns an action that writes the same checkpoint later, from another thread, during a step
  /// that has not changed the weights yet. Buffers are copied now, because the step changes them
  /// before it changes the weights.
  Runnable later(Path file, Map<String, String> texts);

  /// Returns whether this worker alone has all data that a checkpoint needs.
  boolean storesAlone();

  /// Writes weights, buffers and the task's normalization, for predictions; a training cannot
  /// continue from this file.
  void writeWeights(Path file, Map<String, String> texts);

  /// Lets the task write its own files into the folder of a run.
  void writeTask(Path folder);

  /// Returns the task's sections of the report, as of its last evaluation.
  List<Section> sections();
}
