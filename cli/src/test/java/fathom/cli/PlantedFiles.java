package fathom.cli;

import fathom.io.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Readers with a mistake each, which shows where a header says that much follows: what must be
/// found.
final class PlantedFiles {
  private static final int MUCH = 10_000_000;

  private PlantedFiles() {}

  static List<FileFormat> formats() {
    return List.of(
        format("throws", (_, _) -> List.<String>of().getFirst()),
        format("allocates", (_, size) -> "" + new long[size].length),
        format("recurses", (_, size) -> "" + depth(size)),
        format(
            "misreads",
            (_, size) -> {
              DataFiles.same(MUCH, size, "size");
              return "";
            }),
        format("names no file", (_, size) -> refuse(size + " is too much")),
        format("shows all", (path, size) -> refuse(path + ": " + "too much, ".repeat(1000) + size)),
        format("moves the cursor", (path, size) -> refuse(path + ": \u001b[2J" + size)),
        format(
            "never ends",
            (_, size) -> {
              while (size > 0) {
                Thread.onSpinWait();
              }
              return "";
            }));
  }

  private interface Mistake {
    String of(Path file, int size);
  }

  private static FileFormat format(String name, Mistake mistake) {
    byte[] content = ByteBuffer.allocate(16).putInt(12).array();
    return new FileFormat(
        name,
        Map.of("planted", content),
        List.of(FileFormat.Way.of("planted", Mutation.BYTES, content)),
        FileFormat.Reading.of(folder -> read(folder.resolve("planted"), mistake)),
        List.of());
  }

  private static void read(Path file, Mistake mistake) throws IOException {
    byte[] content = Files.readAllBytes(file);
    if (content.length < 4) {
      throw new BadFileException(file, "it ends too early");
    }
    int size = ByteBuffer.wrap(content).getInt();
    if (size > MUCH) {
      mistake.of(file, size);
    } else if (size != content.length - 4) {
      throw new BadFileException(file, "%s bytes were to follow".formatted(size));
    }
  }

  private static String refuse(String message) {
    throw new IllegalArgumentException(message);
  }

  private static int depth(int size) {
    return size == 0 ? 0 : 1 + depth(size - 1);
  }
}
