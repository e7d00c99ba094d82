package fathom.train;

import fathom.Node;
import fathom.io.EventFile;
import java.nio.file.Path;
import java.util.SequencedMap;

/// Writes the events of a training for TensorBoard: the learning curves, a histogram of every
/// weight after each epoch, and the first training images.
final class TensorBoard {
  private final EventFile events;

  /// Begins a file in this folder, for events from step `from` on.
  TensorBoard(Path folder, long from) {
    this.events = EventFile.begin(folder, from);
  }

  /// Adds training examples as PNG images by their names.
  void images(SequencedMap<String, byte[]> preview) {
    preview.forEach((name, png) -> events.image(0, "training images/" + name, png));
  }

  void epoch(Metrics.Epoch epoch, Node net) {
    long step = epoch.step();
    epoch
        .train()
        .forEach((name, value) -> {
          events.scalar(step, tag(name) + "/training", value);
          Double validated = epoch.test().get(name);
          if (validated != null) {
            events.scalar(step, tag(name) + "/" + epoch.measuredOn(), validated);
          }
        });
    epoch
        .test()
        .forEach((name, value) -> {
          if (!epoch.train().containsKey(name)) {
            events.scalar(step, tag(name) + "/" + epoch.measuredOn(), value);
          }
        });
    events.scalar(step, "rate", epoch.learningRate());
    events.scalar(step, "examples per second", epoch.examplesPerSecond());
    net.state()
        .forEach((path, param) -> {
          if (param.trained()) {
            events.histogram(step, path, param.value().toDoubles());
          }
        });
  }

  /// A figure's name in TensorBoard. All figures but the loss are in percent.
  private static String tag(String name) {
    return name.equals(Metrics.LOSS) ? name : name + " in %";
  }
}
