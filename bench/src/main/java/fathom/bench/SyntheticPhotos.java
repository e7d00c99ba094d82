package fathom.bench;

import fathom.RandomKey;
import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import fathom.data.LabelledImages;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;

/// A folder of JPEG files that cost as much to decode as photos do: noise of several scales, the
/// coarser the stronger, of 500×375 pixels in quality 90. It is deleted when it is closed.
final class SyntheticPhotos implements AutoCloseable {
  private static final int WIDTH = 500;
  private static final int HEIGHT = 375;
  private static final float QUALITY = 0.9f;
  private static final int FINEST = 256;

  private final ScratchFolder folder;

  private SyntheticPhotos(ScratchFolder folder) {
    this.folder = folder;
  }

  static SyntheticPhotos make(int count) {
    try {
      var made = new SyntheticPhotos(ScratchFolder.make());
      for (String part : List.of("train", "test")) {
        Files.createDirectories(made.folder.path().resolve(part).resolve("noise"));
      }
      IntStream.range(0, count).parallel().forEach(i -> made.write("train", i));
      made.write("test", count);
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException("the images to measure with cannot be written", e);
    }
  }

  /// Returns all files but the one for testing, decoded to squares of this side.
  LabelledImages images(int side) {
    return DataSet.open("images:" + folder.path(), new ImageReadOptions(side, true)).train();
  }

  /// Returns such photos as JPEG files, each scaled to a square of this side.
  static List<byte[]> jpegs(int count, int side) {
    return IntStream.range(0, count)
        .parallel()
        .mapToObj(i -> {
          var square = new BufferedImage(side, side, BufferedImage.TYPE_3BYTE_BGR);
          Graphics2D graphics = square.createGraphics();
          graphics.setRenderingHint(
              RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
          graphics.drawImage(image(RandomKey.of(1, "photograph").at(i)), 0, 0, side, side, null);
          graphics.dispose();
          var bytes = new ByteArrayOutputStream();
          write(square, bytes);
          return bytes.toByteArray();
        })
        .toList();
  }

  /// The folder of all files but the one for testing.
  Path train() {
    return folder.path().resolve("train");
  }

  /// The folder of the one for testing.
  Path test() {
    return folder.path().resolve("test");
  }

  private void write(String part, int i) {
    Path file =
        folder
            .path()
            .resolve(part)
            .resolve("noise")
            .resolve(String.format(Locale.ROOT, "%04d.jpg", i));
    try (var to = Files.newOutputStream(file)) {
      write(image(RandomKey.of(1, "photograph").at(i)), to);
    } catch (IOException e) {
      throw new UncheckedIOException("the images to measure with cannot be written", e);
    }
  }

  private static void write(BufferedImage image, OutputStream to) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (var out = ImageIO.createImageOutputStream(to)) {
      writer.setOutput(out);
      ImageWriteParam how = writer.getDefaultWriteParam();
      how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      how.setCompressionQuality(QUALITY);
      writer.write(null, new IIOImage(image, null, null), how);
    } catch (IOException e) {
      throw new UncheckedIOException("the images to measure with cannot be written", e);
    } finally {
      writer.dispose();
    }
  }

  private static BufferedImage image(RandomKey key) {
    float[] sum = new float[3 * WIDTH * HEIGHT];
    for (int cells = 4; cells <= FINEST; cells *= 2) {
      add(key.at(cells), cells, 90f / (float) Math.sqrt(cells), sum);
    }
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_3BYTE_BGR);
    for (int p = 0; p < WIDTH * HEIGHT; p++) {
      int rgb = 0;
      for (int c = 0; c < 3; c++) {
        rgb = rgb << 8 | Math.clamp(Math.round(128 + sum[3 * p + c]), 0, 255);
      }
      image.setRGB(p % WIDTH, p / WIDTH, rgb);
    }
    return image;
  }

  /// Adds noise on a grid of `cells` cells across, interpolated linearly. The colours share most of
  /// it.
  private static void add(RandomKey key, int cells, float strength, float[] sum) {
    int points = cells + 2;
    float[] grid = new float[4 * points * points];
    for (int i = 0; i < grid.length; i++) {
      grid[i] = strength * (float) key.normal(i);
    }
    float step = (float) cells / WIDTH;
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int left = (int) (x * step);
        int top = (int) (y * step);
        float right = x * step - left;
        float below = y * step - top;
        int at = 4 * (top * points + left);
        for (int c = 0; c < 3; c++) {
          sum[3 * (y * WIDTH + x) + c] +=
              between(grid, at + 3, points, right, below)
                  + 0.3f * between(grid, at + c, points, right, below);
        }
      }
    }
  }

  private static float between(float[] grid, int at, int points, float right, float below) {
    float above = (1 - right) * grid[at] + right * grid[at + 4];
    float under = (1 - right) * grid[at + 4 * points] + right * grid[at + 4 * points + 4];
    return (1 - below) * above + below * under;
  }

  @Override
  public void close() {
    folder.close();
  }
}
