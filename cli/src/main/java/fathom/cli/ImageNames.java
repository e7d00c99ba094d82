package fathom.cli;

import fathom.data.FolderScan;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The names of images in the order in which a call has them: its files, of its folders the images
/// sorted by path, and last the lines of its list. The list is read line by line, so that its
/// length takes no memory.
///
/// @param files files and folders
/// @param list a file with a name in each line, in UTF-8; `-` stands for standard input; null for
///   none
record ImageNames(List<Path> files, @Nullable Path list) {
  private static final Path STANDARD_INPUT = Path.of("-");

  /// The most characters of a name. A longer line is no name, and reading on would fill the heap.
  private static final int LONGEST = 1 << 16;

  /// Calls `next` with each name. Throws [BadFileException] for a folder or list that cannot be
  /// read.
  void each(Consumer<String> next, Consumer<String> notice) {
    for (Path file : files) {
      if (Files.isDirectory(file)) {
        FolderScan inside = FolderScan.below(file);
        inside.notices().forEach(notice);
        inside.files().forEach(each -> next.accept(each.path().toString()));
      } else {
        next.accept(file.toString());
      }
    }
    Path lines = list;
    if (lines != null) {
      try (InputStream in =
              lines.equals(STANDARD_INPUT) ? System.in : Files.newInputStream(readable(lines));
          var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
        each(lines, reader, next);
      } catch (IOException e) {
        throw new BadFileException(
            lines, "the list cannot be read (%s)".formatted(RegularFile.reason(e)), e);
      }
    }
  }

  /// Returns the list, which may be a pipe, because a shell gives one for `<(find ...)`.
  private static Path readable(Path lines) {
    if (!Files.exists(lines) || Files.isDirectory(lines)) {
      throw new BadFileException(
          lines,
          Files.isDirectory(lines)
              ? "a list of images is a file with a name in each line, but this is a folder; give it without --list"
              : "there is no such list; check the path");
    }
    return lines;
  }

  private static void each(Path list, BufferedReader reader, Consumer<String> next)
      throws IOException {
    var line = new StringBuilder();
    long count = 1;
    for (int c = reader.read(); c >= 0; c = reader.read()) {
      if (c == '\n') {
        accept(line, next);
        count++;
      } else if (line.length() < LONGEST) {
        line.append((char) c);
      } else {
        throw new BadFileException(
            list,
            "a list of images has a name in each line, but line %s has more than %s characters; is it another file?"
                .formatted(count, LONGEST));
      }
    }
    accept(line, next);
  }

  /// Passes the line on unless it is empty, without the carriage return that Windows writes.
  private static void accept(StringBuilder line, Consumer<String> next) {
    int end = line.length();
    if (end > 0 && line.charAt(end - 1) == '\r') {
      end--;
    }
    if (end > 0) {
      next.accept(line.substring(0, end));
    }
    line.setLength(0);
  }
}
