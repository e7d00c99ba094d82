package fathom.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import fathom.io.BadFileException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What stands around the pixels of an image: it decides what they mean, and damage to the rest of
/// it is none to the image.
class ContainerTest {
  private static final int WIDTH = 32;
  private static final int HEIGHT = 16;
  private static final int RED = 0xc83c14;
  private static final int BLUE = 0x1432b4;

  @TempDir Path dir;

  /// Left red, right blue.
  private static BufferedImage halves() {
    var image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_3BYTE_BGR);
    for (int p = 0; p < WIDTH * HEIGHT; p++) {
      image.setRGB(p % WIDTH, p / WIDTH, p % WIDTH < WIDTH / 2 ? RED : BLUE);
    }
    return image;
  }

  private static byte[] written(String format) throws IOException {
    var out = new ByteArrayOutputStream();
    assertTrue(ImageIO.write(halves(), format, out));
    return out.toByteArray();
  }

  /// Its size as it is seen, and all of its pixels.
  private record Seen(int width, int height, byte[] pixels) {
    int rgb(int x, int y) {
      int at = y * width + x;
      int plane = width * height;
      return ((pixels[at] & 0xff) << 16)
          | ((pixels[plane + at] & 0xff) << 8)
          | (pixels[2 * plane + at] & 0xff);
    }
  }

  private Seen seen(byte[] file) throws IOException {
    Path path = Files.write(dir.resolve("image"), file);
    ImageFile.Header header = ImageFile.header(path);
    assertEquals(header, ImageFile.whole(path));
    return new Seen(
        header.width(),
        header.height(),
        new Resizing(3, header.height(), header.width(), false).of(path).pixels());
  }

  private void assertRefused(String name, byte[] file) throws IOException {
    Path path = Files.write(dir.resolve("image"), file);
    assertThrows(BadFileException.class, () -> ImageFile.whole(path), name);
  }

  /// By at most 4 in each channel.
  private static void assertNear(int expected, int rgb, String name) {
    for (int shift = 0; shift < 24; shift += 8) {
      assertEquals(expected >> shift & 0xff, rgb >> shift & 0xff, 4, name);
    }
  }

  private static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  // ---- JPEG

  private static byte[] segment(int mark, byte[]... content) {
    byte[] all = joined(content);
    return ByteBuffer.allocate(4 + all.length)
        .putShort((short) (0xff00 | mark))
        .putShort((short) (2 + all.length))
        .put(all)
        .array();
  }

  /// With this at its start; without the segment of JFIF if that is not wanted.
  private static byte[] jpeg(byte[] plain, boolean jfif, byte[]... start) {
    int after = 4 + ByteBuffer.wrap(plain).getShort(4);
    boolean has = plain[3] == (byte) 0xe0;
    return joined(
        hex("ffd8"),
        has && jfif ? Arrays.copyOfRange(plain, 2, after) : new byte[0],
        joined(start),
        Arrays.copyOfRange(plain, has ? after : 2, plain.length));
  }

  /// The components called so, in the frame and in the scan.
  private static byte[] named(byte[] jpeg, int... names) {
    byte[] renamed = jpeg.clone();
    int at = 2;
    while (jpeg[at + 1] != (byte) 0xda) {
      for (int c = 0; c < 3 && jpeg[at + 1] == (byte) 0xc0; c++) {
        renamed[at + 10 + 3 * c] = (byte) names[c];
      }
      at += 2 + (ByteBuffer.wrap(jpeg).getShort(at + 2) & 0xffff);
    }
    for (int c = 0; c < 3; c++) {
      renamed[at + 5 + 2 * c] = (byte) names[c];
    }
    return renamed;
  }

  /// Samples that are written as they are: red, green, blue.
  private static byte[] jpegOfRgb() throws IOException {
    WritableRaster raster =
        Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, WIDTH, HEIGHT, 3, null);
    for (int p = 0; p < WIDTH * HEIGHT; p++) {
      int rgb = halves().getRGB(p % WIDTH, p / WIDTH);
      raster.setPixel(
          p % WIDTH, p / WIDTH, new int[] {rgb >> 16 & 0xff, rgb >> 8 & 0xff, rgb & 0xff});
    }
    var out = new ByteArrayOutputStream();
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (var to = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(to);
      writer.write(null, new IIOImage(raster, null, null), null);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  @Test
  void threeComponentsWithoutAMarkerAreYCbCrUnlessTheyAreCalledRgb() throws IOException {
    byte[] bare = jpeg(jpegOfRgb(), false); // of one sampling, as subsampled ones tell themselves
    byte[] jfif = segment(0xe0, ascii("JFIF\0"), hex("0101" + "00" + "00010001" + "0000"));
    Seen expected = seen(jpeg(bare, false, jfif));
    for (int[] names :
        List.of(
            new int[] {1, 2, 3},
            new int[] {0, 1, 2},
            new int[] {3, 4, 5},
            new int[] {'r', 'g', 'b'})) {
      assertArrayEquals(expected.pixels, seen(named(bare, names)).pixels, Arrays.toString(names));
    }
    byte[] rgb = bare;
    Seen called = seen(named(rgb, 'R', 'G', 'B'));
    assertNear(RED, called.rgb(2, 2), "called R, G, B");
    assertNear(BLUE, called.rgb(WIDTH - 3, 2), "called R, G, B");
  }

  @Test
  void theMarkerOfJfifGoesBeforeThatOfAdobeAndThatBeforeNames() throws IOException {
    byte[] isRgb = segment(0xee, ascii("Adobe"), hex("0064" + "00000000" + "00"));
    byte[] plain = written("jpeg");
    assertArrayEquals(seen(plain).pixels, seen(jpeg(plain, true, isRgb)).pixels);
    byte[] rgb = named(jpeg(jpegOfRgb(), false, isRgb), 1, 2, 3);
    assertNear(RED, seen(rgb).rgb(2, 2), "by Adobe");
  }

  @Test
  void aProfileThatCannotBeUsedDoesNotMatter() throws IOException {
    byte[] plain = written("jpeg");
    Seen expected = seen(plain);
    byte[] name = ascii("ICC_PROFILE\0");
    byte[] linear = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
    byte[] grey = ICC_Profile.getInstance(ColorSpace.CS_GRAY).getData();
    byte[] hollow = Arrays.copyOf(linear, 200);
    var profiles = new LinkedHashMap<String, byte[]>();
    byte[] whole = segment(0xe2, name, hex("0101"), linear);
    profiles.put("twice", joined(whole, whole));
    profiles.put("the second missing", segment(0xe2, name, hex("0102"), linear));
    profiles.put("beyond", segment(0xe2, name, hex("0301"), linear));
    profiles.put("number 0", segment(0xe2, name, hex("0001"), linear));
    profiles.put("of grey", segment(0xe2, name, hex("0101"), grey));
    profiles.put("no profile", segment(0xe2, name, hex("0101"), ascii("no profile".repeat(20))));
    profiles.put("only its head", segment(0xe2, name, hex("0101"), hollow));
    profiles.put("without numbers", segment(0xe2, name));
    for (Map.Entry<String, byte[]> each : profiles.entrySet()) {
      Seen found = seen(jpeg(plain, true, each.getValue()));
      assertArrayEquals(expected.pixels, found.pixels, each.getKey());
    }
    assertFalse(Arrays.equals(expected.pixels, seen(jpeg(plain, true, whole)).pixels));
  }

  // ---- Orientation

  /// Exif with one entry, orientation 6 as a field of this type: 1 BYTE, 3 SHORT, 4 LONG.
  private static byte[] tiff(int type, boolean little) {
    String value =
        switch (type) {
          case 1 -> "06000000";
          case 3 -> little ? "06000000" : "00060000";
          default -> little ? "06000000" : "00000006";
        };
    return hex(
        little
            ? "49492a00080000000100" + "12010" + type + "0001000000" + value + "00000000"
            : "4d4d002a000000080001" + "0112000" + type + "00000001" + value + "00000000");
  }

  @Test
  void orientationsAreFoundAsAnyNumberAndAtAnyPlace() throws IOException {
    byte[] exif = joined(ascii("Exif\0\0"), tiff(3, false));
    byte[] app1 = segment(0xe1, exif);
    byte[] plain = written("jpeg");
    var files = new LinkedHashMap<String, byte[]>();
    for (int type : new int[] {1, 3, 4}) {
      for (boolean little : new boolean[] {false, true}) {
        byte[] tiff = tiff(type, little);
        String name = "type %s, %s".formatted(type, little);
        files.put(name, jpeg(plain, true, segment(0xe1, ascii("Exif\0\0"), tiff)));
        files.put("png, " + name, png(chunk("eXIf", tiff)));
      }
    }
    files.put("fill bytes", jpeg(plain, true, hex("ffffff"), app1));
    files.put("bytes that are none", jpeg(plain, true, hex("001200ff00"), app1));
    files.put("without JFIF", jpeg(plain, false, app1));
    byte[][] many = new byte[1200][];
    Arrays.fill(many, segment(0xef, ascii("?")));
    files.put("many segments", jpeg(plain, true, joined(many), app1));
    files.put("other Exif", jpeg(plain, true, segment(0xe1, ascii("Exif\0\0?")), app1));
    Arrays.fill(many, chunk("tEXt", ascii("Comment\0?")));
    files.put("png, many chunks", png(joined(many), chunk("eXIf", tiff(3, false))));
    byte[] whole = written("png");
    files.put(
        "png, behind the pixels",
        joined(
            Arrays.copyOf(whole, whole.length - 12),
            chunk("eXIf", tiff(3, false)),
            Arrays.copyOfRange(whole, whole.length - 12, whole.length)));
    String digits = HexFormat.of().formatHex(exif).replaceAll("(.{72})", "$1\n");
    byte[] raw = ascii("\nexif\n      %s\n%s\n".formatted(exif.length, digits));
    files.put("png, raw", png(chunk("tEXt", ascii("Raw profile type exif\0"), raw)));
    files.put("png, APP1", png(chunk("zTXt", ascii("Raw profile type APP1\0\0"), deflated(raw))));
    files.put(
        "png, raw, in UTF-8", png(chunk("iTXt", ascii("Raw profile type exif\0\0\0\0\0"), raw)));
    byte[] webp =
        Base64.getDecoder()
            .decode(
                "UklGRm4AAABXRUJQVlA4WAoAAAAIAAAABwAABQAAVlA4TC0AAAAvB0ABAB8gECD4H3NlQyCQ5G821QIBgv8xV+Y/8MlR"
                    + "gUCAMGnSpI2I/kdmMjMARVhJRhoAAABNTQAqAAAACAABARIAAwAAAAEABgAAAAAAAA==");
    System.arraycopy(tiff(4, false), 0, webp, webp.length - 26, 26);
    files.put("webp", webp);
    for (Map.Entry<String, byte[]> each : files.entrySet()) {
      Seen found = seen(each.getValue());
      assertTrue(found.height > found.width, each.getKey());
    }
  }

  // ---- PNG

  private static byte[] chunk(String name, byte[]... content) {
    byte[] all = joined(content);
    var sum = new CRC32();
    sum.update(ascii(name));
    sum.update(all);
    return ByteBuffer.allocate(12 + all.length)
        .putInt(all.length)
        .put(ascii(name))
        .put(all)
        .putInt((int) sum.getValue())
        .array();
  }

  /// With these chunks behind its header.
  private static byte[] png(byte[]... extras) throws IOException {
    byte[] plain = written("png");
    return joined(
        Arrays.copyOf(plain, 33), joined(extras), Arrays.copyOfRange(plain, 33, plain.length));
  }

  private static byte[] deflated(byte[] bytes) {
    byte[] out = new byte[2 * bytes.length + 100];
    var deflater = new Deflater();
    deflater.setInput(bytes);
    deflater.finish();
    int length = deflater.deflate(out);
    deflater.end();
    return Arrays.copyOf(out, length);
  }

  private static byte[] withWrongSum(byte[] chunk) {
    byte[] wrong = chunk.clone();
    wrong[wrong.length - 1] ^= 1;
    return wrong;
  }

  @Test
  void whatPixelsOfAPngDoNotNeedMayBeMalformed() throws IOException {
    byte[] expected = seen(written("png")).pixels;
    for (byte[] extra :
        List.of(
            chunk("tEXt", ascii("no end")),
            chunk("zTXt", ascii("Comment\0\0"), hex("789c0badbad0")),
            chunk("zTXt", ascii("Raw profile type exif\0\0"), hex("789c0badbad0")),
            chunk("tEXt", ascii("Raw profile type exif\0\nexif\n 5\nno digits")),
            chunk("iTXt", ascii("Comment\0\1")),
            chunk("tIME", hex("07e7")),
            chunk("bKGD", hex("00")),
            chunk("pHYs", hex("0001")),
            chunk("gAMA"),
            chunk("cHRM", hex("00")),
            chunk("sBIT", hex("ff")),
            chunk("hIST", hex("00")),
            chunk("sRGB", hex("09")),
            chunk("iCCP", ascii("name\0\0"), hex("0badbadbad")),
            chunk("tRNS", hex("00")),
            chunk("PLTE", hex("00")),
            withWrongSum(chunk("tEXt", ascii("Comment\0?"))))) {
      assertArrayEquals(
          expected, seen(png(extra)).pixels, new String(extra, 4, 4, StandardCharsets.US_ASCII));
    }
    assertRefused("not known", png(chunk("CgBI", hex("50002002"))));
    assertRefused("perhaps pixels", png(withWrongSum(chunk("iDAT", hex("00")))));
  }

  @Test
  void aPngWithoutItsEndIsWholeIfItsPixelsAre() throws IOException {
    byte[] plain = written("png");
    byte[] expected = seen(plain).pixels;
    int end = plain.length - 12;
    for (int length = 8; length < plain.length; length++) {
      byte[] cut = Arrays.copyOf(plain, length);
      if (length < end) {
        assertRefused("cut to " + length, cut);
      } else {
        assertArrayEquals(expected, seen(cut).pixels, "cut to " + length);
      }
    }
    byte[] data = Arrays.copyOfRange(plain, 41, end - 4);
    byte[] first = chunk("IDAT", Arrays.copyOf(data, data.length / 2));
    byte[] second = chunk("IDAT", Arrays.copyOfRange(data, data.length / 2, data.length));
    byte[] head = Arrays.copyOf(plain, 33);
    assertArrayEquals(expected, seen(joined(head, first, second)).pixels);
    assertRefused("half of its pixels", joined(head, first));
    assertRefused("half of its pixels", joined(head, first, chunk("IEND")));
    byte[] text = chunk("tEXt", ascii("Comment\0?"));
    assertArrayEquals(expected, seen(joined(head, first, second, Arrays.copyOf(text, 15))).pixels);
  }

  // ---- Canvases

  /// A frame of 24×24 in one colour; the code is cleared before every second pixel, so it stays 3
  /// bits wide.
  private static byte[] gif(int screen, int background, int at) {
    var bits = new StringBuilder();
    for (int pair = 0; pair < 24 * 24 / 2; pair++) {
      bits.append("001" + "100" + "100"); // clear (4), 1, 1, the low bit first
    }
    bits.append("101"); // the end: 5
    while (bits.length() % 8 > 0) {
      bits.append('0');
    }
    var codes = new ByteArrayOutputStream();
    for (int i = 0; i < bits.length(); i += 8) {
      codes.write(
          Integer.parseInt(new StringBuilder(bits.substring(i, i + 8)).reverse().toString(), 2));
    }
    var blocks = new ByteArrayOutputStream();
    for (int i = 0; i < codes.size(); i += 255) {
      byte[] block = Arrays.copyOfRange(codes.toByteArray(), i, Math.min(codes.size(), i + 255));
      blocks.write(block.length);
      blocks.writeBytes(block);
    }
    return joined(
        ascii("GIF89a"),
        new byte[] {(byte) screen, 0, (byte) screen, 0, (byte) 0xf1, (byte) background, 0},
        hex("000000" + "c83c14" + "1432b4" + "000000"),
        hex("21fe03" + "3f3f3f" + "00"), // a comment
        new byte[] {',', (byte) at, 0, (byte) at, 0, 24, 0, 24, 0, 0, 2},
        blocks.toByteArray(),
        ascii("\0;"));
  }

  @Test
  void aGifIsItsScreenWithTheFirstFrameAtItsPlace() throws IOException {
    for (int background : new int[] {0, 2}) {
      Seen found = seen(gif(48, background, 20));
      assertEquals("48×48", found.width + "×" + found.height);
      int around = background == 0 ? 0 : BLUE;
      assertEquals(around, found.rgb(19, 30));
      assertEquals(around, found.rgb(30, 44));
      assertEquals(RED, found.rgb(20, 20));
      assertEquals(RED, found.rgb(43, 43));
    }
    Seen whole = seen(gif(24, 0, 0));
    assertEquals("24×24", whole.width + "×" + whole.height);
    Seen larger = seen(gif(10, 2, 6)); // a frame that its screen cannot hold makes it larger
    assertEquals("30×30", larger.width + "×" + larger.height);
    assertEquals(BLUE, larger.rgb(5, 29));
    assertEquals(RED, larger.rgb(29, 29));
  }

  @Test
  void anAnimatedWebpIsItsCanvasWithTheFirstFrameAtItsPlace() throws IOException {
    byte[] file =
        Base64.getDecoder()
            .decode(
                "UklGRs4AAABXRUJQVlA4WAoAAAACAAAABwAABQAAQU5JTQYAAAAAAAAAAABBTk1GTAAAAAAAAAAAAAcAAAUAADIAAAJW"
                    + "UDhMNAAAAC8HQAEAHyAkIMzyv1nlhlgwmVX+X1hiGmJa6X9pZf4DHzomKGjbhgnJkgzJ7pCI6H80j4hBTk1GTgAA"
                    + "AAAAAAAAAAcAAAUAADIAAABWUDhMNQAAAC8HQAEAHyAkIMzyv1nlhlgwmVX+X1hiGmJa6X9pZf4DHzomKGjbhinJ"
                    + "kCzJs5GI6H9YTwgBAA==");
    Seen frame = seen(file);
    file[24] = 19; // the canvas is 20×10, of which one less is written
    file[27] = 9;
    file[52] = 2; // the frame lies at 4, 2, of which half is written
    file[55] = 1;
    Seen found = seen(file);
    assertEquals("20×10", found.width + "×" + found.height);
    for (int y = 0; y < found.height; y++) {
      for (int x = 0; x < found.width; x++) {
        boolean inside = x >= 4 && x < 4 + frame.width && y >= 2 && y < 2 + frame.height;
        assertEquals(inside ? frame.rgb(x - 4, y - 2) : 0, found.rgb(x, y), x + ", " + y);
      }
    }
    file[52] = 7; // and here it would reach beyond
    assertRefused("beyond its canvas", file);
  }

  // ---- WebP

  /// As the reference encoder writes it at its highest effort, in 32 bytes for any size.
  private static final byte[] ONE_COLOUR =
      Base64.getDecoder().decode("UklGRhgAAABXRUJQVlA4TAwAAAAvD8ADAChPkUvR/wA=");

  @Test
  void aLosslessWebpOfOneColourIsRead() throws IOException {
    Seen found = seen(ONE_COLOUR);
    assertEquals("16×16", found.width + "×" + found.height);
    assertEquals(RED, found.rgb(0, 0));
    assertEquals(RED, found.rgb(15, 15));
  }

  @Test
  void aProfileOfAWebpThatCannotBeUsedDoesNotMatter() throws IOException {
    for (byte[] profile :
        List.of(
            ascii("no profile"),
            ICC_Profile.getInstance(ColorSpace.CS_GRAY).getData(),
            Arrays.copyOf(ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData(), 200))) {
      byte[] pixels = Arrays.copyOfRange(ONE_COLOUR, 12, ONE_COLOUR.length);
      byte[] file =
          joined(
              ascii("RIFF"),
              little(4 + 18 + 8 + profile.length + pixels.length),
              ascii("WEBPVP8X"),
              little(10),
              hex("20000000" + "0f0000" + "0f0000"),
              ascii("ICCP"),
              little(profile.length),
              profile,
              pixels);
      assertEquals(RED, seen(file).rgb(7, 7));
    }
  }

  private static byte[] little(int number) {
    return ByteBuffer.allocate(4).putInt(Integer.reverseBytes(number)).array();
  }
}
