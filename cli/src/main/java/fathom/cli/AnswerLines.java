package fathom.cli;

import fathom.io.AtomicFile;
import fathom.io.BadFileException;
import fathom.io.Json;
import fathom.io.RegularFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// The file of a long prediction, a line of JSON for each image, which a call that was broken off
/// at any byte goes on writing.
///
/// Lines are written in groups, because a net's last digits may depend on how many images it has at
/// a time: what goes on begins with a whole group, so that it writes the bytes that a call without
/// a break would have written. A second file beside it, [About], says by what the lines were
/// predicted, and at the end how many there are.
final class AnswerLines implements AutoCloseable {
  private static final int CHUNK = 1 << 16;
  private static final int MOST_ABOUT = 1 << 24;
  private static final String FORMAT = "fathom-predictions";
  private static final int VERSION = 1;

  /// A line longer than this was not written by Fathom.
  private static final int LONGEST = 1 << 26;

  /// What the lines were predicted by. A call goes on with a file only if it would write the same.
  ///
  /// @param weights the SHA-256 digest of the weights
  /// @param net what is known of the net, as in the metadata of a file of weights, without the
  ///   version of Fathom
  /// @param complete whether all lines are written
  /// @param count the number of lines; 0 until all are written
  /// @param errors the number of them that have an error; 0 until all are written
  record About(
      String format,
      int version,
      String model,
      String weights,
      SequencedMap<String, String> net,
      String precision,
      int top,
      String shard,
      boolean complete,
      long count,
      long errors) {
    static About of(
        String model,
        String weights,
        SequencedMap<String, String> net,
        String precision,
        int top,
        Shard shard) {
      SequencedMap<String, String> known = new LinkedHashMap<>(net);
      known.remove("fathom.source");
      return new About(
          FORMAT, VERSION, model, weights, known, precision, top, shard.toString(), false, 0, 0);
    }

    private About ended(long lines, long failed) {
      return new About(
          format, version, model, weights, net, precision, top, shard, true, lines, failed);
    }
  }

  private final Path file;
  private final About about;
  private final FileChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(CHUNK).limit(0);
  private long kept;
  private long read;
  private long errors;

  private AnswerLines(Path file, About about, FileChannel channel) {
    this.file = file;
    this.about = about;
    this.channel = channel;
  }

  /// Opens `file` for lines of this kind. If it has lines already, whole groups of `group` lines
  /// are kept, and what follows is cut off.
  ///
  /// Throws [BadFileException] if the file has lines of another kind, if it was not written by a
  /// prediction, or if another process is writing it.
  static AnswerLines open(Path file, About about, int group) {
    Path beside = about(file);
    if (Files.exists(beside)) {
      check(file, beside, about);
    } else if (Files.exists(file) && hasContent(file)) {
      throw new BadFileException(
          file,
          "this file is there, and %s, which would say by what it was predicted, is not; name another, or remove it"
              .formatted(beside.getFileName()));
    }
    FileChannel channel = null;
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      if (Files.exists(file)) {
        RegularFile.check(file);
      }
      channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      lock(file, channel);
      AtomicFile.replace(beside, Json.pretty(about).getBytes(StandardCharsets.UTF_8));
      var lines = new AnswerLines(file, about, channel);
      lines.cut(group);
      return lines;
    } catch (IOException e) {
      close(channel, e);
      throw new BadFileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    } catch (RuntimeException e) {
      close(channel, e);
      throw e;
    }
  }

  /// Returns whether there is something to lose: a call that was killed at once leaves an empty
  /// file.
  private static boolean hasContent(Path file) {
    try {
      return !Files.isRegularFile(file) || Files.size(file) > 0;
    } catch (IOException e) {
      return true;
    }
  }

  /// The file that says by what `file` was predicted.
  static Path about(Path file) {
    return file.resolveSibling(file.getFileName() + ".about.json");
  }

  private static void close(@Nullable FileChannel channel, Exception problem) {
    if (channel != null) {
      try {
        channel.close();
      } catch (IOException e) {
        problem.addSuppressed(e);
      }
    }
  }

  private static void lock(Path file, FileChannel channel) throws IOException {
    boolean own;
    try {
      own = channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      own = false;
    }
    if (!own) {
      throw new BadFileException(
          file, "another process is writing it; wait until that has ended, or name another file");
    }
  }

  private static void check(Path file, Path beside, About now) {
    About before = read(beside);
    String difference =
        !before.format.equals(FORMAT)
            ? "it says that it is of the format " + before.format
            : before.version != VERSION
                ? "it is of version %s, and this is %s".formatted(before.version, VERSION)
                : difference("model", before.model, now.model)
                    + difference("weights", before.weights, now.weights)
                    + difference("precision", before.precision, now.precision)
                    + difference("shard", before.shard, now.shard)
                    + difference(
                        "number of classes",
                        Integer.toString(before.top),
                        Integer.toString(now.top))
                    + (before.net.equals(now.net) ? "" : " what is said of the net is another;");
    if (!difference.isEmpty()) {
      throw new BadFileException(
          file,
          "its lines were predicted in another way:%s name another file, or remove it and %s"
              .formatted(
                  difference.startsWith(" ") ? difference : " " + difference + ";",
                  beside.getFileName()));
    }
  }

  private static String difference(String what, String before, String now) {
    return before.equals(now) ? "" : " the %s was %s and is %s;".formatted(what, before, now);
  }

  private static About read(Path beside) {
    try {
      return Json.read(Json.parse(RegularFile.text(beside, MOST_ABOUT)), About.class);
    } catch (JacksonException | IllegalArgumentException e) {
      throw new BadFileException(
          beside,
          "it does not say by what lines were predicted; remove it and them, or name another file",
          e);
    }
  }

  /// Cuts off what follows the last whole group. The last group of a file of which all was written
  /// may have fewer images, and is predicted again: there may be more of them now.
  private void cut(int group) throws IOException {
    long size = channel.size();
    long lines = 0;
    long end = 0;
    ByteBuffer some = ByteBuffer.allocate(CHUNK);
    for (long at = 0; at < size; at += some.limit()) {
      if (channel.read(some.clear(), at) < 1) {
        break;
      }
      some.flip();
      for (int i = 0; i < some.limit(); i++) {
        if (some.get(i) == '\n' && ++lines % group == 0) {
          end = at + i + 1;
        }
      }
    }
    kept = lines / group * group;
    channel.truncate(end);
    channel.position(0);
  }

  /// Returns the SHA-256 digest of a file of weights; of a folder, that of the digests of its files
  /// in the order of their names.
  static String digest(Path weights) {
    if (!Files.isDirectory(weights)) {
      return RegularFile.sha256(weights);
    }
    try (Stream<Path> files = Files.list(weights)) {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      for (Path each : files.filter(Files::isRegularFile).sorted().toList()) {
        sha256.update(
            (each.getFileName() + " " + RegularFile.sha256(each) + "\n")
                .getBytes(StandardCharsets.UTF_8));
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (IOException e) {
      throw new BadFileException(
          weights, "the folder cannot be read (%s)".formatted(RegularFile.reason(e)), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /// Returns the number of lines that are there already.
  long kept() {
    return kept;
  }

  /// Returns the number of lines with an error so far.
  long errors() {
    return errors;
  }

  /// Compares the next line that is there already with the name of the file that it is about.
  /// Throws [BadFileException] if it is about another, or is no line of a prediction.
  void isAbout(String name) {
    read++;
    String line = line();
    JsonNode node;
    try {
      node = Json.parse(line);
    } catch (JacksonException e) {
      throw new BadFileException(
          file,
          "line %s is no JSON; the file is damaged: remove it and %s"
              .formatted(read, about(file).getFileName()),
          e);
    }
    String found = node.path("file").asString("");
    if (!found.equals(name)) {
      throw new BadFileException(
          file,
          "line %s is about %s, but this call has %s there; give the files in the order in which they were, or name another file"
              .formatted(read, found.isEmpty() ? "no file" : found, name));
    }
    if (node.has("error")) {
      errors++;
    }
  }

  /// Throws [BadFileException] if there were lines for more files than this call has.
  void checkAllRead() {
    if (read < kept) {
      throw new BadFileException(
          file,
          "it has %s lines, but this call has only %s files; give all files that it was begun with, or name another file"
              .formatted(kept, read));
    }
  }

  private String line() {
    var line = new ByteArrayOutputStream();
    try {
      while (line.size() < LONGEST) {
        if (!buffer.hasRemaining()) {
          buffer.clear();
          int count = channel.read(buffer);
          buffer.flip();
          if (count < 0) {
            break;
          }
        }
        byte b = buffer.get();
        if (b == '\n') {
          break;
        }
        line.write(b);
      }
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be read: " + RegularFile.reason(e), e);
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  /// Appends a group of lines, objects that are written as JSON.
  ///
  /// @param failed how many of them have an error
  void append(List<?> lines, int failed) {
    var text = new StringBuilder();
    lines.forEach(line -> text.append(Json.text(line)).append('\n'));
    ByteBuffer bytes = ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
    try {
      long at = channel.size();
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException e) {
      throw new BadFileException(
          file,
          "cannot be written: %s; what is written stays, and the same call goes on from there"
              .formatted(AtomicFile.reason(e)),
          e);
    }
    errors += failed;
  }

  /// Waits until the disk has the lines, and notes that these are all.
  void end(long count) {
    try {
      channel.force(true);
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
    AtomicFile.replace(
        about(file), Json.pretty(about.ended(count, errors)).getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new BadFileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }
}
