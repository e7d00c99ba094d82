package fathom.data;

import fathom.BadFileException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// The sums in a PNG file, a CRC-32 behind each of its chunks. Java's reader does not look at them,
/// and shows what damage has made of the picture.
final class PngSums {
  private static final int SIGNATURE = 8;
  private static final byte[] LAST = "IEND".getBytes(StandardCharsets.US_ASCII);

  private PngSums() {}

  /// Throws [BadFileException] unless every chunk up to the last is as it was written.
  static void check(Path file) {
    var sum = new CRC32();
    try (var in =
        new DataInputStream(
            new CheckedInputStream(
                new BufferedInputStream(Files.newInputStream(file), 1 << 16), sum))) {
      in.skipNBytes(SIGNATURE);
      byte[] type = new byte[LAST.length];
      while (!Arrays.equals(type, LAST)) {
        long length = Integer.toUnsignedLong(in.readInt());
        sum.reset();
        in.readFully(type);
        in.skipNBytes(length);
        int found = (int) sum.getValue();
        int expected = in.readInt();
        if (found != expected) {
          throw new BadFileException(
              file,
              "the picture is damaged: the sum of its part %s is %08x, but should be %08x; replace or remove it"
                  .formatted(new String(type, StandardCharsets.ISO_8859_1), found, expected));
        }
      }
    } catch (EOFException e) {
      throw new BadFileException(
          file, "the picture ends before its last part; replace or remove it", e);
    } catch (IOException e) {
      throw new BadFileException(
          file, "the picture cannot be read (%s); replace or remove it".formatted(e), e);
    }
  }
}
