package fathom.data;

import fathom.io.RegularFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// The bytes of an image file, on disk or in memory.
sealed interface ImageSource {
  /// The name that messages show.
  Path name();

  long size() throws IOException;

  /// Opens the bytes for reading from the beginning.
  InputStream stream() throws IOException;

  /// Opens the bytes for reading at any position.
  Reader open() throws IOException;

  /// Reads bytes at any position. [#read] reads at least one byte into `to`, from position `from`
  /// on, and returns the number of bytes read, or -1 at the end.
  interface Reader extends AutoCloseable {
    int read(long from, ByteBuffer to) throws IOException;

    @Override
    void close() throws IOException;
  }

  /// Returns a file as a source. Throws [fathom.io.BadFileException] unless it is a regular file.
  static ImageSource of(Path file) {
    RegularFile.check(file);
    return new InFile(file);
  }

  static ImageSource of(byte[] file) {
    return new InMemory(file);
  }

  /// A file on disk.
  record InFile(Path name) implements ImageSource {
    @Override
    public long size() throws IOException {
      return Files.size(name);
    }

    @Override
    public InputStream stream() throws IOException {
      return Files.newInputStream(name);
    }

    @Override
    public Reader open() throws IOException {
      var channel = FileChannel.open(name);
      return new Reader() {
        @Override
        public int read(long from, ByteBuffer to) throws IOException {
          return channel.read(to, from);
        }

        @Override
        public void close() throws IOException {
          channel.close();
        }
      };
    }
  }

  /// The content of a file that was read or received before.
  record InMemory(byte[] bytes) implements ImageSource {
    @Override
    public Path name() {
      return Path.of("(image in memory)");
    }

    @Override
    public long size() {
      return bytes.length;
    }

    @Override
    public InputStream stream() {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public Reader open() {
      return new Reader() {
        @Override
        public int read(long from, ByteBuffer to) {
          int count = (int) Math.min(to.remaining(), bytes.length - from);
          to.put(bytes, (int) from, Math.max(0, count));
          return count <= 0 ? -1 : count;
        }

        @Override
        public void close() {}
      };
    }
  }
}
