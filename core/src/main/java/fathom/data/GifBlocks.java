package fathom.data;

import fathom.data.ImageStream.Part;
import fathom.data.ImageStream.Range;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.IIOException;

/// Reads the blocks of a GIF file up to its first frame. The image is the canvas with the frame at
/// its place; outside the frame the canvas has its background colour.
final class GifBlocks {
  private static final int HEAD = 13;
  private static final int TABLE = 0x80;
  private static final int IMAGE = 0x2c;
  private static final int EXTENSION = 0x21;

  private GifBlocks() {}

  static Container of(ImageStream in) throws IOException {
    in.setByteOrder(ByteOrder.LITTLE_ENDIAN);
    in.seek(6);
    int canvasWidth = in.readUnsignedShort();
    int canvasHeight = in.readUnsignedShort();
    int flags = in.readUnsignedByte();
    int background = in.readUnsignedByte();
    in.seek(HEAD);
    byte[] colours = table(in, flags);
    long start = afterExtensions(in);
    int left = in.readUnsignedShort();
    int top = in.readUnsignedShort();
    int width = in.readUnsignedShort();
    int height = in.readUnsignedShort();
    byte[] own = table(in, in.readUnsignedByte());
    // A frame that does not fit enlarges the canvas, as in browsers.
    int across = Math.max(canvasWidth, left + width);
    int down = Math.max(canvasHeight, top + height);
    boolean whole = across == width && down == height;
    int around = 3 * background < colours.length ? rgb(colours, background) : 0;
    boolean grey = areGrey(own.length > 0 ? own : colours) && (whole || isGrey(around));
    var parts = new ArrayList<Part>();
    parts.add(new Range(0, HEAD + colours.length));
    parts.add(new Range(start, in.length() - start));
    return new Container(
        "gif",
        across,
        down,
        grey,
        Orientation.UPRIGHT,
        whole ? 1 : 4,
        whole ? null : new Container.Frame(left, top, width, height, around),
        List.copyOf(parts),
        null);
  }

  /// Reads three bytes for each colour; the result is empty if the flags say that there is no
  /// table.
  private static byte[] table(ImageStream in, int flags) throws IOException {
    byte[] table = new byte[(flags & TABLE) == 0 ? 0 : 3 << ((flags & 7) + 1)];
    in.readFully(table);
    return table;
  }

  /// Returns the position of the first frame; afterwards the stream is just behind the frame's
  /// mark.
  private static long afterExtensions(ImageStream in) throws IOException {
    int mark = in.readUnsignedByte();
    while (mark == EXTENSION) {
      in.readUnsignedByte();
      for (int length = in.readUnsignedByte(); length > 0; length = in.readUnsignedByte()) {
        in.seek(in.getStreamPosition() + length);
      }
      mark = in.readUnsignedByte();
    }
    if (mark != IMAGE) {
      throw new IIOException("there is no frame, but a block %02x".formatted(mark));
    }
    return in.getStreamPosition() - 1;
  }

  /// Returns whether all colours are grey. An empty table does not count as grey, because Java's
  /// reader then makes colours of its own.
  private static boolean areGrey(byte[] colours) {
    for (int i = 0; i < colours.length; i += 3) {
      if (colours[i] != colours[i + 1] || colours[i] != colours[i + 2]) {
        return false;
      }
    }
    return colours.length > 0;
  }

  private static boolean isGrey(int rgb) {
    return rgb == (rgb & 0xff) * 0x010101;
  }

  private static int rgb(byte[] colours, int index) {
    return ((colours[3 * index] & 0xff) << 16)
        | ((colours[3 * index + 1] & 0xff) << 8)
        | (colours[3 * index + 2] & 0xff);
  }
}
