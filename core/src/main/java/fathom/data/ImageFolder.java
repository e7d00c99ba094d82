package fathom.data;

import fathom.data.FolderScan.Entry;
import fathom.io.BadFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/// Reads a folder of images with a folder per class, or of shards. A [FolderLayout] says which
/// image is for what.
///
/// Classes of folders are sorted by name, and so are the images within their class. Those of shards
/// are in the order of the shards' labels, and the images within their class as the shards have
/// them.
///
/// If all images have one size they keep it; otherwise, unless a size is asked for, the largest
/// centred square of each is scaled to 32×32. If all are grey they have one channel, otherwise
/// three. Files that cannot be decoded are left out after the split, so that repairing one moves no
/// other. Of images in memory, all damaged ones are left out; of images that are decoded each time
/// they are used, only those with a damaged header. [Photos] says what happens to the others.
final class ImageFolder {
  private ImageFolder() {}

  static DataSet read(String name, Path folder, ImageReadOptions reading) {
    return read(name, folder, FolderLayout.of(folder, reading.split()), reading);
  }

  static DataSet read(String name, Path folder, FolderLayout layout, ImageReadOptions reading) {
    Manifest manifest = Manifest.of(reading.cache(), folder);
    HeaderScan scan =
        HeaderScan.of(files(layout.parts()), unopened(layout, reading), reading, manifest);
    boolean fromFiles = reading.size() > 0;
    if (reading.whole() || (fromFiles && reading.strict())) {
      scan.decodeAll();
    }
    if (reading.tested() == null) {
      checkTraining(layout, scan);
    }
    List<LabelledImages> parts =
        fromFiles ? photos(layout, scan) : inMemory(folder, layout, scan, reading);
    manifest.write();
    BadFileException damage = scan.firstDamage();
    if (reading.strict() && damage != null) {
      throw damage;
    }
    var sources = new ArrayList<List<Origin.Source>>();
    var notices = new ArrayList<>(layout.notices());
    for (List<List<Entry>> part : layout.parts()) {
      List<List<Entry>> left = left(part, scan);
      notices.addAll(without(folder, layout, part, left));
      sources.add(sources(folder, left));
    }
    return new DataSet(
        name,
        layout.classes(),
        parts.getFirst(),
        parts.size() == 3 ? parts.get(1) : null,
        parts.getLast(),
        scan.summary(layout.others(), notices),
        new Origin(
            folder,
            reading.split(),
            sources.getFirst(),
            sources.size() == 3 ? sources.get(1) : List.of(),
            sources.getLast()));
  }

  private static List<Entry> files(List<List<List<Entry>>> parts) {
    return parts.stream().flatMap(List::stream).flatMap(List::stream).toList();
  }

  private static List<List<Entry>> left(List<List<Entry>> part, HeaderScan scan) {
    return part.stream().map(files -> files.stream().filter(scan::isLeft).toList()).toList();
  }

  /// Returns the files that must stay closed: if a run is only tested, those for training and
  /// validation are not needed, because the run already knows what it has to know of them.
  private static Set<Path> unopened(FolderLayout layout, ImageReadOptions reading) {
    if (reading.tested() == null || reading.whole()) {
      return Set.of();
    }
    Set<Path> closed = new HashSet<>();
    List<List<List<Entry>>> all = layout.parts();
    files(all.subList(0, all.size() - 1)).forEach(file -> closed.add(file.path()));
    return closed;
  }

  private static List<Origin.Source> sources(Path folder, List<List<Entry>> classes) {
    return classes.stream()
        .flatMap(List::stream)
        .map(file -> Origin.Source.of(folder, file))
        .toList();
  }

  /// Returns a sentence about the classes without any image in a part for testing or validation.
  /// Throws [BadFileException] if no class has one.
  private static List<String> without(
      Path folder, FolderLayout layout, List<List<Entry>> part, List<List<Entry>> left) {
    checkAny(folder, left);
    List<String> empty =
        IntStream.range(0, left.size())
            .filter(label -> left.get(label).isEmpty())
            .mapToObj(layout.classes()::get)
            .toList();
    return empty.isEmpty()
        ? List.of()
        : List.of(
            "%s: no images for %s of %s of the %s classes: %s"
                .formatted(
                    folder,
                    part.equals(layout.validation()) ? "validation" : "testing",
                    empty.size(),
                    left.size(),
                    FolderLayout.some(empty)));
  }

  private static void checkAny(Path folder, List<List<Entry>> left) {
    if (left.stream().allMatch(List::isEmpty)) {
      throw new BadFileException(folder, "none of the images for testing can be decoded");
    }
  }

  /// Throws [BadFileException] if a class has no image that can be decoded, because it could not be
  /// learned.
  private static void checkTraining(FolderLayout layout, HeaderScan scan) {
    for (int label = 0; label < layout.classes().size(); label++) {
      List<Entry> files = layout.train().get(label);
      if (files.stream().noneMatch(scan::isLeft)) {
        Path first = files.getFirst().path();
        throw new BadFileException(
            Objects.requireNonNullElse(first.getParent(), first),
            "none of the %s images of the class %s can be decoded; the first: %s"
                .formatted(
                    files.size(),
                    layout.classes().get(label),
                    Objects.requireNonNull(scan.damage(files.getFirst())).getMessage()));
      }
    }
  }

  private static List<LabelledImages> photos(FolderLayout layout, HeaderScan scan) {
    Scaling.Target size = scan.target();
    var replaced = new Replaced();
    var parts = new ArrayList<LabelledImages>();
    for (List<List<Entry>> part : layout.parts()) {
      List<List<Entry>> left = left(part, scan);
      List<Entry> files = left.stream().flatMap(List::stream).toList();
      parts.add(new Photos(size.channels(), size.width(), files, labels(left), replaced));
    }
    return parts;
  }

  /// Decodes all images. Those that cannot be decoded are left out; because such an image may have
  /// decided the common size, all are then decoded again. If the data is only tested with, the
  /// other parts have no images.
  private static List<LabelledImages> inMemory(
      Path folder, FolderLayout layout, HeaderScan scan, ImageReadOptions reading) {
    List<List<List<Entry>>> all = layout.parts();
    while (true) {
      checkAny(folder, left(all.getLast(), scan));
      Scaling.Target size = scan.target();
      var parts = new ArrayList<LabelledImages>();
      var sound = new AtomicBoolean(true);
      for (int i = 0; i < all.size(); i++) {
        boolean closed = reading.tested() != null && i < all.size() - 1;
        List<List<Entry>> left = closed ? List.of() : left(all.get(i), scan);
        List<Entry> files = left.stream().flatMap(List::stream).toList();
        parts.add(
            inMemory(
                folder,
                files,
                labels(left),
                size,
                (file, e) -> {
                  scan.damaged(file, e);
                  sound.set(false);
                }));
      }
      if (sound.get()) {
        return parts;
      }
      if (reading.tested() == null) {
        checkTraining(layout, scan);
      }
    }
  }

  private static int[] labels(List<List<Entry>> classes) {
    return IntStream.range(0, classes.size())
        .flatMap(label -> IntStream.generate(() -> label).limit(classes.get(label).size()))
        .toArray();
  }

  private static Images inMemory(
      Path folder,
      List<Entry> files,
      int[] labels,
      Scaling.Target size,
      BiConsumer<Entry, BadFileException> damaged) {
    long bytes = (long) size.channels() * size.height() * size.width();
    if (bytes * labels.length > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most 2 GiB of images fit into one array, but there are %s of %s×%s×%s; make them smaller, or give `size` to leave them in their files"
              .formatted(labels.length, size.channels(), size.height(), size.width()));
    }
    byte[] pixels = new byte[(int) bytes * labels.length];
    CropRegion view = CropRegion.largest(size.height(), size.width());
    IntStream.range(0, labels.length)
        .parallel()
        .forEach(i -> {
          try {
            ImageFile.read(files.get(i).source(), view, size, pixels, i * (int) bytes);
          } catch (BadFileException e) {
            damaged.accept(files.get(i), e);
          }
        });
    return new Images(size.channels(), size.height(), size.width(), pixels, labels);
  }
}
