package fathom.train;

import fathom.BadFileException;
import fathom.Node;
import fathom.data.Images;
import fathom.data.Pictures;
import fathom.io.EventFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/// What TensorBoard shows of a training: the learning curves, the spread of every weight after each
/// epoch, and the first training pictures.
final class TensorBoard {
  private static final int PICTURES = 8;

  private final EventFile events;
  private final String held;

  /// Begins a file in this folder. Epochs are judged by `held`, `test` or `validation`.
  TensorBoard(Path folder, String held) {
    this.events = EventFile.begin(folder);
    this.held = held;
  }

  void pictures(Pictures pictures) {
    Images images = pictures.take(Math.min(PICTURES, pictures.count())).images();
    for (int i = 0; i < images.count(); i++) {
      int channels = images.channels() == 3 ? 3 : 1;
      events.image(
          0, "training pictures/" + i, images.height(), images.width(), channels, png(images, i));
    }
  }

  void epoch(Metrics.Epoch epoch, Node net) {
    long step = epoch.step();
    events.scalar(step, "loss/training", epoch.trainLoss());
    events.scalar(step, "loss/" + held, epoch.testLoss());
    events.scalar(step, "error in %/training", epoch.trainError());
    events.scalar(step, "error in %/" + held, epoch.testError());
    events.scalar(step, "rate", epoch.rate());
    events.scalar(step, "examples per second", epoch.examplesPerSecond());
    net.state()
        .forEach((path, param) -> {
          if (param.trained()) {
            events.histogram(step, path, param.value().toDoubles());
          }
        });
  }

  /// Of pictures that are not of three channels, the first channel.
  private byte[] png(Images images, int picture) {
    int plane = images.height() * images.width();
    boolean colour = images.channels() == 3;
    var image =
        new BufferedImage(
            images.width(),
            images.height(),
            colour ? BufferedImage.TYPE_INT_RGB : BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < images.height(); y++) {
      for (int x = 0; x < images.width(); x++) {
        int at = picture * images.size() + y * images.width() + x;
        int first = images.pixels()[at] & 0xff;
        if (colour) {
          int second = images.pixels()[at + plane] & 0xff;
          int third = images.pixels()[at + 2 * plane] & 0xff;
          image.setRGB(x, y, first << 16 | second << 8 | third);
        } else {
          image.getRaster().setSample(x, y, 0, first);
        }
      }
    }
    var png = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", png);
    } catch (IOException e) {
      throw new BadFileException(events.path(), "a picture cannot be encoded as PNG", e);
    }
    return png.toByteArray();
  }
}
