package fathom.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.IIOException;
import javax.imageio.stream.ImageInputStreamImpl;

/// A file as a decoder reads it, which fails if that goes on long after the end: WebP's takes what
/// is not there for zeros, and of those a damaged picture may want thousands of millions.
///
/// The JDK's own stream takes a `java.io.File`, which loses names that are not in the encoding of
/// the locale; a `Path` that came from a folder keeps their bytes.
final class PictureStream extends ImageInputStreamImpl {
  /// Decoders read ahead, some bytes one by one.
  private static final int MOST_PAST_THE_END = 4096;

  private final SeekableByteChannel channel;
  private final ByteBuffer one = ByteBuffer.allocate(1);
  private int past;

  PictureStream(Path file) throws IOException {
    channel = Files.newByteChannel(file);
  }

  @Override
  public int read() throws IOException {
    return read(one.clear()) < 0 ? -1 : one.get(0) & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    return read(ByteBuffer.wrap(into, offset, length));
  }

  private int read(ByteBuffer into) throws IOException {
    bitOffset = 0;
    if (channel.position() != streamPos) {
      channel.position(streamPos);
    }
    int read = channel.read(into);
    if (read < 0 && ++past > MOST_PAST_THE_END) {
      throw new IIOException("the file ends before the picture does");
    }
    streamPos += Math.max(0, read);
    return read;
  }

  @Override
  public long length() {
    try {
      return channel.size();
    } catch (IOException e) {
      return -1; // not known
    }
  }

  @Override
  public void close() throws IOException {
    super.close();
    channel.close();
  }
}
