package fathom.io;

import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Decodes text from mapped bytes piece by piece, because a header may have 100 MB. Unlike Java's
/// own readers it says, in a [BadFileException], where the bytes are not UTF-8.
final class Utf8Reader extends Reader {
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private final Path file;
  private final long start;
  private final ByteBuffer bytes;

  /// Reads the text of `bytes`, which begin at the offset `start` of the file.
  Utf8Reader(Path file, long start, ByteBuffer bytes) {
    this.file = file;
    this.start = start;
    this.bytes = bytes;
  }

  @Override
  public int read(char[] into, int offset, int length) {
    CharBuffer chars = CharBuffer.wrap(into, offset, length);
    CoderResult result = decoder.decode(bytes, chars, true);
    if (result.isError()) {
      throw new BadFileException(
          file,
          "the header must be UTF-8, but byte %s of the file is not"
              .formatted(start + bytes.position()));
    }
    int count = chars.position() - offset;
    return count > 0 || bytes.hasRemaining() ? count : -1;
  }

  @Override
  public void close() {}
}
