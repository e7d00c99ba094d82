package fathom.data;

import fathom.Shape;
import fathom.data.FolderScan.Entry;
import fathom.data.Manifest.Seen;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The headers of the image files, or the damage that was seen in them. Files that the manifest
/// knows are not opened.
final class HeaderScan {
  private static final int SIDE = 32;

  private final List<Entry> files;
  private final Set<Path> unopened;
  private final ImageReadOptions reading;
  private final Manifest manifest;
  private final Map<Path, Seen> seen = new ConcurrentHashMap<>();

  private HeaderScan(
      List<Entry> files, Set<Path> unopened, ImageReadOptions reading, Manifest manifest) {
    this.files = files;
    this.unopened = unopened;
    this.reading = reading;
    this.manifest = manifest;
  }

  /// Reads the headers of `files`; for those in `unopened` only the manifest is consulted. Throws
  /// [BadFileException] for a file that cannot be read, which is no damage of an image.
  static HeaderScan of(
      List<Entry> files, Set<Path> unopened, ImageReadOptions reading, Manifest manifest) {
    var scan = new HeaderScan(files, unopened, reading, manifest);
    files.parallelStream()
        .forEach(file -> {
          Seen known = manifest.get(file);
          if (known != null) {
            scan.seen.put(file.path(), known);
          } else if (!unopened.contains(file.path())) {
            scan.see(file, header(file));
          }
        });
    return scan;
  }

  private static Seen header(Entry file) {
    try {
      return new Seen(ImageFile.header(file.source()), null);
    } catch (BadFileException e) {
      checkReadable(file);
      return new Seen(null, problem(file, e));
    }
  }

  /// Returns the message without the name of the file, because a manifest may be used under another
  /// name of its folder.
  private static String problem(Entry file, BadFileException e) {
    String message = String.valueOf(e.getMessage());
    String name = file.path() + ": ";
    return message.startsWith(name) ? message.substring(name.length()) : message;
  }

  /// Throws [BadFileException] if the file cannot be read. A file counts as damaged only if all of
  /// it can be read and it is still no image.
  static void checkReadable(Entry file) {
    try (var in =
        file.shard() == null ? Files.newInputStream(file.path()) : file.source().stream()) {
      in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      throw new BadFileException(
          file.path(),
          "it is not there or cannot be read (%s), which is no damage of the image; check its permissions and where it lies"
              .formatted(RegularFile.reason(e)),
          e);
    }
  }

  private void see(Entry file, Seen what) {
    seen.put(file.path(), what);
    manifest.put(file, what);
  }

  /// Decodes every file whose header is sound, to find out whether it can be decoded.
  void decodeAll() {
    var done = new AtomicLong();
    files.parallelStream()
        .forEach(file -> {
          Seen before = seen.get(file.path());
          if (before != null && before.header() != null && !unopened.contains(file.path())) {
            try {
              see(file, new Seen(ImageFile.whole(file.source()), null));
            } catch (BadFileException e) {
              damaged(file, e);
            }
          }
          reading.watcher().at(done.incrementAndGet(), files.size());
        });
  }

  /// Records that the header of `file` is sound and the rest is not. Throws [BadFileException] if
  /// the file cannot be read.
  void damaged(Entry file, BadFileException e) {
    checkReadable(file);
    see(file, new Seen(Objects.requireNonNull(seen.get(file.path())).header(), problem(file, e)));
  }

  /// Returns whether the file belongs to the data. An image that is decoded each time it is used
  /// belongs to it by its header alone, so neither a manifest nor damage that is found later
  /// changes which images there are.
  boolean isLeft(Entry file) {
    Seen what = seen.get(file.path());
    return what == null || (what.header() != null && (reading.size() > 0 || what.damage() == null));
  }

  /// Returns why the file cannot be decoded; null if no damage was seen.
  @Nullable BadFileException damage(Entry file) {
    Seen what = seen.get(file.path());
    String damage = what == null ? null : what.damage();
    return damage == null ? null : new BadFileException(file.path(), damage);
  }

  /// Returns the first damage in the order of the files, or null.
  @Nullable BadFileException firstDamage() {
    return files.stream()
        .filter(file -> !unopened.contains(file.path()))
        .flatMap(file -> Stream.ofNullable(damage(file)))
        .findFirst()
        .orElse(null);
  }

  /// Returns the known headers, but none of unopened files, so that it does not matter whether a
  /// manifest knows them.
  private List<ImageFile.Header> headers() {
    return files.stream()
        .filter(file -> isLeft(file) && !unopened.contains(file.path()))
        .flatMap(file -> Stream.ofNullable(seen.get(file.path())))
        .flatMap(what -> Stream.ofNullable(what.header()))
        .toList();
  }

  /// Returns the shape that the images are scaled to. In a run whose training images were scaled,
  /// images for tests are scaled too, even if they all have one size.
  Scaling.Target target() {
    List<ImageFile.Header> headers = headers();
    Shape tested = reading.tested();
    int found = headers.stream().allMatch(ImageFile.Header::grey) ? 1 : 3;
    int channels = tested == null ? found : Math.toIntExact(tested.size(0));
    if (reading.size() > 0) {
      return new Scaling.Target(channels, reading.size(), reading.size());
    }
    FolderSummary.Size first = headers.getFirst().size();
    boolean scaled = tested != null && tested.size(1) == SIDE && tested.size(2) == SIDE;
    return !scaled && headers.stream().allMatch(header -> header.size().equals(first))
        ? new Scaling.Target(channels, first.height(), first.width())
        : new Scaling.Target(channels, SIDE, SIDE);
  }

  FolderSummary summary(SortedMap<String, Integer> others, List<String> notices) {
    List<ImageFile.Header> headers = headers();
    var formats = new TreeMap<String, Integer>();
    headers.forEach(header -> formats.merge(header.format(), 1, Integer::sum));
    List<FolderSummary.Size> sizes =
        headers.stream()
            .map(ImageFile.Header::size)
            .sorted(Comparator.comparingLong(FolderSummary.Size::pixels))
            .toList();
    return new FolderSummary(
        formats,
        sizes.getFirst(),
        sizes.get(sizes.size() / 2),
        sizes.getLast(),
        skipped(false),
        others,
        notices,
        skipped(true));
  }

  /// Returns the damaged files that belong to the data (`left`), or those that do not. Unopened
  /// files are not included, so that it does not matter whether a manifest knows them.
  private List<FolderSummary.Skipped> skipped(boolean left) {
    return files.stream()
        .filter(file -> isLeft(file) == left && !unopened.contains(file.path()))
        .flatMap(file ->
            Stream.ofNullable(damage(file))
                .map(e ->
                    new FolderSummary.Skipped(
                        file.path().toString(), String.valueOf(e.getMessage()))))
        .toList();
  }
}
