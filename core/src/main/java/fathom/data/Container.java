package fathom.data;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The description of an image that a file gives before any pixel is decoded, and the parts of the
/// file that the pixels need. A decoder receives only these parts, so damage elsewhere in the file
/// cannot matter.
///
/// @param width the width of the stored image, before it is rotated; for an animation, of its
///   canvas
/// @param height the height of the same
/// @param grey whether all pixels are known to be grey
/// @param bytesPerPixel the bytes of the heap that decoding takes per pixel
/// @param frame where on the canvas the decoded pixels lie; null if they cover all of it
/// @param parts the parts that the decoder receives
/// @param profiled the same parts with the colour profile; null if there is none that fits
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

  /// The place of the first frame on the canvas of a GIF or WebP image.
  ///
  /// @param around the colour of the canvas outside the frame, as `0xRRGGBB`
  record Frame(int left, int top, int width, int height, int around) {}

  /// Returns roughly how many bytes of the heap decoding takes.
  long bytes() {
    return (long) bytesPerPixel * width * height + (1 << 20);
  }
}
