package fathom.data;

import fathom.BadFileException;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;

/// Decodes JPEG, PNG, GIF and BMP files, which are told apart by content, into pictures of one
/// size.
///
/// Pictures that have one size keep it. Otherwise the largest centred square of each is scaled to
/// 32×32: the shorter side becomes 32 and the longer one is cropped. If all are grey they have one
/// channel, otherwise all have three (sRGB). Transparency and the camera's orientation mark are
/// ignored, and of an animation the first picture is taken.
final class Pictures {
  private static final int SIDE = 32;
  private static final long MOST_PIXELS = 100_000_000;

  /// A PNG of one bit per pixel can pack 8256 pixels into a byte, and no format more.
  private static final long MOST_PIXELS_PER_BYTE = 8 * 1032;

  /// The size of every picture after decoding.
  record Form(int channels, int height, int width) {}

  private record Header(int height, int width, boolean grey) {}

  private interface Step<T> {
    T apply(ImageReader reader) throws IOException;
  }

  private Pictures() {}

  /// The size that all of the files will have. Reads their headers only.
  static Form form(List<Path> files) {
    Header[] headers = new Header[files.size()];
    IntStream.range(0, headers.length)
        .parallel()
        .forEach(i -> headers[i] = open(files.get(i), r -> header(files.get(i), r)));
    Header first = headers[0];
    boolean oneSize =
        Arrays.stream(headers).allMatch(h -> h.height == first.height && h.width == first.width);
    int channels = Arrays.stream(headers).allMatch(Header::grey) ? 1 : 3;
    return oneSize ? new Form(channels, first.height, first.width) : new Form(channels, SIDE, SIDE);
  }

  /// Decodes the files of each class. A label is the position of the class in the list.
  static Images read(Path folder, List<List<Path>> classes, Form form) {
    List<Path> files = classes.stream().flatMap(List::stream).toList();
    int[] labels =
        IntStream.range(0, classes.size())
            .flatMap(label -> classes.get(label).stream().mapToInt(file -> label))
            .toArray();
    long size = (long) form.channels * form.height * form.width;
    if (size * labels.length > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most 2 GiB of pictures fit into one array, but there are %d of %d×%d×%d; make them smaller"
              .formatted(labels.length, form.channels, form.height, form.width));
    }
    byte[] pixels = new byte[(int) size * labels.length];
    IntStream.range(0, labels.length)
        .parallel()
        .forEach(i -> {
          Path file = files.get(i);
          write(open(file, reader -> image(file, reader)), form, pixels, i * (int) size);
        });
    return new Images(form.channels, form.height, form.width, pixels, labels);
  }

  private static <T> T open(Path file, Step<T> step) {
    try (ImageInputStream in = new FileImageInputStream(file.toFile())) {
      ImageReader reader = ImageIO.getImageReadersByFormatName(format(file, in)).next();
      try {
        reader.setInput(in, true, true);
        return step.apply(reader);
      } finally {
        reader.dispose();
      }
    } catch (BadFileException e) {
      throw e;
    } catch (IOException | RuntimeException e) { // the readers' answer to damage may be either
      throw new BadFileException(
          file, "the picture cannot be decoded (%s); replace or remove it".formatted(e), e);
    }
  }

  private static String format(Path file, ImageInputStream in) throws IOException {
    byte[] start = new byte[4];
    int length = Math.max(0, in.read(start));
    in.seek(0);
    String hex = HexFormat.of().formatHex(start, 0, length);
    if (hex.startsWith("ffd8ff")) {
      return "jpeg";
    } else if (hex.equals("89504e47")) {
      return "png";
    } else if (hex.equals("47494638")) {
      return "gif";
    } else if (hex.startsWith("424d")) {
      return "bmp";
    }
    throw new BadFileException(
        file,
        "a picture must be a JPEG, PNG, GIF or BMP file, but this one starts with"
            + " the bytes %s; convert or remove it".formatted(hex.isEmpty() ? "(none)" : hex));
  }

  private static Header header(Path file, ImageReader reader) throws IOException {
    int height = reader.getHeight(0);
    int width = reader.getWidth(0);
    long pixels = (long) height * width;
    if (pixels > MOST_PIXELS) {
      throw new BadFileException(
          file,
          "a picture may have %d megapixels, but this one is %d×%d; make it smaller"
              .formatted(MOST_PIXELS / 1_000_000, width, height));
    }
    long bytes = file.toFile().length();
    if (pixels > bytes * MOST_PIXELS_PER_BYTE) {
      throw new BadFileException(
          file,
          "a picture of %d×%d cannot be held in %d bytes; the file is damaged or cut short"
              .formatted(width, height, bytes));
    }
    return new Header(height, width, isGrey(reader.getImageTypes(0).next().getColorModel()));
  }

  private static BufferedImage image(Path file, ImageReader reader) throws IOException {
    AtomicReference<String> damage = new AtomicReference<>();
    reader.addIIOReadWarningListener((source, warning) -> {
      // A picture that ends early is filled with grey and only a warning, of which the text is
      // all that can be had. Other warnings are about harmless extras.
      if (warning.contains("Truncated")
          || warning.contains("premature end")
          || warning.contains("Out-of-sequence")) {
        damage.set(warning);
      }
    });
    BufferedImage image = reader.read(0);
    if (damage.get() != null) {
      throw new BadFileException(
          file, "the picture is damaged (%s); replace or remove it".formatted(damage.get()));
    }
    return image;
  }

  private static boolean isGrey(ColorModel model) {
    if (model instanceof IndexColorModel palette) {
      return IntStream.range(0, palette.getMapSize())
          .allMatch(i ->
              palette.getRed(i) == palette.getGreen(i) && palette.getRed(i) == palette.getBlue(i));
    }
    return model.getColorSpace().getType() == ColorSpace.TYPE_GRAY;
  }

  private static void write(BufferedImage image, Form form, byte[] pixels, int at) {
    if (image.getWidth() == form.width && image.getHeight() == form.height) {
      copy(image, form, pixels, at);
    } else {
      scale(image, form, pixels, at);
    }
  }

  private static void copy(BufferedImage image, Form form, byte[] pixels, int at) {
    int[] rgb = new int[form.width];
    for (int y = 0; y < form.height; y++) {
      row(image, 0, y, rgb);
      for (int c = 0; c < form.channels; c++) {
        for (int x = 0; x < form.width; x++) {
          pixels[at + (c * form.height + y) * form.width + x] = sample(rgb[x], c, form);
        }
      }
    }
  }

  /// Scales the largest centred rectangle of the form's proportions by a triangle filter as wide as
  /// two pixels of the result (or of the source, where that is the coarser), first along rows and
  /// then along columns.
  private static void scale(BufferedImage image, Form form, byte[] pixels, int at) {
    double factor =
        Math.min((double) image.getWidth() / form.width, (double) image.getHeight() / form.height);
    int width = Math.clamp(Math.round(form.width * factor), 1, image.getWidth());
    int height = Math.clamp(Math.round(form.height * factor), 1, image.getHeight());
    int left = (image.getWidth() - width) / 2;
    int top = (image.getHeight() - height) / 2;
    Triangle along = Triangle.of(width, form.width);
    Triangle down = Triangle.of(height, form.height);

    int[] rgb = new int[width];
    float[][][] narrow = new float[form.channels][form.width][height];
    for (int y = 0; y < height; y++) {
      row(image, left, top + y, rgb);
      for (int c = 0; c < form.channels; c++) {
        for (int x = 0; x < form.width; x++) {
          float[] weights = along.weights[x];
          float sum = 0;
          for (int j = 0; j < weights.length; j++) {
            sum += weights[j] * Byte.toUnsignedInt(sample(rgb[along.from[x] + j], c, form));
          }
          narrow[c][x][y] = sum;
        }
      }
    }
    for (int c = 0; c < form.channels; c++) {
      for (int y = 0; y < form.height; y++) {
        float[] weights = down.weights[y];
        for (int x = 0; x < form.width; x++) {
          float sum = 0;
          for (int j = 0; j < weights.length; j++) {
            sum += weights[j] * narrow[c][x][down.from[y] + j];
          }
          pixels[at + (c * form.height + y) * form.width + x] = (byte) Math.round(sum);
        }
      }
    }
  }

  /// For each of the results the first source pixel that counts, and the weights from it on; their
  /// sum is 1.
  private record Triangle(int[] from, float[][] weights) {
    static Triangle of(int source, int results) {
      double scale = (double) source / results;
      double reach = Math.max(1, scale);
      int[] from = new int[results];
      float[][] weights = new float[results][];
      for (int i = 0; i < results; i++) {
        double centre = (i + 0.5) * scale;
        int first = Math.max(0, (int) Math.floor(centre - reach));
        int last = Math.min(source - 1, (int) Math.floor(centre + reach));
        double[] w = new double[last - first + 1];
        Arrays.setAll(w, j -> Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / reach));
        double sum = Arrays.stream(w).sum();
        from[i] = first;
        weights[i] = new float[w.length];
        for (int j = 0; j < w.length; j++) {
          weights[i][j] = (float) (w[j] / sum);
        }
      }
      return new Triangle(from, weights);
    }
  }

  /// Reads `rgb.length` pixels of row `y` from column `x` on as `0x..RRGGBB`.
  private static void row(BufferedImage image, int x, int y, int[] rgb) {
    ColorModel model = image.getColorModel();
    if (model instanceof IndexColorModel || !isGrey(model)) {
      image.getRGB(x, y, rgb.length, 1, rgb, 0, rgb.length);
      return;
    }
    // The samples as they are: getRGB takes grey for linear light and would make it brighter.
    image.getRaster().getSamples(x, y, rgb.length, 1, 0, rgb);
    int max = (1 << model.getComponentSize(0)) - 1;
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (rgb[i] * 255 + max / 2) / max * 0x010101;
    }
  }

  /// A channel, or of colours where one channel is wanted their luma (ITU-R BT.601), which of grey
  /// is the grey itself.
  private static byte sample(int rgb, int c, Form form) {
    if (form.channels == 1) {
      int luma = 299 * (rgb >> 16 & 0xff) + 587 * (rgb >> 8 & 0xff) + 114 * (rgb & 0xff);
      return (byte) ((luma + 500) / 1000);
    }
    return (byte) (rgb >> (16 - 8 * c));
  }
}
