package fathom.cli;

import fathom.data.Images;
import fathom.data.Resizing;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;

/// The formats of images.
final class ImageFiles {
  private static final int WIDTH = 9;
  private static final int HEIGHT = 7;

  private ImageFiles() {}

  static List<FileFormat> formats() {
    return List.of(jpeg(), png(), gif(), bmp(), webp());
  }

  /// Any image becomes one of this size, and only PNG has sums by which damage could be told.
  private static FileFormat format(
      String name, List<FileFormat.Way> ways, FileFormat.Case... corpus) {
    return new FileFormat(
        name,
        Map.of(name, ways.getFirst().seeds().getFirst()),
        ways,
        FileFormat.Reading.of(folder -> {
          Images read = new Resizing(3, 8, 8, false).of(folder.resolve(name));
          DataFiles.same("1×3×8×8", read.toString(), "size");
          byte[] content = Files.readAllBytes(folder.resolve(name));
          if (name.equals("png") && !Arrays.equals(content, withSums(content))) {
            throw new AssertionError("a chunk is not what its sum says, but it was read");
          }
        }),
        List.of(corpus));
  }

  private static FileFormat.Case refused(String name, String file, byte[] content, String said) {
    return new FileFormat.Case(name, file, content, said);
  }

  private static FileFormat jpeg() {
    byte[] colour = written("jpeg", BufferedImage.TYPE_INT_RGB, false);
    byte[] grey = written("jpeg", BufferedImage.TYPE_BYTE_GRAY, false);
    byte[] progressive = written("jpeg", BufferedImage.TYPE_INT_RGB, true);
    return format(
        "jpeg",
        List.of(
            FileFormat.Way.of("jpeg", Mutation.BYTES, colour, grey, progressive),
            FileFormat.Way.of("jpeg", Mutation.BYTES, withOrientation(colour))),
        refused("65535×65535", "jpeg", withSize(colour, 65535, 65535), "65500"),
        refused("cut off", "jpeg", Arrays.copyOf(colour, colour.length - 20), "damaged"),
        refused("no image", "jpeg", "no image".getBytes(StandardCharsets.UTF_8), "6e6f2069"));
  }

  /// With another size in the frame's header.
  private static byte[] withSize(byte[] jpeg, int width, int height) {
    byte[] changed = jpeg.clone();
    for (int i = 0; i + 9 < jpeg.length; i++) {
      if (jpeg[i] == (byte) 0xff && jpeg[i + 1] == (byte) 0xc0) {
        ByteBuffer.wrap(changed).putShort(i + 5, (short) height).putShort(i + 7, (short) width);
        return changed;
      }
    }
    throw new AssertionError("a JPEG file without a frame");
  }

  /// With the camera's mark that the image lies on its side.
  private static byte[] withOrientation(byte[] jpeg) {
    ByteBuffer exif = ByteBuffer.allocate(36);
    exif.putShort((short) 0xffe1)
        .putShort((short) 34)
        .put("Exif\0\0".getBytes(StandardCharsets.US_ASCII));
    exif.put("MM\0*".getBytes(StandardCharsets.US_ASCII)).putInt(8).putShort((short) 1);
    exif.putShort((short) 0x0112)
        .putShort((short) 3)
        .putInt(1)
        .putShort((short) 6)
        .putShort((short) 0);
    return ByteBuffer.allocate(jpeg.length + 36)
        .put(jpeg, 0, 2)
        .put(exif.array())
        .put(jpeg, 2, jpeg.length - 2)
        .array();
  }

  private static FileFormat png() {
    byte[] colour = written("png", BufferedImage.TYPE_INT_RGB, false);
    byte[] deep = written("png", BufferedImage.TYPE_USHORT_GRAY, false);
    byte[] palette = written("png", BufferedImage.TYPE_BYTE_INDEXED, true);
    byte[] bits = written("png", BufferedImage.TYPE_BYTE_BINARY, false);
    byte[] alpha = written("png", BufferedImage.TYPE_INT_ARGB, true);
    byte[] lines = DataFiles.random(HEIGHT * (1 + 3 * WIDTH));
    for (int y = 0; y < HEIGHT; y++) {
      lines[y * (1 + 3 * WIDTH)] = (byte) (y % 5); // every filter
    }
    return format(
        "png",
        List.of(
            FileFormat.Way.of("png", Mutation.BYTES, colour, deep, palette, bits, alpha),
            FileFormat.Way.of("png", Mutation.BYTES, colour, deep, palette, bits, alpha)
                .sealed(ImageFiles::withSums),
            FileFormat.Way.of("png", Mutation.BYTES, lines)
                .sealed(mutant -> png(WIDTH, HEIGHT, deflated(mutant)))),
        new FileFormat.Case("every filter", "png", png(WIDTH, HEIGHT, deflated(lines)), null),
        refused("2^31 − 1 rows", "png", png(1, Integer.MAX_VALUE, deflated(lines)), "megapixels"),
        refused("more than its bytes hold", "png", png(9000, 9000, deflated(lines)), "held"),
        refused("a row short", "png", png(WIDTH, HEIGHT, deflated(Arrays.copyOf(lines, 28))), ""));
  }

  private static byte[] png(int width, int height, byte[] data) {
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put(new byte[] {8, 2, 0, 0, 0});
    var file = new ByteArrayOutputStream();
    file.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    file.writeBytes(chunk("IHDR", header.array()));
    file.writeBytes(chunk("IDAT", data));
    file.writeBytes(chunk("IEND", new byte[0]));
    return withSums(file.toByteArray());
  }

  private static byte[] chunk(String type, byte[] data) {
    return ByteBuffer.allocate(12 + data.length)
        .putInt(data.length)
        .put(type.getBytes(StandardCharsets.US_ASCII))
        .put(data)
        .array();
  }

  private static byte[] deflated(byte[] bytes) {
    var packed = new ByteArrayOutputStream();
    try (var out = new DeflaterOutputStream(packed)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  /// With the right sum behind every chunk, as far as they can be told apart.
  static byte[] withSums(byte[] png) {
    ByteBuffer sealed = ByteBuffer.wrap(png.clone());
    int at = 8;
    while (at + 12 <= png.length) {
      int length = sealed.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        break;
      }
      var sum = new CRC32();
      sum.update(png, at + 4, 4 + length);
      sealed.putInt(at + 8 + length, (int) sum.getValue());
      at += 12 + length;
    }
    return sealed.array();
  }

  private static FileFormat gif() {
    byte[] plain = written("gif", BufferedImage.TYPE_BYTE_INDEXED, false);
    byte[] interlaced = written("gif", BufferedImage.TYPE_BYTE_GRAY, true);
    byte[] lying = plain.clone();
    int frame = new String(plain, StandardCharsets.ISO_8859_1).indexOf("\0\0\0\0\t\0\7\0") + 4;
    Arrays.fill(lying, frame, frame + 4, (byte) 0xff);
    return format(
        "gif",
        List.of(FileFormat.Way.of("gif", Mutation.BYTES, plain, interlaced)),
        refused("65535×65535", "gif", lying, "megapixels"),
        refused("only a header", "gif", Arrays.copyOf(plain, 13), "decoded"));
  }

  private static FileFormat bmp() {
    byte[] colour = written("bmp", BufferedImage.TYPE_INT_RGB, false);
    byte[] grey = written("bmp", BufferedImage.TYPE_BYTE_GRAY, false);
    byte[] bits = written("bmp", BufferedImage.TYPE_BYTE_BINARY, false);
    byte[] lying = colour.clone();
    Arrays.fill(lying, 18, 26, (byte) 0x7f);
    return format(
        "bmp",
        List.of(FileFormat.Way.of("bmp", Mutation.BYTES, colour, grey, bits)),
        refused("2139062143×2139062143", "bmp", lying, ""));
  }

  /// Of four colours, lossless, lossy and with transparency, as libwebp wrote them.
  private static FileFormat webp() {
    byte[] lossless =
        Base64.getDecoder()
            .decode(
                "UklGRjoAAABXRUJQVlA4TC0AAAAvB0ABAB8gECD4H3NlQyCQ5G821QIBgv8xV+Y/8MlRgUCAMGnSpI2I/kdmMjMA");
    byte[] lossy =
        Base64.getDecoder()
            .decode(
                "UklGRoYAAABXRUJQVlA4IHoAAABwBACdASoIAAYAAIAIJbACdLoB+AH6gUoD8QLgA/oHt/7gBvAHS3A4YomrvAD+/7sr"
                    + "+qP3zT7v/4IP9V/wTt/PPxf/nvez/7Xk1wHvlipxxLhtb/87n4Lp55k7/wVvfEKWDLz13ejhjnfw6r/Df/Wh05g2"
                    + "A+X0YwAAAA==");
    byte[] alpha =
        Base64.getDecoder()
            .decode(
                "UklGRkAAAABXRUJQVlA4TDMAAAAvB0ABECcgECD4H3NlQyBA8D/mikAgyd9squc/GHCRVUAQQKLwCimksL/VDhH9jxRe"
                    + "twcA");
    byte[] endless =
        HexFormat.of()
            .parseHex(
                "5249464640000000574542505650384c330000042f0740011027701020f81f7365432040"
                    + "f03fe68a4020c9df6caae73f18709155401040a2f00a29a4b0bfd50e11fd8f145eb70700");
    return format(
        "webp",
        List.of(FileFormat.Way.of("webp", Mutation.BYTES, lossless, lossy, alpha)),
        refused("a decoder that goes on past the end", "webp", endless, "ends before"),
        refused("cut off", "webp", Arrays.copyOf(lossless, lossless.length - 4), "cut short"));
  }

  static byte[] written(String format, int type, boolean progressive) {
    var image = new BufferedImage(WIDTH, HEIGHT, type);
    byte[] colours = DataFiles.random(3 * WIDTH * HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
      int rgb = ByteBuffer.wrap(colours).getInt(3 * i / 4 * 4) | 0xff000000;
      image.setRGB(i % WIDTH, i / WIDTH, rgb);
    }
    var bytes = new ByteArrayOutputStream();
    ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
    try (var out = ImageIO.createImageOutputStream(bytes)) {
      ImageWriteParam how = writer.getDefaultWriteParam();
      if (progressive) {
        how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
      }
      writer.setOutput(out);
      writer.write(null, new IIOImage(image, null, null), how);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }
}
