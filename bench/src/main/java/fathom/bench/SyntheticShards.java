package fathom.bench;

import fathom.data.DataSet;
import fathom.data.ImageReadOptions;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/// Shards with as many images as are asked for, all of them the same few pixels, so that what it
/// costs to list and to describe them is all there is. They are deleted when this is closed.
final class SyntheticShards implements AutoCloseable {
  private static final int SIDE = 8;
  private static final int IMAGES_PER_SHARD = 250;
  private static final int CLASSES = 2;

  private final ScratchFolder folder;

  private SyntheticShards(ScratchFolder folder) {
    this.folder = folder;
  }

  /// Writes shards with `images` training images, and one with an image of each class to test with.
  static SyntheticShards make(int images) {
    try {
      byte[] png = png();
      var made = new SyntheticShards(ScratchFolder.make());
      made.write("test", 0, CLASSES, png);
      int shards = Math.ceilDiv(images, IMAGES_PER_SHARD);
      IntStream.range(0, shards)
          .parallel()
          .forEach(i -> {
            int from = i * IMAGES_PER_SHARD;
            made.write("train", from, Math.min(images - from, IMAGES_PER_SHARD), png);
          });
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException("the shards to measure with cannot be written", e);
    }
  }

  private static byte[] png() throws IOException {
    var bytes = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_3BYTE_BGR), "png", bytes);
    return bytes.toByteArray();
  }

  /// Opens the shards of a folder and returns how many training images they have.
  static int count(Path folder) {
    return DataSet.open("shards:" + folder, new ImageReadOptions(SIDE, false)).train().count();
  }

  Path folder() {
    return folder.path();
  }

  private void write(String part, int from, int count, byte[] png) {
    try {
      Path file =
          Files.createDirectories(folder.path().resolve(part))
              .resolve(String.format(Locale.ROOT, "%06d.tar", from / IMAGES_PER_SHARD));
      try (var tar = new TarArchiveOutputStream(Files.newOutputStream(file))) {
        for (int i = from; i < from + count; i++) {
          member(tar, i + ".png", png);
          member(
              tar, i + ".cls", Integer.toString(i % CLASSES).getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the shards to measure with cannot be written", e);
    }
  }

  private static void member(TarArchiveOutputStream tar, String name, byte[] content)
      throws IOException {
    var entry = new TarArchiveEntry(name);
    entry.setSize(content.length);
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }

  @Override
  public void close() {
    folder.close();
  }
}
