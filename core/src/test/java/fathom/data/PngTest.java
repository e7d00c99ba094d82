package fathom.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PngTest {
  private static Images images(int channels, int height, int width) {
    var pixels = new byte[2 * channels * height * width];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (i * 37 + 11);
    }
    return new Images(channels, height, width, pixels, new int[2]);
  }

  private static int pixel(Images images, int image, int c, int y, int x) {
    int at = image * images.size() + (c * images.height() + y) * images.width() + x;
    return images.pixels()[at] & 0xff;
  }

  private static BufferedImage decoded(byte[] png) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  @Test
  void everyPixelIsThere() throws IOException {
    for (int channels : new int[] {1, 3, 2}) {
      Images images = images(channels, 3, 5);
      BufferedImage read = decoded(Png.of(images, 1));
      assertEquals(5, read.getWidth());
      assertEquals(3, read.getHeight());
      assertEquals(channels == 3 ? 3 : 1, read.getRaster().getNumBands());
      for (int c = 0; c < read.getRaster().getNumBands(); c++) {
        for (int y = 0; y < 3; y++) {
          for (int x = 0; x < 5; x++) {
            assertEquals(pixel(images, 1, c, y, x), read.getRaster().getSample(x, y, c));
          }
        }
      }
    }
  }

  /// Squares of 2×2, at the edges of what is there, each the mean of its pixels.
  @Test
  void aLargeImageIsShrunkByAWholeFactor() throws IOException {
    Images images = images(1, 3, 5);
    BufferedImage read = decoded(Png.small(images, 0, 4));
    assertEquals(3, read.getWidth());
    assertEquals(2, read.getHeight());
    int sum = 0;
    for (int[] at : new int[][] {{0, 2}, {0, 3}, {1, 2}, {1, 3}}) {
      sum += pixel(images, 0, 0, at[0], at[1]);
    }
    assertEquals(Math.round(sum / 4.0), read.getRaster().getSample(1, 0, 0));
    assertEquals(pixel(images, 0, 0, 2, 4), read.getRaster().getSample(2, 1, 0), "a corner");
    assertEquals(5, decoded(Png.small(images, 0, 5)).getWidth(), "small enough");
    assertEquals(1, decoded(Png.small(images, 0, 1)).getWidth());
  }

  @Test
  void aImageThatIsNotThereIsRefused() {
    Images images = images(1, 3, 5);
    assertThrows(IllegalArgumentException.class, () -> Png.of(images, 2));
    assertThrows(IllegalArgumentException.class, () -> Png.of(images, -1));
    assertThrows(IllegalArgumentException.class, () -> Png.small(images, 0, 0));
  }
}
