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

/// Where a training stands, for its listeners. What it gives is of this moment; weights and
/// gradients change with the next step.
public interface Moment {
  /// How many steps have been made.
  long step();

  /// How many there are in all.
  long steps();

  /// The examples of the last step's batch, over all workers.
  int examples();

  /// The epoch that the last step belongs to, from 1.
  int epoch();

  int epochs();

  /// Whether an epoch ends with the step after which so many have been made.
  boolean endsEpoch(long step);

  /// The learning rate of the last step.
  double learningRate();

  /// The means over the epoch so far.
  Figures soFar();

  /// Since the training began, without interruptions.
  double seconds();

  double examplesPerSecond();

  /// The net as it is written down, without fusion.
  Node net();

  /// Its trained parameters as one block.
  FlatParams params();

  /// Runs forward and back over a few fixed training examples, shows `watch` every layer, and calls
  /// `then` while the net has the gradients of them; afterwards the net is as it was. False, and
  /// nothing is called, where the task has no such examples.
  boolean probe(Watch watch, Runnable then);

  /// Some training examples as PNG images by their names; empty where there is nothing to see.
  SequencedMap<String, byte[]> preview();

  /// Writes a checkpoint: weights, buffers, optimizer, what the task carries on, and this position;
  /// with more texts.
  void write(Path file, Map<String, String> texts);

  /// The same later, from another thread, while a step is on its way that has not moved the weights
  /// yet: buffers, which the way back changes before that, are copied now.
  Runnable later(Path file, Map<String, String> texts);

  /// Whether this worker alone has all that a checkpoint needs.
  boolean storesAlone();

  /// Writes weights, buffers and what the task keeps with them, to be used and not to go on from.
  void writeWeights(Path file, Map<String, String> texts);

  /// Lets the task write its own files into the folder of a run.
  void writeTask(Path folder);

  /// What the report shows of the task, as of its last evaluation.
  List<Section> sections();
}
