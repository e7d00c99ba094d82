package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.zip.CRC32;
import javax.imageio.IIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every format, in every form of colour, becomes the same four quarters: red, green, blue and
/// light grey.
class ImageFileTest {
  private static final int WIDTH = 8;
  private static final int HEIGHT = 6;
  private static final int[] QUARTERS = {0xff0000, 0x00ff00, 0x0000ff, 0xc8c8c8};

  /// The quarters, made by libwebp from these pixels.
  private static final String WEBP_LOSSLESS =
      "UklGRjoAAABXRUJQVlA4TC0AAAAvB0ABAB8gECD4H3NlQyCQ5G821QIBgv8xV+Y/8MlRgUCAMGnSpI2I/kdmMjMA";

  private static final String WEBP_LOSSY =
      "UklGRoYAAABXRUJQVlA4IHoAAABwBACdASoIAAYAAIAIJbACdLoB+AH6gUoD8QLgA/oHt/7gBvAHS3A4YomrvAD+/7sr"
          + "+qP3zT7v/4IP9V/wTt/PPxf/nvez/7Xk1wHvlipxxLhtb/87n4Lp55k7/wVvfEKWDLz13ejhjnfw6r/Df/Wh05g2"
          + "A+X0YwAAAA==";

  /// The left column of the red quarter is transparent.
  private static final String WEBP_ALPHA =
      "UklGRkAAAABXRUJQVlA4TDMAAAAvB0ABECcgECD4H3NlQyBA8D/mikAgyd9squc/GHCRVUAQQKLwCimksL/VDhH9jxRe"
          + "twcA";

  /// The second image is the first one upside down.
  private static final String WEBP_ANIMATED =
      "UklGRs4AAABXRUJQVlA4WAoAAAACAAAABwAABQAAQU5JTQYAAAAAAAAAAABBTk1GTAAAAAAAAAAAAAcAAAUAADIAAAJW"
          + "UDhMNAAAAC8HQAEAHyAkIMzyv1nlhlgwmVX+X1hiGmJa6X9pZf4DHzomKGjbhgnJkgzJ7pCI6H80j4hBTk1GTgAA"
          + "AAAAAAAAAAcAAAUAADIAAABWUDhMNQAAAC8HQAEAHyAkIMzyv1nlhlgwmVX+X1hiGmJa6X9pZf4DHzomKGjbhinJ"
          + "kCzJs5GI6H9YTwgBAA==";

  /// Orientation 6.
  private static final String WEBP_TURNED =
      "UklGRm4AAABXRUJQVlA4WAoAAAAIAAAABwAABQAAVlA4TC0AAAAvB0ABAB8gECD4H3NlQyCQ5G821QIBgv8xV+Y/8MlR"
          + "gUCAMGnSpI2I/kdmMjMARVhJRhoAAABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA==";

  @TempDir Path dir;

  private static int quarter(int x, int y) {
    return QUARTERS[(y < HEIGHT / 2 ? 0 : 2) + (x < WIDTH / 2 ? 0 : 1)];
  }

  /// `zoom` times as large, because JPEG has colours by blocks of 16.
  private static BufferedImage quarters(int type, int zoom) {
    var image = new BufferedImage(WIDTH * zoom, HEIGHT * zoom, type);
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        image.setRGB(x, y, 0xff000000 | quarter(x / zoom, y / zoom));
      }
    }
    return image;
  }

  private static byte[] written(String format, BufferedImage image) throws IOException {
    var out = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(image, format, out), format);
    return out.toByteArray();
  }

  private static byte[] jpeg(IIOImage image, boolean progressive) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    var out = new ByteArrayOutputStream();
    try (var to = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(to);
      ImageWriteParam how = writer.getDefaultWriteParam();
      how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      how.setCompressionQuality(1);
      if (progressive) {
        how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
      }
      writer.write(null, image, how);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  /// How ink is stored: its opposite, as programs by Adobe do and all assume, marked or not, and
  /// the three colours perhaps as light and two differences (of which libjpeg makes the opposite
  /// again).
  private enum Ink {
    UNMARKED(""),
    MARKED("ffee000e" + "41646f6265" + "0064" + "0000" + "0000" + "00"),
    DIFFERENCES("ffee000e" + "41646f6265" + "0064" + "0000" + "0000" + "02");

    final String mark;

    Ink(String mark) {
      this.mark = mark;
    }

    int[] stored(int c, int m, int y, int k) {
      return switch (this) {
        case UNMARKED, MARKED -> new int[] {255 - c, 255 - m, 255 - y, 255 - k};
        case DIFFERENCES -> {
          double light = 0.299 * c + 0.587 * m + 0.114 * y;
          int blue = (int) Math.round(128 + (y - light) / 1.772);
          int red = (int) Math.round(128 + (c - light) / 1.402);
          yield new int[] {
            (int) Math.round(light), Math.min(255, blue), Math.min(255, red), 255 - k
          };
        }
      };
    }
  }

  private static byte[] ink(Ink ink) throws IOException {
    int zoom = 16;
    WritableRaster raster =
        Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, WIDTH * zoom, HEIGHT * zoom, 4, null);
    for (int y = 0; y < raster.getHeight(); y++) {
      for (int x = 0; x < raster.getWidth(); x++) {
        int rgb = quarter(x / zoom, y / zoom);
        boolean grey = rgb == QUARTERS[3];
        raster.setPixel(
            x,
            y,
            grey
                ? ink.stored(0, 0, 0, 55) // 200 of 255 is left
                : ink.stored(255 - (rgb >> 16), 255 - ((rgb >> 8) & 0xff), 255 - (rgb & 0xff), 0));
      }
    }
    return spliced(
        jpeg(new IIOImage(raster, null, null), false), 2, HexFormat.of().parseHex(ink.mark));
  }

  /// Where the second segment of a JPEG file begins.
  private static int afterFirst(byte[] jpeg) {
    return 4 + ByteBuffer.wrap(jpeg).getShort(4);
  }

  private static byte[] spliced(byte[] file, int at, byte[] part) {
    return ByteBuffer.allocate(file.length + part.length)
        .put(file, 0, at)
        .put(part)
        .put(file, at, file.length - at)
        .array();
  }

  private static BufferedImage sixteenBits() {
    var model =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB),
            false,
            false,
            ComponentColorModel.OPAQUE,
            DataBuffer.TYPE_USHORT);
    WritableRaster raster = model.createCompatibleWritableRaster(WIDTH, HEIGHT);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        int rgb = quarter(x, y);
        raster.setPixel(
            x, y, new int[] {(rgb >> 16) * 257, (rgb >> 8 & 0xff) * 257, (rgb & 0xff) * 257});
      }
    }
    return new BufferedImage(model, raster, false, null);
  }

  private static BufferedImage transparent(int type) {
    BufferedImage image = quarters(type, 1);
    for (int y = 0; y < HEIGHT; y++) {
      image.setRGB(1, y, image.getRGB(1, y) & 0x40ffffff);
    }
    return image;
  }

  private static BufferedImage palette() {
    var colours = new IndexColorModel(2, 4, QUARTERS, 0, false, -1, DataBuffer.TYPE_BYTE);
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_BINARY, colours);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        image.setRGB(x, y, 0xff000000 | quarter(x, y));
      }
    }
    return image;
  }

  /// A form of file, and by how much a value may differ.
  private record Form(String name, byte[] bytes, int tolerance) {}

  private static Form webp(String name, String content, int tolerance) {
    return new Form("webp, " + name, Base64.getDecoder().decode(content), tolerance);
  }

  @TestFactory
  List<DynamicTest> everyFormatHasTheImage() throws IOException {
    int bgr = BufferedImage.TYPE_3BYTE_BGR;
    var forms =
        List.of(
            new Form("jpeg", jpeg(new IIOImage(quarters(bgr, 16), null, null), false), 4),
            new Form(
                "jpeg, progressive", jpeg(new IIOImage(quarters(bgr, 16), null, null), true), 4),
            new Form("jpeg, ink", ink(Ink.UNMARKED), 4),
            new Form("jpeg, ink by Adobe", ink(Ink.MARKED), 4),
            new Form("jpeg, ink in differences", ink(Ink.DIFFERENCES), 4),
            new Form("png", written("png", quarters(bgr, 1)), 0),
            new Form("png, 16 bits", written("png", sixteenBits()), 0),
            new Form("png, palette", written("png", palette()), 0),
            new Form("png, alpha", written("png", transparent(BufferedImage.TYPE_4BYTE_ABGR)), 0),
            new Form("gif", written("gif", palette()), 0),
            new Form("bmp", written("bmp", quarters(bgr, 1)), 0),
            webp("lossless", WEBP_LOSSLESS, 0),
            webp("lossy", WEBP_LOSSY, 90), // half as many colours as pixels
            webp("alpha", WEBP_ALPHA, 0),
            webp("animated", WEBP_ANIMATED, 0));
    return forms.stream()
        .map(form -> DynamicTest.dynamicTest(form.name, () -> check(form)))
        .toList();
  }

  private void check(Form form) throws IOException {
    Path file = Files.write(dir.resolve("picture"), form.bytes);
    byte[] pixels = new Resizing(3, HEIGHT, WIDTH, false).of(file).pixels();
    for (int c = 0; c < 3; c++) {
      for (int y : new int[] {0, 1, 4, 5}) { // not at the edges of the quarters
        for (int x : new int[] {0, 1, 2, 5, 6, 7}) {
          int rgb = quarter(x, y);
          int expected = rgb >> (16 - 8 * c) & 0xff;
          assertEquals(
              expected,
              pixels[(c * HEIGHT + y) * WIDTH + x] & 0xff,
              form.tolerance,
              "channel %s of %s, %s".formatted(c, x, y));
        }
      }
    }
    assertEquals(form.name.split(",")[0], ImageFile.header(file).format());
  }

  /// Grey of every depth, with and without transparency: 51, 102, 153 and 204 of 255.
  @Test
  void greyKeepsItsSamples() throws IOException {
    for (int type : new int[] {BufferedImage.TYPE_BYTE_GRAY, BufferedImage.TYPE_USHORT_GRAY}) {
      var image = new BufferedImage(4, 1, type);
      for (int x = 0; x < 4; x++) {
        image
            .getRaster()
            .setSample(x, 0, 0, 51 * (x + 1) * (type == BufferedImage.TYPE_USHORT_GRAY ? 257 : 1));
      }
      Path file = Files.write(dir.resolve("grey.png"), written("png", image));
      assertArrayEquals(
          new byte[] {51, 102, (byte) 153, (byte) 204},
          new Resizing(1, 1, 4, false).of(file).pixels());
      assertTrue(ImageFile.header(file).grey());
    }
  }

  /// In light that is linear, 0.5 is 188 of 255 in sRGB: the profile in the file says so.
  @Test
  void coloursByAProfileOfTheirOwnBecomeStandardOnes() throws IOException {
    var image = new BufferedImage(16, 16, BufferedImage.TYPE_3BYTE_BGR);
    for (int p = 0; p < 256; p++) {
      image.setRGB(p % 16, p / 16, 0xff800000);
    }
    byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
    byte[] name = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer segment =
        ByteBuffer.allocate(4 + name.length + 2 + profile.length)
            .putShort((short) 0xffe2)
            .putShort((short) (2 + name.length + 2 + profile.length))
            .put(name)
            .put((byte) 1)
            .put((byte) 1)
            .put(profile);
    byte[] plain = jpeg(new IIOImage(image, null, null), false);
    Path file =
        Files.write(dir.resolve("linear.jpg"), spliced(plain, afterFirst(plain), segment.array()));
    byte[] pixels = new Resizing(3, 16, 16, false).of(file).pixels();
    assertEquals(188, pixels[0] & 0xff, 2);
    assertEquals(0, pixels[256] & 0xff, 2);
  }

  // ---- Orientation

  /// A TIFF header, one entry (the orientation), no other directory.
  private static byte[] tiff(int orientation, boolean little) {
    String text =
        little
            ? "49492a0008000000" + "0100" + "1201" + "0300" + "01000000" + "%02x000000" + "00000000"
            : "4d4d002a00000008"
                + "0001"
                + "0112"
                + "0003"
                + "00000001"
                + "00%02x0000"
                + "00000000";
    return HexFormat.of().parseHex(String.format(Locale.ROOT, text, orientation));
  }

  private static byte[] exifJpeg(int orientation, boolean little) throws IOException {
    byte[] tiff = tiff(orientation, little);
    ByteBuffer segment =
        ByteBuffer.allocate(4 + 6 + tiff.length)
            .putShort((short) 0xffe1)
            .putShort((short) (2 + 6 + tiff.length))
            .put("Exif\0\0".getBytes(StandardCharsets.US_ASCII))
            .put(tiff);
    byte[] plain =
        jpeg(new IIOImage(quarters(BufferedImage.TYPE_3BYTE_BGR, 16), null, null), false);
    return spliced(plain, afterFirst(plain), segment.array());
  }

  private static byte[] exifPng(int orientation) throws IOException {
    byte[] content =
        ByteBuffer.allocate(4 + 26)
            .put("eXIf".getBytes(StandardCharsets.US_ASCII))
            .put(tiff(orientation, false))
            .array();
    var crc = new CRC32();
    crc.update(content);
    ByteBuffer chunk =
        ByteBuffer.allocate(4 + content.length + 4)
            .putInt(content.length - 4)
            .put(content)
            .putInt((int) crc.getValue());
    byte[] plain = written("png", quarters(BufferedImage.TYPE_3BYTE_BGR, 1));
    return spliced(plain, 33, chunk.array()); // after the header
  }

  /// What is seen at the top left, top right, bottom left and bottom right, as quarters of what is
  /// stored: `0 1` above `2 3`. By the table of the standard, for example 6: the first row is the
  /// right side, the first column the top. What the system does not give is no damage: neither
  /// where a file cannot be opened, nor where reading it fails, also if a decoder says so in its
  /// own words. Root may read everything.
  @Test
  void whatCannotBeReadIsNotDamaged() throws IOException {
    var denied = new ImageStream.UnreadableException(new AccessDeniedException("a.png"));
    assertEquals("permission denied", denied.getMessage());
    assertSame(denied, ImageFile.unreadable(new IIOException("read error", denied)));
    assertNull(ImageFile.unreadable(new IIOException("no image", new IOException("zlib"))));
    Path closed = Files.createTempFile("closed", ".png");
    try {
      Files.write(closed, new byte[20]);
      ImageStream failing = ImageStream.of(ImageSource.of(closed));
      failing.close();
      assertThrows(ImageStream.UnreadableException.class, () -> failing.read(new byte[9], 0, 9));
      Files.setPosixFilePermissions(closed, Set.of());
      if (!Files.isReadable(closed)) {
        var e = assertThrows(BadFileException.class, () -> ImageFile.whole(closed));
        assertTrue(e.getMessage().contains("it cannot be read (permission denied)"));
        var text = assertThrows(BadFileException.class, () -> RegularFile.text(closed, 9));
        assertTrue(text.getMessage().contains("cannot be read (permission denied)"));
      }
    } finally {
      Files.delete(closed);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0 1 2 3, false",
    "2, 1 0 3 2, false",
    "3, 3 2 1 0, false",
    "4, 2 3 0 1, false",
    "5, 0 2 1 3, true",
    "6, 2 0 3 1, true",
    "7, 3 1 2 0, true",
    "8, 1 3 0 2, true",
    "0, 0 1 2 3, false",
    "9, 0 1 2 3, false"
  })
  void aImageIsTurnedAsItsCameraSays(int orientation, String seen, boolean turned)
      throws IOException {
    for (byte[] bytes :
        List.of(exifJpeg(orientation, true), exifJpeg(orientation, false), exifPng(orientation))) {
      assertSeen(bytes, seen, turned);
    }
  }

  @Test
  void webpIsTurnedToo() throws IOException {
    assertSeen(Base64.getDecoder().decode(WEBP_TURNED), "2 0 3 1", true);
  }

  private void assertSeen(byte[] bytes, String seen, boolean turned) throws IOException {
    Path file = Files.write(dir.resolve("picture"), bytes);
    ImageFile.Header header = ImageFile.header(file);
    assertEquals(turned, header.height() > header.width());
    int height = turned ? WIDTH : HEIGHT;
    int width = turned ? HEIGHT : WIDTH;
    byte[] pixels = new Resizing(3, height, width, false).of(file).pixels();
    String[] order = seen.split(" ");
    for (int q = 0; q < 4; q++) {
      int x = q % 2 == 0 ? 1 : width - 2;
      int y = q < 2 ? 1 : height - 2;
      for (int c = 0; c < 3; c++) {
        assertEquals(
            QUARTERS[Integer.parseInt(order[q])] >> (16 - 8 * c) & 0xff,
            pixels[(c * height + y) * width + x] & 0xff,
            5,
            "quarter %s of %s".formatted(q, seen));
      }
    }
  }

  @Test
  void aPartOfATurnedImageIsThatOfTheImageAsItIsSeen() throws IOException {
    // Stored as red, green above blue, grey; seen as blue, red above grey, green.
    Path file = Files.write(dir.resolve("turned.png"), exifPng(6));
    byte[] out = new byte[3 * 2 * 3];
    ImageFile.read(
        file,
        (width, height) -> new Orientation.Box(width - 3, 0, 3, 2), // the top right
        new Scaling.Target(3, 2, 3),
        out,
        0);
    byte[] red = new byte[18];
    Arrays.fill(red, 0, 6, (byte) 255);
    assertArrayEquals(red, out);
  }

  // ---- Damage

  @Test
  void aWebpFileThatIsCutShortIsRefused() throws IOException {
    for (String whole : List.of(WEBP_LOSSLESS, WEBP_LOSSY, WEBP_TURNED)) {
      byte[] bytes = Base64.getDecoder().decode(whole);
      for (int length = 0; length < bytes.length; length++) {
        Path file = Files.write(dir.resolve("cut.webp"), Arrays.copyOf(bytes, length));
        assertThrows(BadFileException.class, () -> ImageFile.whole(file), "" + length);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {WEBP_LOSSLESS, WEBP_LOSSY, WEBP_ALPHA, WEBP_ANIMATED, WEBP_TURNED})
  void damagedWebpFilesAreReadOrRefused(String content) throws IOException {
    Path file = Files.write(dir.resolve("x.webp"), Base64.getDecoder().decode(content));
    Damage.mutate(file, 300, () -> ImageFile.whole(file));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void damagedOrientationsAreReadOrRefused(boolean little) throws IOException {
    Path file = Files.write(dir.resolve("x.jpg"), exifJpeg(6, little));
    Damage.mutate(file, 300, () -> ImageFile.whole(file));
  }
}
