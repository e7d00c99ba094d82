package fathom.data;

import fathom.io.RegularFile;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import javax.imageio.IIOException;
import javax.imageio.stream.ImageInputStreamImpl;

/// Several parts of a file, one after the other, as a stream for decoders. Reading fails if a
/// decoder goes on long after the end: WebP's decoder treats missing bytes as zeros, and a damaged
/// image may ask for billions of them.
///
/// This class exists because the JDK's own streams take a `java.io.File`, which loses names that
/// are not in the encoding of the locale; a `java.nio.file.Path` that came from a folder keeps
/// their bytes.
final class ImageStream extends ImageInputStreamImpl {
  /// The number of times that reading may hit the end before it fails. It is not 0 because decoders
  /// read ahead, some of them byte by byte.
  private static final int MOST_PAST_THE_END = 4096;

  private static final int MOST_BUFFERED = 1 << 13;

  private final ImageSource.Reader file;
  private final boolean owner;
  private final List<Part> parts;
  private final long[] starts;

  /// What was read ahead for those who read byte by byte, no longer than the stream: an image has
  /// several streams, and most are never read so.
  private byte[] buffer = new byte[0];

  private long buffered;
  private int inBuffer;
  private int past;

  /// A part of the stream: bytes of the file, or bytes that are not in the file.
  sealed interface Part {
    long length();
  }

  /// The `length` bytes of the file from `from` on.
  record Range(long from, long length) implements Part {}

  /// Bytes that are not in the file.
  record Made(byte... bytes) implements Part {
    @Override
    public long length() {
      return bytes.length;
    }
  }

  private ImageStream(ImageSource.Reader file, List<Part> parts, boolean owner) {
    this.file = file;
    this.owner = owner;
    this.parts = parts;
    this.starts = new long[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      starts[i + 1] = starts[i] + parts.get(i).length();
    }
  }

  /// The error that the system does not let the file be read, which says nothing about the image in
  /// it.
  static final class UnreadableException extends IOException {
    private static final long serialVersionUID = 1;

    UnreadableException(IOException cause) {
      super(RegularFile.reason(cause), cause);
    }
  }

  /// Opens the whole file.
  static ImageStream of(ImageSource source) throws UnreadableException {
    try {
      return new ImageStream(source.open(), List.of(new Range(0, source.size())), true);
    } catch (IOException e) {
      throw new UnreadableException(e);
    }
  }

  /// Returns a stream of these parts of the same file; the file is closed only with this stream,
  /// not with the new one.
  ImageStream with(List<Part> parts) {
    return new ImageStream(file, parts, false);
  }

  @Override
  public long length() {
    return starts[parts.size()];
  }

  /// Does nothing, and so tells the JVM that there is nothing to do: otherwise every stream, with
  /// the bytes of its image, outlived a garbage collection, to be closed once more after it.
  @Override
  @SuppressWarnings({"deprecation", "removal", "Finalize"})
  protected void finalize() {}

  /// Reads the next bytes: as many as there are, but at most `most`.
  byte[] bytes(long most) throws IOException {
    byte[] bytes = new byte[(int) Math.clamp(length() - getStreamPosition(), 0, most)];
    readFully(bytes);
    return bytes;
  }

  @Override
  public int read() throws IOException {
    bitOffset = 0;
    if (streamPos < buffered || streamPos >= buffered + inBuffer) {
      if (buffer.length == 0) {
        buffer = new byte[Math.clamp(length(), 1, MOST_BUFFERED)];
      }
      int filled = fetch(streamPos, buffer, 0, buffer.length);
      if (filled < 0) {
        return checked(-1);
      }
      buffered = streamPos;
      inBuffer = filled;
    }
    return buffer[(int) (streamPos++ - buffered)] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    bitOffset = 0;
    if (length == 0) {
      return 0;
    }
    int read;
    if (streamPos >= buffered && streamPos < buffered + inBuffer) {
      int at = (int) (streamPos - buffered);
      read = Math.min(length, inBuffer - at);
      System.arraycopy(buffer, at, into, offset, read);
    } else {
      read = fetch(streamPos, into, offset, length);
    }
    streamPos += Math.max(0, read);
    return checked(read);
  }

  /// Reads from as many parts as it takes to fill `length` bytes. Returns the number of bytes read,
  /// or -1 at the end.
  private int fetch(long from, byte[] into, int offset, int length) throws IOException {
    int part = part(from);
    int done = 0;
    while (done < length && part < parts.size()) {
      long skip = from + done - starts[part];
      int count = (int) Math.min(length - done, parts.get(part).length() - skip);
      switch (parts.get(part)) {
        case Made(byte[] bytes) -> System.arraycopy(bytes, (int) skip, into, offset + done, count);
        case Range(long start, long _) -> {
          if (!read(start + skip, ByteBuffer.wrap(into, offset + done, count))) {
            throw new EOFException("the file has become shorter");
          }
        }
      }
      done += count;
      part++;
    }
    return done == 0 ? -1 : done;
  }

  /// Returns false if the file ends before the buffer is full.
  private boolean read(long from, ByteBuffer buffer) throws UnreadableException {
    try {
      long end = from + buffer.remaining();
      while (buffer.hasRemaining()) {
        if (file.read(end - buffer.remaining(), buffer) < 0) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UnreadableException(e);
    }
  }

  /// Returns the index of the part that contains this position.
  private int part(long position) {
    int low = 0;
    int high = parts.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (starts[middle + 1] <= position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private int checked(int read) throws IOException {
    if (read < 0 && ++past > MOST_PAST_THE_END) {
      throw new IIOException("the file ends before the image does");
    }
    return read;
  }

  @Override
  public void close() throws IOException {
    super.close();
    if (owner) {
      file.close();
    }
  }
}
