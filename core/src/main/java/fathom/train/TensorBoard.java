package fathom.train;

import fathom.Node;
import fathom.data.Images;
import fathom.data.Pictures;
import fathom.data.Png;
import fathom.io.EventFile;
import java.nio.file.Path;

/// What TensorBoard shows of a training: the learning curves, the spread of every weight after each
/// epoch, and the first training pictures.
final class TensorBoard {
  private static final int PICTURES = 8;

  private final EventFile events;

  /// Begins a file in this folder, for what is measured from step `from` on.
  TensorBoard(Path folder, long from) {
    this.events = EventFile.begin(folder, from);
  }

  void pictures(Pictures pictures) {
    Images images = pictures.take(Math.min(PICTURES, pictures.count())).images();
    for (int i = 0; i < images.count(); i++) {
      int channels = images.channels() == 3 ? 3 : 1;
      events.image(
          0,
          "training pictures/" + i,
          images.height(),
          images.width(),
          channels,
          Png.of(images, i));
    }
  }

  void epoch(Metrics.Epoch epoch, Node net) {
    long step = epoch.step();
    events.scalar(step, "loss/training", epoch.trainLoss());
    events.scalar(step, "loss/" + epoch.measuredOn(), epoch.testLoss());
    events.scalar(step, "error in %/training", epoch.trainError());
    events.scalar(step, "error in %/" + epoch.measuredOn(), epoch.testError());
    events.scalar(step, "rate", epoch.rate());
    events.scalar(step, "examples per second", epoch.examplesPerSecond());
    net.state()
        .forEach((path, param) -> {
          if (param.trained()) {
            events.histogram(step, path, param.value().toDoubles());
          }
        });
  }
}
