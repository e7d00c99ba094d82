package fathom.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;

/// Replaces a file atomically: at every moment, also after a crash or a power cut, its name leads
/// to the complete old content or to the complete new content.
///
/// The content is written to a temporary file in the same folder (`.NAME.PID-N.tmp`), is forced to
/// the disk, and takes over the name in one step; then the folder is forced, where the platform can
/// do so. A temporary file that a killed process left behind is deleted at the next replacement.
public final class AtomicFile {
  /// Writes the content of a file. It need not close the stream; [AtomicFile] does.
  @FunctionalInterface
  public interface Content {
    /// Writes the whole content to `out`.
    void writeTo(OutputStream out) throws IOException;
  }

  private static final Set<Path> IN_USE = ConcurrentHashMap.newKeySet();
  private static final AtomicLong NEXT = new AtomicLong();
  private static final long PID = ProcessHandle.current().pid();

  private AtomicFile() {}

  /// Replaces `file` as [#replace(Path, Content)] does, with a content that is in memory.
  public static void replace(Path file, byte[] content) {
    replace(file, out -> out.write(content));
  }

  /// Makes `content` the content of `file`. A symbolic link is followed.
  ///
  /// Throws [BadFileException] if that fails (a full disk, a folder that is missing or may not be
  /// written to, a `file` that is a folder or a device), and passes on the exceptions of `content`.
  /// In both cases the previous file is unchanged and no temporary file is left behind. An
  /// interrupted thread may call this: the file is saved, and the thread stays interrupted.
  public static void replace(Path file, Content content) {
    try {
      Path target = target(file);
      deleteLeftovers(target);
      Path temporary = temporary(target);
      IN_USE.add(temporary);
      try {
        write(temporary, content);
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (Throwable problem) {
        delete(temporary, problem);
        throw problem;
      } finally {
        IN_USE.remove(temporary);
      }
      forceFolder(folder(target));
    } catch (IOException e) {
      throw new BadFileException(
          file,
          "cannot be written: %s; %s"
              .formatted(
                  reason(e),
                  Files.exists(file) ? "the previous file is intact" : "no file was left behind"),
          e);
    }
  }

  /// Returns the real path, so that a file has one name regardless of its spelling.
  private static Path target(Path file) throws IOException {
    // The order matters: another writer may create the file between the two checks.
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new BadFileException(
          file,
          "only a regular file can be replaced, but this is a %s; name another file"
              .formatted(Files.isDirectory(file) ? "folder" : "device, pipe or socket"));
    }
    if (Files.exists(file)) {
      return file.toRealPath();
    }
    Path path = file.toAbsolutePath();
    if (!Files.isDirectory(folder(path))) {
      throw new BadFileException(
          file, "cannot be written: there is no folder %s; make it first".formatted(folder(path)));
    }
    return folder(path).toRealPath().resolve(path.getFileName());
  }

  private static Path temporary(Path target) {
    return target.resolveSibling(
        ".%s.%s-%s.tmp".formatted(target.getFileName(), PID, NEXT.getAndIncrement()));
  }

  private static void write(Path temporary, Content content) throws IOException {
    try (OutputStream out =
        Files.newOutputStream(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      content.writeTo(new KeptOpen(out));
    }
    force(temporary);
  }

  /// Waits until the disk has the file. An interrupt closes a channel, but a run that is being
  /// stopped must still save, so the interrupt is kept for later.
  private static void force(Path file) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.force(true);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void delete(Path temporary, Throwable problem) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      problem.addSuppressed(e);
    }
  }

  /// Forces the folder, ignoring failures. After the move the file is complete; if a folder cannot
  /// be forced (Windows, some network folders), only its survival of a power cut is less certain.
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      return;
    }
  }

  /// Deletes abandoned temporary files, ignoring failures, because what cannot be listed or deleted
  /// must not keep the file from being written.
  private static void deleteLeftovers(Path target) {
    Pattern name =
        Pattern.compile(
            "\\.%s\\.(\\d{1,18})-\\d+\\.tmp"
                .formatted(Pattern.quote(String.valueOf(target.getFileName()))));
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(target))) {
      for (Path leftover : files) {
        var match = name.matcher(String.valueOf(leftover.getFileName()));
        if (match.matches() && isAbandoned(leftover, Long.parseLong(match.group(1)))) {
          Files.deleteIfExists(leftover);
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return;
    }
  }

  /// Returns whether the process that wrote the file has ended. A file with this process's number
  /// may also be abandoned, because in a container the previous process may have had the same
  /// number.
  private static boolean isAbandoned(Path temporary, long pid) {
    return pid == PID ? !IN_USE.contains(temporary) : ProcessHandle.of(pid).isEmpty();
  }

  private static Path folder(Path target) {
    return Objects.requireNonNull(target.getParent(), "a regular file lies in a folder");
  }

  /// Returns what went wrong when a file was written, without the path, because a
  /// [BadFileException] names it anyway.
  public static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException _ -> "permission denied";
      case NoSuchFileException _ -> "there is no such folder, or nothing can be made in it";
      case FileAlreadyExistsException _ -> "a file is where a folder should be";
      case IOException e2 when e2.getCause() instanceof IOException cause -> reason(cause);
      case FileSystemException named when named.getReason() != null -> named.getReason();
      default -> Objects.requireNonNullElse(e.getMessage(), e.toString());
    };
  }

  /// A stream whose close method does nothing, because writers of JSON close their target while the
  /// file still has to be forced.
  private static final class KeptOpen extends OutputStream {
    private final OutputStream out;

    KeptOpen(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }
  }
}
