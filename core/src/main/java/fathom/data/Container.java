package fathom.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a file says of its image before any pixel is decoded, and the parts of it that the pixels
/// need. A decoder is given nothing else, so that no damage to anything else can matter.
///
/// @param width of the image as it is stored, before it is turned; of an animation, of its canvas
/// @param bytesPerPixel what decoding takes of the heap, for each pixel
/// @param frame where on the canvas the decoded pixels lie; null where they are all of it
/// @param parts what the decoder is given
/// @param profiled the same with the colour profile; null where there is none that fits
record Container(
    String format,
    int width,
    int height,
    boolean grey,
    Orientation orientation,
    int bytesPerPixel,
    @Nullable Frame frame,
    List<ImageStream.Part> parts,
    @Nullable List<ImageStream.Part> profiled) {

  /// @param around the colour of the canvas outside, as `0xRRGGBB`
  record Frame(int left, int top, int width, int height, int around) {}

  /// How much of the heap decoding takes, about.
  long bytes() {
    return (long) bytesPerPixel * width * height + (1 << 20);
  }
}
