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

  /// A member of a shard, which must not change after it was opened, because its members are found
  /// by their place in it.
  ///
  /// @param name the path of the shard, followed by the member's name
  /// @param from where the content begins in the shard
  /// @param modified the time of the shard's last change when it was opened
  record InShard(Path name, Path shard, long from, long size, long modified)
      implements ImageSource {
    @Override
    public InputStream stream() throws IOException {
      Reader reader = open();
      return new InputStream() {
        private long at;

        @Override
        public int read() throws IOException {
          byte[] one = new byte[1];
          return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
          int count = length == 0 ? 0 : reader.read(at, ByteBuffer.wrap(into, offset, length));
          at += Math.max(0, count);
          return count;
        }

        @Override
        public void close() throws IOException {
          reader.close();
        }
      };
    }

    @Override
    public Reader open() throws IOException {
      if (Files.getLastModifiedTime(shard).toMillis() != modified) {
        throw new IOException("the shard has changed since it was opened");
      }
      var channel = FileChannel.open(shard);
      return new Reader() {
        @Override
        public int read(long at, ByteBuffer to) throws IOException {
          int count = (int) Math.min(to.remaining(), size - at);
          if (count <= 0) {
            return -1;
          }
          ByteBuffer part = to.slice(to.position(), count);
          int read = channel.read(part, from + at);
          to.position(to.position() + Math.max(0, read));
          return read;
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
