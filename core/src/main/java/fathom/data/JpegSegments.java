package fathom.data;

import fathom.data.ImageStream.Made;
import fathom.data.ImageStream.Part;
import fathom.data.ImageStream.Range;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import javax.imageio.IIOException;
import org.jspecify.annotations.Nullable;

/// Reads the segments of a JPEG file before its pixels. As in libjpeg, on which browsers are built,
/// any bytes may lie between two segments.
///
/// Three components are YCbCr, as in libjpeg, unless there is no JFIF marker and either an Adobe
/// marker says otherwise or, without an Adobe marker, the components are called R, G, B. A marker
/// that is added here tells the decoder so, because Java's reader would decide otherwise.
final class JpegSegments {
  private static final int LONGEST_SIDE = 65500; // the limit of libjpeg
  private static final Part START = made("ffd8");
  private static final Part JFIF = made("ffe0" + "0010" + "4a46494600" + "010100000100010000");
  private static final Part ADOBE_RGB =
      made("ffee" + "000e" + "41646f6265" + "0064" + "00000000" + "00");
  private static final int SEGMENT = 4; // the bytes of mark and length

  private final ImageStream in;
  private final List<Part> kept = new ArrayList<>();
  private final SequencedMap<Integer, Range> profile = new TreeMap<>();
  private boolean profileIsWhole = true;
  private int profiles;
  private boolean jfif;
  private @Nullable Range adobe;
  private int adobeTransform = -1;
  private byte[] frame = {};
  private @Nullable Orientation orientation;

  private JpegSegments(ImageStream in) {
    this.in = in;
  }

  private static Part made(String hex) {
    return new Made(HexFormat.of().parseHex(hex));
  }

  static Container of(ImageStream in) throws IOException {
    return new JpegSegments(in).read();
  }

  private Container read() throws IOException {
    in.seek(2);
    int mark = mark();
    while (mark != 0xda) {
      if (mark == 0xd8 || mark == 0xd9) {
        throw new IIOException("its pixels do not follow, but another start or the end");
      }
      if (mark != 0x01 && (mark < 0xd0 || mark > 0xd7)) { // these markers have no content
        segment(mark);
      }
      mark = mark();
    }
    long scan = in.getStreamPosition() - 2;
    if (frame.length < 6 || frame.length < 6 + 3 * components()) {
      throw new IIOException("there is no size before its pixels");
    }
    var pixels = new Range(scan, in.length() - scan);
    List<Part> parts = joined(List.of(), pixels);
    return new Container(
        "jpeg",
        side(3),
        side(1),
        components() == 1,
        orientation == null ? Orientation.UPRIGHT : orientation,
        components(),
        null,
        parts,
        hasProfile() ? joined(List.copyOf(profile.values()), pixels) : null);
  }

  /// Returns the next marker, skipping fill bytes and any bytes that are no marker.
  private int mark() throws IOException {
    int mark;
    do {
      while (in.readUnsignedByte() != 0xff) {}
      do {
        mark = in.readUnsignedByte();
      } while (mark == 0xff);
    } while (mark == 0);
    return mark;
  }

  private void segment(int mark) throws IOException {
    long start = in.getStreamPosition() - 2;
    int length = in.readUnsignedShort() - 2;
    if (length < 0) {
      throw new IIOException("a segment says that it has %s bytes".formatted(length + 2));
    }
    long content = start + SEGMENT;
    var whole = new Range(start, SEGMENT + (long) length);
    switch (mark) {
      case 0xe0 -> jfif |= starts("JFIF\0", length);
      case 0xe1 -> {
        if (orientation == null && starts("Exif\0", length)) {
          in.seek(content);
          orientation = Orientation.ofExif(in.bytes(length));
        }
      }
      case 0xe2 -> {
        if (starts("ICC_PROFILE\0", length)) {
          profile(whole, content);
        }
      }
      case 0xee -> {
        if (length >= 12 && starts("Adobe", length)) {
          in.seek(content + 11);
          adobeTransform = in.readUnsignedByte();
          adobe = whole;
        }
      }
      default -> {
        if (mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc) {
          in.seek(content);
          frame = in.bytes(length);
        }
        if ((mark < 0xe0 || mark > 0xef) && mark != 0xfe) {
          kept.add(whole);
        }
      }
    }
    in.seek(content + length);
  }

  private boolean starts(String name, int length) throws IOException {
    byte[] wanted = name.getBytes(StandardCharsets.US_ASCII);
    return length >= wanted.length
        && new String(in.bytes(wanted.length), StandardCharsets.ISO_8859_1).equals(name);
  }

  /// Records a part of the colour profile. Its name is followed by the number of the part, from 1
  /// on, and the number of parts.
  private void profile(Range segment, long content) throws IOException {
    in.seek(content + 12);
    int number = in.readUnsignedByte();
    int count = in.readUnsignedByte();
    profileIsWhole &= profile.put(number, segment) == null && (profiles == 0 || profiles == count);
    profiles = count;
  }

  /// Returns whether there is a complete profile, for the colours that the image has.
  private boolean hasProfile() throws IOException {
    if (profile.isEmpty()
        || !profileIsWhole
        || profile.size() != profiles
        || profile.firstEntry().getKey() != 1
        || profile.lastEntry().getKey() != profiles) {
      return false;
    }
    Range first = profile.firstEntry().getValue();
    in.seek(first.from() + SEGMENT + 14);
    byte[] head = in.bytes(first.length() - SEGMENT - 14);
    return Profile.isFor(
        head,
        switch (components()) {
          case 1 -> "GRAY";
          case 3 -> "RGB ";
          default -> "CMYK";
        });
  }

  private List<Part> joined(List<Range> profile, Range pixels) {
    var parts = new ArrayList<Part>();
    parts.add(START);
    if (components() == 3) {
      parts.add(areYCbCr() ? JFIF : ADOBE_RGB);
    } else if (adobe != null && components() == 4) {
      parts.add(adobe);
    }
    parts.addAll(profile);
    parts.addAll(kept);
    parts.add(pixels);
    return parts;
  }

  private boolean areYCbCr() {
    if (jfif) {
      return true;
    }
    return adobe == null
        ? frame[6] != 'R' || frame[9] != 'G' || frame[12] != 'B'
        : adobeTransform != 0;
  }

  private int components() {
    return frame[5] & 0xff;
  }

  private int side(int at) throws IOException {
    int side = ((frame[at] & 0xff) << 8) | (frame[at + 1] & 0xff);
    if (side == 0 || side > LONGEST_SIDE) {
      throw new IIOException(
          "a side of a JPEG file has 1 to %s pixels, but one has %s".formatted(LONGEST_SIDE, side));
    }
    return side;
  }
}
