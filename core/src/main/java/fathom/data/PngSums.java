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

/// The sums in a PNG file, a CRC-32 behind each of its chunks. Java's reader does not look at them,
/// and shows what damage has made of the image.
///
/// Where the sum of a part that pixels do not need is wrong, the part is as good as missing, if its
/// name is one that there is: another name may be damage too, to that of a part that is needed.
final class PngSums {
  private static final Set<String> EXTRAS =
      Set.of(
          "acTL", "bKGD", "cHRM", "cICP", "eXIf", "fcTL", "fdAT", "gAMA", "gIFg", "gIFx", "hIST",
          "iCCP", "iTXt", "oFFs", "pCAL", "pHYs", "sBIT", "sCAL", "sPLT", "sRGB", "sTER", "tEXt",
          "tIME", "tRNS", "zTXt");

  private PngSums() {}

  /// Throws [BadFileException] unless every chunk that pixels need is as it was written. The last
  /// one, which only says that it is, may be missing.
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
