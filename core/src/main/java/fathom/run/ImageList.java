package fathom.run;

import fathom.data.DataSet;
import fathom.data.Origin;
import fathom.io.AtomicFile;
import fathom.io.RegularFile;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The file `images.tsv`, which lists the files that a run was trained, validated and tested with.
/// Each line has the part, the size in bytes and the name of a file. The list is for readers and
/// for messages that name what changed; whether data is the same is decided by the
/// [fathom.data.DataIdentity].
final class ImageList {
  static final String NAME = "images.tsv";

  private static final String TEST = "test";

  private static final long MOST_BYTES = 1 << 29;

  /// The most names in a message.
  private static final int NAMED = 3;

  private ImageList() {}

  /// Writes the list of images that have files.
  static void write(Path file, Origin origin) {
    AtomicFile.replace(
        file,
        out -> {
          Writer to = new OutputStreamWriter(out, StandardCharsets.UTF_8);
          to.write("part\tbytes\tname\n");
          lines(to, "train", origin.train());
          lines(to, "validation", origin.validation());
          lines(to, TEST, origin.test());
          to.flush();
        });
  }

  private static void lines(Writer to, String part, List<Origin.Source> files)
      throws java.io.IOException {
    for (Origin.Source file : files) {
      to.write("%s\t%s\t%s\n".formatted(part, file.bytes(), oneLine(file.name())));
    }
  }

  private static String oneLine(String name) {
    return name.replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r");
  }

  /// The names of the images that the run was trained and validated with; empty if there is no
  /// list.
  static Set<String> seen(Path file) {
    return !Files.isRegularFile(file)
        ? Set.of()
        : RegularFile.text(file, MOST_BYTES)
            .lines()
            .skip(1)
            .map(line -> line.split("\t", 3))
            .filter(fields -> fields.length == 3 && !fields[0].equals(TEST))
            .map(fields -> fields[2])
            .collect(Collectors.toSet());
  }

  /// The data without those test images that the run was trained or validated with, and with a
  /// notice of their number. They occur because in a small class one more image can move another
  /// one into the test part.
  static DataSet unseen(Path file, DataSet data) {
    Origin origin = data.origin();
    Set<String> seen = seen(file);
    if (origin == null || origin.test().isEmpty() || seen.isEmpty()) {
      return data;
    }
    List<Origin.Source> tested = origin.test();
    int[] kept =
        IntStream.range(0, tested.size())
            .filter(i -> !seen.contains(oneLine(tested.get(i).name())))
            .toArray();
    return kept.length == tested.size()
        ? data
        : data.testedBy(
            kept,
            "%s: %s images that this run was trained with would now be for testing, and are left out"
                .formatted(data.name(), tested.size() - kept.length));
  }

  /// The first names that are new, gone or of another size since `file` was written, as a clause
  /// for the end of a message; empty if there is no list or nothing differs.
  static String differences(Path file, Origin now) {
    if (!Files.isRegularFile(file) || !now.hasFiles()) {
      return "";
    }
    Map<String, String> before = new HashMap<>();
    RegularFile.text(file, MOST_BYTES)
        .lines()
        .skip(1)
        .map(line -> line.split("\t", 3))
        .filter(fields -> fields.length == 3)
        .forEach(fields -> before.put(fields[2], fields[1]));
    var fresh = new ArrayList<String>();
    var resized = new ArrayList<String>();
    for (List<Origin.Source> part : List.of(now.train(), now.validation(), now.test())) {
      for (Origin.Source source : part) {
        String name = oneLine(source.name());
        String bytes = before.remove(name);
        if (bytes == null) {
          fresh.add(name);
        } else if (!bytes.equals(Long.toString(source.bytes()))) {
          resized.add("%s (%s bytes, now %s)".formatted(name, bytes, source.bytes()));
        }
      }
    }
    List<String> gone = before.keySet().stream().sorted().toList();
    return clause("new", fresh) + clause("gone", gone) + clause("changed", resized);
  }

  private static String clause(String what, List<String> names) {
    if (names.isEmpty()) {
      return "";
    }
    String first = String.join(", ", names.subList(0, Math.min(NAMED, names.size())));
    return "; %s: %s%s"
        .formatted(
            what,
            first,
            names.size() > NAMED ? " and %s more".formatted(names.size() - NAMED) : "");
  }
}
