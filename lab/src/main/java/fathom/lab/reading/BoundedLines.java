package fathom.lab.reading;

import fathom.io.BadFileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The lines of a text in UTF-8, one at a time, none longer than a line may be, and with the number
/// of the line in every complaint: a damaged file costs neither memory nor a search.
final class BoundedLines {
  private final InputStream in;
  private final Path file;
  private final int mostBytes;
  private final int mostLines;
  private final byte[] buffer = new byte[1 << 16];
  private int at;
  private int filled;
  private int number;

  /// @param in the bytes
  /// @param file what complaints name
  /// @param mostBytes of a line
  BoundedLines(InputStream in, Path file, int mostBytes, int mostLines) {
    this.in = in;
    this.file = file;
    this.mostBytes = mostBytes;
    this.mostLines = mostLines;
  }

  /// The next line without its end, or null behind the last.
  @Nullable String next() throws IOException {
    int first = read();
    if (first < 0) {
      return null;
    }
    number++;
    if (number > mostLines) {
      throw bad("a file has at most %s lines".formatted(mostLines));
    }
    var line = new ByteArrayOutputStream();
    for (int b = first; b >= 0 && b != '\n'; b = read()) {
      if (line.size() == mostBytes) {
        throw bad("a line has at most %s bytes, but this one has more".formatted(mostBytes));
      }
      line.write(b);
    }
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(ByteBuffer.wrap(line.toByteArray()))
              .toString();
      return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    } catch (CharacterCodingException e) {
      throw new BadFileException(file, at("a line is UTF-8, but this one is not"), e);
    }
  }

  private int read() throws IOException {
    if (at == filled) {
      at = 0;
      filled = in.read(buffer);
      if (filled <= 0) {
        filled = 0;
        return -1;
      }
    }
    return buffer[at++] & 0xff;
  }

  /// The number of the line that was read last, from 1.
  int number() {
    return number;
  }

  /// A complaint about the line that was read last.
  BadFileException bad(String problem) {
    return new BadFileException(file, at(problem));
  }

  private String at(String problem) {
    return "line %s: %s".formatted(number, problem);
  }
}
