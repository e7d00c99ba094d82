package fathom.data;

import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.IIOException;
import javax.imageio.stream.FileImageInputStream;

/// A file as a decoder reads it, which fails if that goes on long after the end: WebP's takes what
/// is not there for zeros, and of those a damaged picture may want thousands of millions.
final class PictureStream extends FileImageInputStream {
  /// Decoders read ahead, some bytes one by one.
  private static final int MOST_PAST_THE_END = 4096;

  private int past;

  PictureStream(Path file) throws IOException {
    super(file.toFile());
  }

  @Override
  public int read() throws IOException {
    return checked(super.read());
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    return checked(super.read(into, offset, length));
  }

  private int checked(int read) throws IOException {
    if (read < 0 && ++past > MOST_PAST_THE_END) {
      throw new IIOException("the file ends before the picture does");
    }
    return read;
  }
}
