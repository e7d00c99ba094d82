package fathom.cli;

import fathom.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads mutants in a process of its own, because damage may end or fill one: prints a line for
/// each format, a line for each fault, and, whenever it begins with one, which it is.
///
/// A message names the file, fits a screen and has no character that a terminal would obey.
final class Mutants {
  private static final long LOOK_MILLIS = 100;

  /// How often a mutant may be seen that takes milliseconds; more is a loop without an end. Not a
  /// time: this process may be stopped for minutes itself.
  private static final long LOOKS = 1000 / LOOK_MILLIS * Long.getLong("fathom.patience", 60);

  private static final int MOST_CHARACTERS = 1500;
  private static final int MOST_LINES = 24;
  private static final Pattern OBEYED = Pattern.compile("[\\p{Cc}\\p{Cf}&&[^\n]]");

  private final FileFormat format;
  private final Path folder;
  private final List<String> faults = new ArrayList<>();
  private final Set<String> kinds = new HashSet<>();
  private int read;
  private int refused;

  /// What is being read; null in between.
  private static volatile @Nullable String reading;

  private Mutants(FileFormat format, Path folder) {
    this.format = format;
    this.folder = folder;
  }

  /// The arguments: a folder to work in, how many mutants of each format, and the name of one
  /// format if not all are meant.
  public static void main(String[] args) throws IOException {
    Path place = Path.of(args[0]);
    Thread.ofPlatform().daemon().start(Mutants::watch);
    for (FileFormat format : args.length > 2 ? named(place, args[2]) : all(place)) {
      Path folder = Files.createDirectories(place.resolve("of " + format.name()));
      new Mutants(format, folder).run(Integer.parseInt(args[1]));
    }
    System.exit(0); // without waiting for threads that a fault may have left
  }

  private static List<FileFormat> all(Path place) throws IOException {
    var all = new ArrayList<>(DataFiles.formats());
    all.addAll(ImageFiles.formats());
    all.addAll(MaskFiles.formats());
    all.addAll(WeightFiles.formats());
    all.addAll(PeerWeightFiles.formats());
    all.addAll(RunFiles.formats(Files.createDirectories(place.resolve("made"))));
    return all;
  }

  private static List<FileFormat> named(Path place, String name) throws IOException {
    var found =
        new ArrayList<>(
            PlantedFiles.formats().stream().filter(f -> f.name().equals(name)).toList());
    if (found.isEmpty()) {
      all(place).stream().filter(f -> f.name().equals(name)).forEach(found::add);
    }
    return found;
  }

  private static void watch() {
    String last = null;
    long looks = 0;
    while (true) {
      String what = reading;
      looks = what != null && what.equals(last) ? looks + 1 : 0;
      last = what;
      if (looks > LOOKS) {
        System.out.printf(Locale.ROOT, "FAULT %s: still being read at look %d%n", what, looks);
        System.out.flush();
        Runtime.getRuntime().halt(1);
      }
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void run(int count) throws IOException {
    for (Map.Entry<String, byte[]> file : format.files().entrySet()) {
      write(file.getKey(), file.getValue());
    }
    judge("the undamaged", null, null);
    for (FileFormat.Case each : format.corpus()) {
      write(each.file(), each.content());
      judge(each.name(), each, null);
      restore(each.file());
    }
    read = 0;
    refused = 0;
    for (int i = 0; i < count; i++) {
      FileFormat.Mutant mutant = format.mutant(i);
      write(mutant.file(), mutant.content());
      judge("mutant " + i, null, mutant);
      restore(mutant.file());
    }
    for (String fault : faults.subList(0, Math.min(20, faults.size()))) {
      System.out.printf(Locale.ROOT, "FAULT %s, %s%n", format.name(), fault);
    }
    System.out.printf(
        Locale.ROOT,
        "%s: %d read, %d refused for %d reasons, %d faults%n",
        format.name(),
        read,
        refused,
        kinds.size(),
        faults.size());
  }

  private void write(String file, byte[] content) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.write(path, content);
  }

  private void restore(String file) throws IOException {
    write(file, format.files().get(file));
  }

  private void judge(
      String which, FileFormat.@Nullable Case known, FileFormat.@Nullable Mutant mutant) {
    System.out.printf(Locale.ROOT, "AT %s, %s%n", format.name(), which);
    reading = format.name() + ", " + which;
    try (var _ = Scope.open()) {
      String said = format.reading().of(folder);
      reading = null;
      String fault = said == null ? wronglyRead(known) : wronglyRefused(said, known, mutant);
      if (fault != null) {
        faults.add("%s: %s".formatted(which, fault));
      }
    } catch (Throwable e) {
      faults.add("%s: %s%n%s".formatted(which, e, where(e)));
    } finally {
      reading = null;
    }
  }

  private @Nullable String wronglyRead(FileFormat.@Nullable Case known) {
    read++;
    return known != null && known.refused() != null ? "was read" : null;
  }

  private @Nullable String wronglyRefused(
      String said, FileFormat.@Nullable Case known, FileFormat.@Nullable Mutant mutant) {
    refused++;
    kinds.add(said.replace(folder.toString(), "").replaceAll("[0-9]+|['\"(].*", ""));
    boolean undamaged =
        mutant == null
            ? known == null || known.refused() == null
            : Arrays.equals(mutant.content(), format.files().get(mutant.file()));
    if (undamaged) {
      return "was refused: " + said;
    } else if (known != null && !said.contains(known.refused())) {
      return "was refused for something else than \"%s\": %s".formatted(known.refused(), said);
    } else if (!said.contains(folder.toString())) {
      return "the message does not name the file: " + said;
    } else if (said.length() > MOST_CHARACTERS || said.lines().count() > MOST_LINES) {
      return "the message has %s characters: %s..."
          .formatted(said.length(), said.substring(0, 300));
    } else if (OBEYED.matcher(said).find()) {
      return "the message has control characters: " + said;
    }
    return null;
  }

  /// The first lines of the stack below this class.
  private static String where(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return Arrays.stream(root.getStackTrace())
        .limit(12)
        .map(line -> "    at " + line)
        .reduce("", (a, b) -> a + b + "\n");
  }
}
