package fathom.cli;

import fathom.data.MaskImage;
import fathom.data.MaskSet;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import us.hebi.matlab.mat.format.Mat5;
import us.hebi.matlab.mat.types.Cell;
import us.hebi.matlab.mat.types.MatFile;
import us.hebi.matlab.mat.types.Matrix;
import us.hebi.matlab.mat.types.Sinks;
import us.hebi.matlab.mat.util.Casts;

/// The formats of masks: PNG images of labels, and MATLAB files of outlines.
final class MaskFiles {
  private static final int WIDTH = 9;
  private static final int HEIGHT = 7;

  private MaskFiles() {}

  static List<FileFormat> formats() {
    return List.of(mask(), outlines());
  }

  private static FileFormat mask() {
    byte[] grey = labelled(BufferedImage.TYPE_BYTE_GRAY, 5);
    byte[] indexed = labelled(BufferedImage.TYPE_BYTE_INDEXED, 5);
    byte[] bits = labelled(BufferedImage.TYPE_BYTE_BINARY, 2);
    String damaged = "masks/train/a.png";
    return new FileFormat(
        "mask",
        files(damaged, "masks/test/a.png", grey),
        List.of(
            FileFormat.Way.of(damaged, Mutation.BYTES, grey, indexed, bits),
            FileFormat.Way.of(damaged, Mutation.BYTES, grey, indexed, bits)
                .sealed(ImageFiles::withSums)),
        FileFormat.Reading.of(folder -> {
          one(MaskSet.open("masks:" + folder));
          byte[] content = Files.readAllBytes(folder.resolve(damaged));
          if (!Arrays.equals(content, ImageFiles.withSums(content))) {
            throw new AssertionError("a chunk is not what its sum says, but it was read");
          }
        }),
        List.of(
            new FileFormat.Case("empty", damaged, new byte[0], "(none)"),
            new FileFormat.Case(
                "a JPEG",
                damaged,
                ImageFiles.written("jpeg", BufferedImage.TYPE_BYTE_GRAY, false),
                "change single pixels")));
  }

  /// A PNG image of labels below `classes`, none of which is missing.
  private static byte[] labelled(int type, int classes) {
    var labels = new BufferedImage(WIDTH, HEIGHT, type);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
      labels.getRaster().setSample(i % WIDTH, i / WIDTH, 0, i % classes);
    }
    var png = new ByteArrayOutputStream();
    try {
      ImageIO.write(labels, "png", png);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return png.toByteArray();
  }

  private static FileFormat outlines() {
    byte[] packed = outlines(true);
    byte[] plain = outlines(false);
    byte[] wide = plain.clone();
    ByteBuffer.wrap(wide).order(ByteOrder.nativeOrder()).putInt(columns(wide), 1 << 30);
    String damaged = "groundTruth/train/a.mat";
    return new FileFormat(
        "outlines",
        files(damaged, "groundTruth/test/a.mat", packed),
        List.of(
            FileFormat.Way.of(damaged, Mutation.BYTES, packed),
            FileFormat.Way.of(damaged, Mutation.BYTES, plain)),
        FileFormat.Reading.of(folder -> {
          for (byte label : one(MaskSet.open("masks:" + folder)).mask()) {
            if (label != 0 && label != 1) {
              throw new AssertionError("an outline is there or not, but a label is " + label);
            }
          }
        }),
        List.of(
            new FileFormat.Case("empty", damaged, new byte[0], "groundTruth"),
            new FileFormat.Case("zeros", damaged, new byte[200], "groundTruth"),
            new FileFormat.Case("2^30 columns", damaged, wide, "")));
  }

  /// With an image for the mask of this content, to train with and to test with.
  private static Map<String, byte[]> files(String train, String test, byte[] mask) {
    var files = new LinkedHashMap<String, byte[]>();
    byte[] image = ImageFiles.written("png", BufferedImage.TYPE_INT_RGB, false);
    files.put("images/train/a.png", image);
    files.put("images/test/a.png", image);
    files.put(train, mask);
    files.put(test, mask);
    return files;
  }

  /// The image to train with, which has a label for every pixel.
  private static MaskImage one(MaskSet set) {
    MaskImage image = set.train().getFirst();
    DataFiles.same(HEIGHT * WIDTH, image.mask().length, "labels");
    return image;
  }

  /// As the BSDS500 benchmark has them: what two people have drawn.
  private static byte[] outlines(boolean compressed) {
    Cell people = Mat5.newCell(1, 2);
    for (int person = 0; person < 2; person++) {
      Matrix drawn = Mat5.newLogical(HEIGHT, WIDTH);
      for (int y = 0; y < HEIGHT; y++) {
        drawn.setBoolean(y, (y + 3 * person) % WIDTH, true);
      }
      people.set(person, Mat5.newStruct().set("Boundaries", drawn));
    }
    MatFile file = Mat5.newMatFile().addArray("groundTruth", people);
    try {
      long size = file.getUncompressedSerializedSize();
      ByteBuffer bytes = ByteBuffer.allocate(Casts.sint32(2 * size));
      bytes.order(ByteOrder.nativeOrder());
      Mat5.newWriter(Sinks.wrap(bytes))
          .setDeflateLevel(compressed ? Deflater.DEFAULT_COMPRESSION : Deflater.NO_COMPRESSION)
          .writeMat(file);
      return Arrays.copyOf(bytes.array(), bytes.position());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Where the first matrix says how many columns it has: behind its rows, which are as many as
  /// nothing else in the file.
  private static int columns(byte[] file) {
    ByteBuffer numbers = ByteBuffer.wrap(file).order(ByteOrder.nativeOrder());
    for (int at = 0; at + 8 <= file.length; at += 4) {
      if (numbers.getInt(at) == HEIGHT && numbers.getInt(at + 4) == WIDTH) {
        return at + 4;
      }
    }
    throw new AssertionError("a file without a matrix");
  }
}
