package fathom.data;

import fathom.data.FolderScan.Entry;
import fathom.data.ShardFile.Sample;
import fathom.io.BadFileException;
import fathom.io.HomeFolder;
import fathom.io.RegularFile;
import fathom.io.Shown;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Finds the images of shards ([ShardFile]): `DIR/train/*.tar` with `DIR/test/*.tar`, with
/// `DIR/val/*.tar` (also called `valid` or `validation`) in its place or in addition; or
/// `DIR/*.tar` alone, of which [TestShare] draws a part for testing. The shards of a part are in
/// the order of their names.
///
/// In place of a folder, a file may list the shards, a path in each line, relative to the folder of
/// the list: the parts are then those whose names the shards' folders have. So shards that many
/// programs share are used without being moved.
final class ShardLayout {
  private static final int MOST_LIST = 1 << 26;

  private static final Set<String> PARTS =
      Stream.concat(
              Stream.of(FolderLayout.TRAIN, FolderLayout.TEST), FolderLayout.VALIDATION.stream())
          .collect(Collectors.toSet());

  /// A label beyond this is no class of images.
  private static final int MOST_CLASSES = 1 << 20;

  /// The part of shards that lie in no folder of a part.
  private static final String WHOLE = "";

  private final Path folder;
  private final @Nullable SortedMap<String, List<Path>> listed;
  private final List<String> notices = new ArrayList<>();
  private List<String> classes = List.of();

  private ShardLayout(Path folder, @Nullable SortedMap<String, List<Path>> listed) {
    this.folder = folder;
    this.listed = listed;
  }

  /// Reads the headers and labels of all shards in `place`, a folder or a list. Throws
  /// [BadFileException] if one is damaged or missing, and if they do not agree about the classes.
  static FolderLayout of(Path place, ImageReadOptions.Split split) {
    return new ShardLayout(folder(place), Files.isDirectory(place) ? null : listed(place))
        .read(split);
  }

  /// Returns the folder to which the names of the shards in `place` are relative.
  static Path folder(Path place) {
    return Files.isDirectory(place)
        ? place
        : Objects.requireNonNull(place.toAbsolutePath().normalize().getParent());
  }

  /// Returns the shards of a list by the folder of a part that they lie in.
  private static SortedMap<String, List<Path>> listed(Path list) {
    Path folder = folder(list);
    SortedMap<String, List<Path>> parts = new TreeMap<>();
    Set<Path> all = new HashSet<>();
    for (String line : RegularFile.text(list, MOST_LIST).lines().map(String::strip).toList()) {
      if (line.isEmpty()) {
        continue;
      }
      Path shard = shard(list, folder, line);
      if (!all.add(shard)) {
        throw new BadFileException(list, "it names %s twice; remove one".formatted(shard));
      }
      String in = FolderScan.name(Objects.requireNonNullElse(shard.getParent(), folder));
      boolean known = PARTS.contains(in);
      parts.computeIfAbsent(known ? in : WHOLE, _ -> new ArrayList<>()).add(shard);
    }
    if (all.isEmpty()) {
      throw new BadFileException(
          list, "a list names a shard, a file NAME.tar, in each line, but this one names none");
    }
    if (parts.containsKey(WHOLE) && parts.size() > 1) {
      throw new BadFileException(
          list,
          "all shards of a list lie in folders named train, test or val, or none does, but of these there are shards: %s"
              .formatted(parts.values().stream().map(List::getFirst).toList()));
    }
    return parts;
  }

  private static Path shard(Path list, Path folder, String line) {
    try {
      Path shard = folder.resolve(HomeFolder.path(line)).normalize();
      if (FolderScan.extension(shard).equals("tar")) {
        return shard;
      }
    } catch (InvalidPathException e) {
      // It is refused as what is no shard.
    }
    throw new BadFileException(
        list,
        "a list names a shard, a file NAME.tar, in each line, but one line is %s"
            .formatted(Shown.name(line)));
  }

  private boolean has(String part) {
    return listed == null ? Files.isDirectory(folder.resolve(part)) : listed.containsKey(part);
  }

  private FolderLayout read(ImageReadOptions.Split split) {
    boolean divided = has(FolderLayout.TRAIN);
    if (!divided && listed != null && !has(WHOLE)) {
      throw new BadFileException(
          folder, "the list has shards of %s, but none of train".formatted(listed.keySet()));
    }
    List<ShardFile> trained = part(divided ? FolderLayout.TRAIN : WHOLE);
    List<ShardFile> tested =
        divided && has(FolderLayout.TEST) ? part(FolderLayout.TEST) : List.of();
    List<ShardFile> validated = List.of();
    for (String name : FolderLayout.VALIDATION) {
      if (divided && has(name)) {
        if (!validated.isEmpty()) {
          throw new BadFileException(
              folder, "one folder has the validation data, but there are two; remove one");
        }
        validated = part(name);
      }
    }
    if (divided && tested.isEmpty() && validated.isEmpty()) {
      throw new BadFileException(
          folder, "there is a folder train, but neither test nor val; add one with its shards");
    }
    checkClasses(List.of(trained, validated, tested));
    if (!divided) {
      return drawn(split, files(trained));
    }
    List<List<Entry>> learned = files(trained);
    checkLearned(learned);
    return new FolderLayout(
        classes,
        learned,
        tested.isEmpty() || validated.isEmpty() ? null : files(validated),
        files(tested.isEmpty() ? validated : tested),
        new TreeMap<>(),
        notices);
  }

  private List<ShardFile> part(String part) {
    Path of = folder.resolve(part);
    List<Path> tars =
        listed == null ? tars(of) : listed.getOrDefault(part, List.of()).stream().sorted().toList();
    if (tars.isEmpty()) {
      throw new BadFileException(
          of,
          "shards are files NAME.tar in this folder, or in train and test in it, but there are none; \"fathom data pack\" makes them");
    }
    List<ShardFile> shards = tars.parallelStream().map(ShardFile::of).toList();
    checkNotes(of, shards);
    return shards;
  }

  private static List<Path> tars(Path of) {
    FolderScan in = FolderScan.of(of);
    return Stream.concat(in.files().stream(), in.others().stream())
        .map(Entry::path)
        .filter(path -> FolderScan.extension(path).equals("tar"))
        .sorted()
        .toList();
  }

  /// Compares the shards of a part with what those say that Fathom packed.
  private static void checkNotes(Path of, List<ShardFile> shards) {
    Set<Integer> there = new HashSet<>();
    Set<String> parts = new HashSet<>();
    int count = 0;
    for (ShardFile shard : shards) {
      ShardNote note = shard.note();
      if (note == null) {
        continue;
      }
      if (!note.format().equals(ShardNote.FORMAT) || note.version() > ShardNote.VERSION) {
        throw new BadFileException(
            shard.file(),
            "it was packed in the form %s %s, and this version of Fathom reads %s %s; use a newer one"
                .formatted(note.format(), note.version(), ShardNote.FORMAT, ShardNote.VERSION));
      }
      if (note.samples() != shard.samples().size()
          || !note.digest().equals(ShardNote.digest(shard.samples()))) {
        throw new BadFileException(
            shard.file(),
            "it was packed with %s samples of other names, sizes or labels than the %s in it; it is damaged: use another copy, or pack it again"
                .formatted(note.samples(), shard.samples().size()));
      }
      parts.add(note.part());
      if (!there.add(note.shard()) || (count > 0 && count != note.shards()) || parts.size() > 1) {
        throw new BadFileException(
            shard.file(),
            "it is of another packing or part than the shards beside it; keep those of one");
      }
      count = note.shards();
    }
    if (count > 0 && (there.size() != count || shards.size() != count)) {
      throw new BadFileException(
          of,
          "%s shards were packed here, but there are %s; add the missing ones, or remove others"
              .formatted(count, shards.size()));
    }
  }

  private void checkClasses(List<List<ShardFile>> parts) {
    List<ShardFile> all = parts.stream().flatMap(List::stream).toList();
    int most = 0;
    for (ShardFile shard : all) {
      for (Sample sample : shard.samples()) {
        if (sample.label() >= MOST_CLASSES) {
          throw new BadFileException(
              shard.file(),
              "%s has the label %s, but there are at most %s classes"
                  .formatted(sample.name(), sample.label(), MOST_CLASSES));
        }
        most = Math.max(most, sample.label() + 1);
      }
    }
    ShardNote first = all.getFirst().note();
    for (ShardFile shard : all) {
      ShardNote note = shard.note();
      if (!names(first).equals(names(note))) {
        throw new BadFileException(
            shard.file(),
            "its classes are not those of %s; keep shards of one packing together"
                .formatted(all.getFirst().file()));
      }
    }
    if (first == null) {
      classes = IntStream.range(0, most).mapToObj(Integer::toString).toList();
      notices.add(
          folder + ": the shards do not name their classes, which are called by their numbers");
    } else if (most > first.classes().size()) {
      throw new BadFileException(
          folder,
          "%s classes have the labels 0 to %s, but a sample has %s"
              .formatted(first.classes().size(), first.classes().size() - 1, most - 1));
    } else {
      classes = first.classes();
    }
  }

  private static List<String> names(@Nullable ShardNote note) {
    return note == null ? List.of() : note.classes();
  }

  private List<List<Entry>> files(List<ShardFile> shards) {
    var files = new ArrayList<List<Entry>>();
    classes.forEach(_ -> files.add(new ArrayList<>()));
    for (ShardFile shard : shards) {
      shard.samples().forEach(sample -> files.get(sample.label()).add(sample.image()));
    }
    return files;
  }

  private void checkLearned(List<List<Entry>> learned) {
    for (int label = 0; label < learned.size(); label++) {
      if (learned.get(label).isEmpty()) {
        throw new BadFileException(
            folder,
            "every class has images to train with, but %s has none; labels are numbers from 0 on without a gap"
                .formatted(classes.get(label)));
      }
    }
  }

  private FolderLayout drawn(ImageReadOptions.Split split, List<List<Entry>> files) {
    checkLearned(files);
    List<String> sorted = classes.stream().sorted().toList();
    var train = new ArrayList<List<Entry>>();
    var test = new ArrayList<List<Entry>>();
    for (int label = 0; label < files.size(); label++) {
      String name = Objects.requireNonNull(classes.get(label));
      List<Entry> all = files.get(label);
      Set<Entry> tested =
          TestShare.of(
              split,
              sorted.indexOf(name),
              name,
              new FolderScan(all, List.of(), List.of(), List.of()));
      train.add(all.stream().filter(file -> !tested.contains(file)).toList());
      test.add(all.stream().filter(tested::contains).toList());
    }
    if (test.stream().allMatch(List::isEmpty)) {
      throw new BadFileException(
          folder,
          "a fifth of each class is for testing, which needs a class of at least 3 images; add images, or make DIR/train and DIR/test");
    }
    return new FolderLayout(classes, train, null, test, new TreeMap<>(), notices);
  }
}
