package fathom.data;

import fathom.DeviceException;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Locale;
import us.hebi.matlab.mat.format.Mat5;
import us.hebi.matlab.mat.types.Array;
import us.hebi.matlab.mat.types.Cell;
import us.hebi.matlab.mat.types.Matrix;
import us.hebi.matlab.mat.types.Sources;
import us.hebi.matlab.mat.types.Struct;

/// Reads masks from files: a PNG image whose pixels are labels, as palette indices or grey values;
/// or a `.mat` file (MATLAB, version 5) of the BSDS500 benchmark, in which several people have
/// drawn the outlines of one image.
final class MaskFile {
  private static final long MOST_BYTES = 1 << 28;

  /// H×W labels in row-major order, as they are in the file.
  record Labels(int height, int width, byte[] labels) {
    /// Returns the same labels, with white (255) replaced by 1.
    Labels ofBlackAndWhite() {
      byte[] ones = labels.clone();
      for (int i = 0; i < ones.length; i++) {
        ones[i] = ones[i] == MaskImage.UNLABELLED ? 1 : ones[i];
      }
      return new Labels(height, width, ones);
    }
  }

  private MaskFile() {}

  /// Returns whether a file of this name may be a mask.
  static boolean isMask(Path file) {
    return isMat(file) || name(file).endsWith(".png");
  }

  private static boolean isMat(Path file) {
    return name(file).endsWith(".mat");
  }

  private static String name(Path file) {
    return file.getFileName().toString().toLowerCase(Locale.ROOT);
  }

  /// Reads a mask. Throws [BadFileException] if the file is no mask.
  static Labels read(Path file) {
    return isMat(file) ? outlines(file) : indices(file);
  }

  private static Labels indices(Path file) {
    ImageFile.Header header = ImageFile.header(file);
    if (!header.format().equals("png")) {
      throw new BadFileException(
          file,
          "a mask is a PNG or .mat file, because other formats change single pixels, but this is %s; convert it"
              .formatted(header.format()));
    }
    BufferedImage image = ImageFile.image(file);
    boolean indexed = image.getColorModel() instanceof IndexColorModel;
    int bands = image.getRaster().getNumBands();
    if (!indexed && bands != 1) {
      throw new BadFileException(
          file,
          "a mask has one number for each pixel, a palette index or a value of grey, but this image has %s; save it as an indexed or grey PNG"
              .formatted(bands));
    }
    int height = image.getHeight();
    int width = image.getWidth();
    int[] row = new int[width];
    byte[] labels = new byte[height * width];
    for (int y = 0; y < height; y++) {
      image.getRaster().getSamples(0, y, width, 1, 0, row);
      for (int x = 0; x < width; x++) {
        if (row[x] > 255) {
          throw new BadFileException(
              file,
              "a mask has labels from 0 to 255, but pixel (%s, %s) is %s".formatted(x, y, row[x]));
        }
        labels[y * width + x] = (byte) row[x];
      }
    }
    return new Labels(height, width, labels);
  }

  /// Returns 1 where anybody drew an outline, otherwise 0.
  private static Labels outlines(Path file) {
    Outlines each = drawings(file);
    byte[] anybody = new byte[each.height() * each.width()];
    for (byte[] drawn : each.drawn()) {
      for (int p = 0; p < anybody.length; p++) {
        anybody[p] |= drawn[p];
      }
    }
    return new Labels(each.height(), each.width(), anybody);
  }

  /// Returns what each person drew. Throws [BadFileException] if the file has no such drawings, and
  /// [DeviceException] if the heap is too small for them.
  static Outlines drawings(Path file) {
    byte[] bytes = RegularFile.bytes(file, MOST_BYTES);
    try (var source = Sources.wrap(ByteBuffer.wrap(bytes))) {
      Cell people = Mat5.newReader(source).readMat().getCell("groundTruth");
      Labels first = null;
      var all = new ArrayList<byte[]>();
      for (int i = 0; i < people.getNumElements(); i++) {
        Array each = people.get(i);
        Matrix drawn = ((Struct) each).getMatrix("Boundaries");
        int height = drawn.getNumRows();
        int width = drawn.getNumCols();
        var own = new Labels(height, width, new byte[height * width]);
        first = first == null ? own : first;
        if (height != first.height || width != first.width) {
          throw new BadFileException(
              file,
              "all outlines of an image have one size, but there are some of %s×%s and of %s×%s"
                  .formatted(first.height, first.width, height, width));
        }
        for (int y = 0; y < height; y++) {
          for (int x = 0; x < width; x++) {
            own.labels[y * width + x] = (byte) (drawn.getBoolean(y, x) ? 1 : 0);
          }
        }
        all.add(own.labels);
      }
      if (first == null) {
        throw new BadFileException(file, "nobody has drawn an outline in this file; remove it");
      }
      return new Outlines(first.height, first.width, all);
    } catch (BadFileException e) {
      throw e;
    } catch (OutOfMemoryError e) {
      throw new DeviceException(
          "%s: its outlines do not fit into the heap, which has %s MB in all; give it more (JAVA_TOOL_OPTIONS=-Xmx8g)"
              .formatted(file, Runtime.getRuntime().maxMemory() >> 20));
    } catch (IOException | RuntimeException e) { // damage makes the reader throw either
      throw new BadFileException(
          file,
          "a .mat file with outlines has a cell array groundTruth of structures with Boundaries, as BSDS500 does, but this one cannot be read so (%s); replace or remove it"
              .formatted(e),
          e);
    }
  }

  /// Returns whether the labels are those of a mask of two colours, 0 and 255, which mean 0 and 1.
  static boolean isBlackAndWhite(byte[] labels) {
    boolean white = false;
    for (byte label : labels) {
      if (label != 0 && label != MaskImage.UNLABELLED) {
        return false;
      }
      white |= label == MaskImage.UNLABELLED;
    }
    return white;
  }
}
