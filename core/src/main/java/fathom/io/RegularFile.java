package fathom.io;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;

/// Reads small files as a whole. Only regular files are read, because reading a pipe would block
/// and a device never ends.
public final class RegularFile {
  private RegularFile() {}

  /// Throws [BadFileException] unless the path leads to a regular file.
  public static void check(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file,
          Files.isDirectory(file)
              ? "this is a folder; name a file"
              : Files.exists(file)
                  ? "this is a device, pipe or socket and no regular file; name another"
                  : "there is no such file; check the path");
    }
  }

  /// Reads what is mapped into memory and lives as long as an arena, which it closes.
  @FunctionalInterface
  interface Mapped<T> {
    T of(Path file, Arena arena, MemorySegment all);
  }

  /// Maps a regular file of any size and returns what `reading` makes of it; the arena is closed if
  /// that fails. Throws [BadFileException] if the file is missing or cannot be read.
  static <T> T mapped(Path file, Mapped<T> reading) {
    check(file);
    @SuppressWarnings("MustBeClosedChecker") // closed by what is returned, or here on failure
    Arena arena = Arena.ofShared();
    try {
      return reading.of(file, arena, map(file, arena));
    } catch (Throwable problem) {
      arena.close();
      throw problem;
    }
  }

  private static MemorySegment map(Path file, Arena arena) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /// Returns all bytes of a file. Throws [BadFileException] if the file is missing, larger than
  /// `most` bytes, no regular file, or cannot be read.
  public static byte[] bytes(Path file, long most) {
    check(file);
    try {
      long size = Files.size(file);
      if (size > most) {
        throw new BadFileException(
            file,
            "such a file has at most %s bytes, but this one has %s; is it another file?"
                .formatted(most, size));
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new BadFileException(
          file, "cannot be read (%s); check its permissions".formatted(reason(e)), e);
    }
  }

  /// Returns the SHA-256 digest of a file of any size in hexadecimal digits. Throws
  /// [BadFileException] if the file is missing, no regular file, or cannot be read.
  public static String sha256(Path file) {
    check(file);
    try (var in =
        new DigestInputStream(Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
      in.transferTo(OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(in.getMessageDigest().digest());
    } catch (IOException e) {
      throw new BadFileException(
          file, "cannot be read (%s); check its permissions".formatted(reason(e)), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /// Returns why a file cannot be read, without its name, because a [BadFileException] gives it
  /// anyway.
  public static String reason(IOException e) {
    return switch (e) {
      case AccessDeniedException _ -> "permission denied";
      case NoSuchFileException _ -> "it is not there any more";
      case FileSystemException named when named.getReason() != null -> named.getReason();
      default -> Objects.requireNonNullElse(e.getMessage(), e.toString());
    };
  }

  /// Returns the content of a file as text. Throws [BadFileException] as [#bytes] does, and also if
  /// the file is not UTF-8.
  public static String text(Path file, long most) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes(file, most)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new BadFileException(
          file, "it is no text in UTF-8; is it another file, or damaged?", e);
    }
  }
}
