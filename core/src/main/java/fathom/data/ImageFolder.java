package fathom.data;

import fathom.BadFileException;
import fathom.data.FolderScan.Entry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// A folder per class, as [FolderLayout] says which file is for what.
///
/// Classes are sorted by name, and so are the images within their class.
///
/// Pictures that have one size keep it, and without a size that is asked for others are scaled to
/// 32×32: the largest centred square of each. If all are grey they have one channel, otherwise all
/// have three. Files that cannot be decoded are left out after the split, so that one that is
/// mended moves no other.
final class ImageFolder {
  private static final int SIDE = 32;

  private ImageFolder() {}

  static DataSet read(String name, Path folder, Reading reading) {
    FolderLayout layout = FolderLayout.of(folder, reading.split());
    var found = Found.in(files(layout));
    if (reading.strict() && !found.damaged.isEmpty()) {
      throw found.damaged.firstEntry().getValue();
    }
    checkTraining(layout, found);
    Scaling.Target size = found.size(reading);
    var parts = new ArrayList<Pictures>();
    var sources = new ArrayList<List<Origin.Source>>();
    var notices = new ArrayList<>(layout.notices());
    for (List<List<Entry>> part : layout.parts()) {
      List<List<Entry>> left = part.stream().map(found::without).toList();
      notices.addAll(without(folder, layout, part, left));
      parts.add(pictures(folder, left, size, reading));
      sources.add(sources(folder, left));
    }
    return new DataSet(
        name,
        layout.classes(),
        parts.getFirst(),
        parts.size() == 3 ? parts.get(1) : null,
        parts.getLast(),
        found.survey(layout.others(), notices),
        new Origin(
            folder,
            sources.getFirst(),
            sources.size() == 3 ? sources.get(1) : List.of(),
            sources.getLast()));
  }

  private static List<Origin.Source> sources(Path folder, List<List<Entry>> classes) {
    return classes.stream()
        .flatMap(List::stream)
        .map(file -> Origin.Source.of(folder, file))
        .toList();
  }

  private static List<Path> files(FolderLayout layout) {
    return layout.parts().stream()
        .flatMap(List::stream)
        .flatMap(List::stream)
        .map(Entry::path)
        .toList();
  }

  /// A sentence about the classes of which nothing is left in a part that tests or judges. Throws
  /// [BadFileException] if nothing is left at all.
  private static List<String> without(
      Path folder, FolderLayout layout, List<List<Entry>> part, List<List<Entry>> left) {
    if (left.stream().allMatch(List::isEmpty)) {
      throw new BadFileException(folder, "none of the images for testing can be decoded");
    }
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
                    part == layout.validation() ? "validation" : "testing",
                    empty.size(),
                    left.size(),
                    FolderLayout.some(empty)));
  }

  /// What was seen when every file was decoded.
  ///
  /// @param headers of those that can be decoded
  /// @param damaged the others, in the order of the files, and what is wrong with them
  private record Found(
      List<PictureFile.Header> headers, SequencedMap<Path, BadFileException> damaged) {
    static Found in(List<Path> files) {
      var headers = new PictureFile.@Nullable Header[files.size()];
      var failures = new @Nullable BadFileException[files.size()];
      IntStream.range(0, headers.length)
          .parallel()
          .forEach(i -> {
            try {
              headers[i] = PictureFile.whole(files.get(i));
            } catch (BadFileException e) {
              failures[i] = e;
            }
          });
      var damaged = new LinkedHashMap<Path, BadFileException>();
      for (int i = 0; i < failures.length; i++) {
        BadFileException failure = failures[i];
        if (failure != null) {
          damaged.put(files.get(i), failure);
        }
      }
      return new Found(
          Arrays.stream(headers).filter(Objects::nonNull).map(Objects::requireNonNull).toList(),
          damaged);
    }

    Scaling.Target size(Reading reading) {
      int channels = headers.stream().allMatch(PictureFile.Header::grey) ? 1 : 3;
      Survey.Size first = headers.getFirst().size();
      if (reading.size() == 0 && headers.stream().allMatch(h -> h.size().equals(first))) {
        return new Scaling.Target(channels, first.height(), first.width());
      }
      int side = reading.size() == 0 ? SIDE : reading.size();
      return new Scaling.Target(channels, side, side);
    }

    List<Entry> without(List<Entry> files) {
      return files.stream().filter(file -> !damaged.containsKey(file.path())).toList();
    }

    Survey survey(SortedMap<String, Integer> others, List<String> notices) {
      var formats = new TreeMap<String, Integer>();
      headers.forEach(header -> formats.merge(header.format(), 1, Integer::sum));
      List<Survey.Size> sizes =
          headers.stream()
              .map(PictureFile.Header::size)
              .sorted(Comparator.comparingLong(Survey.Size::pixels))
              .toList();
      return new Survey(
          formats,
          sizes.getFirst(),
          sizes.get(sizes.size() / 2),
          sizes.getLast(),
          damaged.entrySet().stream()
              .map(e ->
                  new Survey.Skipped(
                      e.getKey().toString(), String.valueOf(e.getValue().getMessage())))
              .toList(),
          others,
          notices);
    }
  }

  /// Every class can be learned.
  private static void checkTraining(FolderLayout layout, Found found) {
    for (int label = 0; label < layout.classes().size(); label++) {
      List<Entry> files = layout.train().get(label);
      if (found.without(files).isEmpty()) {
        Path first = files.getFirst().path();
        throw new BadFileException(
            Objects.requireNonNullElse(first.getParent(), first),
            "none of the %s pictures of the class %s can be decoded; the first: %s"
                .formatted(
                    files.size(),
                    layout.classes().get(label),
                    Objects.requireNonNull(found.damaged.get(first)).getMessage()));
      }
    }
  }

  private static Pictures pictures(
      Path folder, List<List<Entry>> classes, Scaling.Target size, Reading reading) {
    List<Path> files = classes.stream().flatMap(List::stream).map(Entry::path).toList();
    int[] labels =
        IntStream.range(0, classes.size())
            .flatMap(label -> IntStream.generate(() -> label).limit(classes.get(label).size()))
            .toArray();
    return reading.size() > 0
        ? new Photos(size.channels(), size.width(), files, labels)
        : inMemory(folder, files, labels, size);
  }

  private static Images inMemory(Path folder, List<Path> files, int[] labels, Scaling.Target size) {
    long bytes = (long) size.channels() * size.height() * size.width();
    if (bytes * labels.length > Integer.MAX_VALUE - 8) {
      throw new BadFileException(
          folder,
          "at most 2 GiB of pictures fit into one array, but there are %s of %s×%s×%s; make them smaller, or give --size to leave them in their files"
              .formatted(labels.length, size.channels(), size.height(), size.width()));
    }
    byte[] pixels = new byte[(int) bytes * labels.length];
    View view = View.largest(size.height(), size.width());
    IntStream.range(0, labels.length)
        .parallel()
        .forEach(i -> PictureFile.read(files.get(i), view, size, pixels, i * (int) bytes));
    return new Images(size.channels(), size.height(), size.width(), pixels, labels);
  }
}
