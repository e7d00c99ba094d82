package fathom.data;

import fathom.io.BadFileException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/// Verifies the checksums in a PNG file, a CRC-32 behind each of its chunks. Java's reader ignores
/// them, and would show a damaged image.
///
/// A chunk that the pixels do not need, and whose checksum is wrong, counts as missing, but only if
/// its name is a known one: an unknown name may be the damaged name of a chunk that is needed.
final class PngSums {
  private static final Set<String> EXTRAS =
      Set.of(
          "acTL", "bKGD", "cHRM", "cICP", "eXIf", "fcTL", "fdAT", "gAMA", "gIFg", "gIFx", "hIST",
          "iCCP", "iTXt", "oFFs", "pCAL", "pHYs", "sBIT", "sCAL", "sPLT", "sRGB", "sTER", "tEXt",
          "tIME", "tRNS", "zTXt");

  private PngSums() {}

  /// Throws [BadFileException] unless every chunk that the pixels need is undamaged. The last
  /// chunk, which only marks the end, may be missing.
  static void check(ImageSource source) {
    Path file = source.name();
    var sum = new CRC32();
    boolean pixels = false;
    String type = "";
    try (var in =
        new DataInputStream(
            new CheckedInputStream(new BufferedInputStream(source.stream(), 1 << 16), sum))) {
      in.skipNBytes(PngChunks.SIGNATURE);
      while (!type.equals("IEND")) {
        type = "";
        long length = Integer.toUnsignedLong(in.readInt());
        sum.reset();
        type = new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
        in.skipNBytes(length);
        int found = (int) sum.getValue();
        int expected = in.readInt();
        if (found != expected && !EXTRAS.contains(type)) {
          throw new BadFileException(
              file,
              "the image is damaged: the sum of its part %s is %08x, but should be %08x; replace or remove it"
                  .formatted(type, found, expected));
        }
        pixels |= type.equals("IDAT");
      }
    } catch (EOFException e) {
      boolean harmless = type.length() < 4 || type.equals("IEND") || PngChunks.isExtra(type);
      if (!pixels || !harmless) {
        throw new BadFileException(
            file, "the image ends before its last part; replace or remove it", e);
      }
    } catch (IOException e) {
      throw new BadFileException(
          file, "the image cannot be read (%s); replace or remove it".formatted(e), e);
    }
  }
}
