package fathom.train;

import fathom.io.BadFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A lock that lets only one training at a time work in the folder of a run. It is a lock of the
/// operating system on the file `.lock`, which ends with the process in every case. The file itself
/// stays and has no meaning.
public final class RunLock implements AutoCloseable {
  private final FileChannel channel;

  private RunLock(FileChannel channel) {
    this.channel = channel;
  }

  /// Locks a folder. Throws [BusyRunException] if another training, of this process or another, has
  /// the lock, and [BadFileException] if the folder cannot be written.
  public static RunLock of(Path folder) {
    Path file = folder.resolve(".lock");
    try {
      var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      boolean locked = false;
      try {
        locked = channel.tryLock() != null;
      } catch (OverlappingFileLockException _) {
        locked = false; // another training of this process holds the lock
      } finally {
        if (!locked) {
          channel.close();
        }
      }
      if (!locked) {
        throw new BusyRunException(folder);
      }
      return new RunLock(channel);
    } catch (IOException e) {
      throw new BadFileException(
          folder,
          "the folder of the run cannot be written; check its permissions, and whether the disk is"
              + " full or read-only",
          e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
