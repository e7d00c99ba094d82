package fathom.data;

import fathom.data.FolderScan.Entry;
import fathom.io.BadFileException;
import fathom.io.RegularFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Reads a folder of masks. It has a folder `images`, and beside it a folder `masks` (or
/// `groundTruth`, as BSDS500 calls it, or `labels`) in which every image has a mask of its name,
/// with any extension that a mask may have.
///
/// If `images` has folders `train` and `test`, and perhaps `val`, these are the parts, and the
/// masks lie in folders of the same names. Otherwise a fifth is for testing, drawn by the name of
/// each image, so that adding one moves no other. The names of the classes are in `classes.txt`,
/// one per line; without that file they are numbers, or background and foreground if there are two.
final class MaskFolder {
  private static final List<String> MASKS = List.of("masks", "groundTruth", "labels");
  private static final long MOST_TEXT = 1 << 20;

  /// The most memory that all images of a set may take, with a byte for each label.
  private static final long MOST_BYTES = 2L << 30;

  private final Path folder;
  private final Path images;
  private final Path masks;

  private record Pair(String name, Path image, Path mask) {}

  private MaskFolder(Path folder) {
    this.folder = folder;
    this.images = folder.resolve("images");
    this.masks =
        MASKS.stream()
            .map(folder::resolve)
            .filter(Files::isDirectory)
            .findFirst()
            .orElse(folder.resolve(MASKS.getFirst()));
    for (Path needed : List.of(images, masks)) {
      if (!Files.isDirectory(needed)) {
        throw new BadFileException(
            folder,
            "a folder of masks has a folder images and beside it one of %s, but here is no folder %s"
                .formatted(MASKS, needed.getFileName()));
      }
    }
  }

  /// Reads a folder. Throws [BadFileException] for a folder of another form, for an image without a
  /// mask, and for a mask that differs in size from its image or has labels without a name.
  static MaskSet read(String name, Path folder) {
    return new MaskFolder(folder).read(name);
  }

  private MaskSet read(String name) {
    List<Pair> train = pairs(List.of(FolderLayout.TRAIN));
    List<Pair> validation = pairs(FolderLayout.VALIDATION);
    List<Pair> test = pairs(List.of(FolderLayout.TEST));
    if (train.isEmpty() && test.isEmpty() && validation.isEmpty()) {
      FolderScan all = FolderScan.below(images);
      Set<Path> tested =
          TestShare.of(ImageReadOptions.Split.ALL_BY_NAME, 0, "", all).stream()
              .map(Entry::path)
              .collect(Collectors.toSet());
      for (Pair pair : pairs(images, masks)) {
        (tested.contains(pair.image) ? test : train).add(pair);
      }
    } else if (test.isEmpty()) {
      test = validation;
      validation = List.of();
    }
    if (train.isEmpty() || test.isEmpty()) {
      throw new BadFileException(
          images,
          "images to train with and images to test with are needed, but there are %s and %s; add folders train and test, or at least 5 images"
              .formatted(train.size(), test.size()));
    }
    var all = new ArrayList<Pair>(train);
    all.addAll(validation);
    all.addAll(test);
    int channels = checked(all);
    List<MaskFile.Labels> labels = labels(all);
    List<String> classes = classes(labels);
    List<MaskImage> read =
        IntStream.range(0, all.size())
            .parallel()
            .mapToObj(i -> image(all.get(i), labels.get(i), channels))
            .toList();
    int held = train.size() + validation.size();
    return new MaskSet(
        name,
        classes,
        read.subList(0, train.size()),
        validation.isEmpty() ? null : read.subList(train.size(), held),
        read.subList(held, read.size()));
  }

  /// Returns the pairs of the first of these folders that exists; none if none exists.
  private List<Pair> pairs(List<String> names) {
    for (String name : names) {
      if (Files.isDirectory(images.resolve(name))) {
        return pairs(images.resolve(name), masks.resolve(name));
      }
    }
    return new ArrayList<>();
  }

  private List<Pair> pairs(Path images, Path masks) {
    if (!Files.isDirectory(masks)) {
      throw new BadFileException(masks, "the masks of %s are missing: add them".formatted(images));
    }
    Map<String, Path> byStem = new HashMap<>();
    FolderScan there = FolderScan.below(masks);
    for (List<Entry> files : List.of(there.files(), there.others())) {
      for (Entry file : files) {
        if (MaskFile.isMask(file.path())) {
          byStem.put(stem(masks, file.path()), file.path());
        }
      }
    }
    var pairs = new ArrayList<Pair>();
    for (Entry image : FolderScan.below(images).files()) {
      String stem = stem(images, image.path());
      Path mask = byStem.get(stem);
      if (mask == null) {
        throw new BadFileException(
            image.path(),
            "every image has a mask of its name, PNG or .mat, but there is none in %s; add it, or remove the image"
                .formatted(masks));
      }
      pairs.add(new Pair(folder.relativize(image.path()).toString(), image.path(), mask));
    }
    return pairs;
  }

  /// Returns the path relative to `folder`, without the extension and in Unicode form NFC.
  private static String stem(Path folder, Path file) {
    String path = FolderScan.form(folder.relativize(file).toString());
    int dot = path.lastIndexOf('.');
    return dot > path.lastIndexOf(file.getFileSystem().getSeparator())
        ? path.substring(0, dot)
        : path;
  }

  /// Returns the number of channels that all images get. Throws if the images do not fit into
  /// memory.
  private int checked(List<Pair> all) {
    boolean grey = true;
    long pixels = 0;
    for (Pair pair : all) {
      ImageFile.Header header = ImageFile.header(pair.image);
      grey &= header.grey();
      pixels += (long) header.width() * header.height();
    }
    int channels = grey ? 1 : 3;
    if (pixels * (channels + 1) > MOST_BYTES) {
      throw new BadFileException(
          folder,
          "at most %s MB of images and masks are held in memory, but these are %s; make the images smaller or take fewer"
              .formatted(MOST_BYTES >> 20, (pixels * (channels + 1)) >> 20));
    }
    return channels;
  }

  private static List<MaskFile.Labels> labels(List<Pair> all) {
    List<MaskFile.Labels> labels =
        all.parallelStream().map(pair -> MaskFile.read(pair.mask)).toList();
    boolean blackAndWhite =
        labels.stream().allMatch(mask -> MaskFile.isBlackAndWhite(mask.labels()));
    return blackAndWhite ? labels.stream().map(MaskFile.Labels::ofBlackAndWhite).toList() : labels;
  }

  private List<String> classes(List<MaskFile.Labels> labels) {
    int largest = 0;
    for (MaskFile.Labels mask : labels) {
      for (byte label : mask.labels()) {
        largest = label == MaskImage.UNLABELLED ? largest : Math.max(largest, label & 0xff);
      }
    }
    if (largest > Byte.MAX_VALUE) {
      throw new BadFileException(
          masks,
          "masks have at most 128 classes and 255 where nothing is known, but there is a label %s; are these images instead of labels?"
              .formatted(largest));
    }
    Path file = folder.resolve("classes.txt");
    if (Files.exists(file)) {
      List<String> names =
          RegularFile.text(file, MOST_TEXT)
              .lines()
              .map(String::strip)
              .filter(s -> !s.isEmpty())
              .toList();
      if (names.size() <= largest) {
        throw new BadFileException(
            file,
            "every class has a name in a line of its own, but there are %s names and a label %s"
                .formatted(names.size(), largest));
      }
      return names;
    }
    return largest <= 1
        ? List.of("background", "foreground")
        : IntStream.rangeClosed(0, largest).mapToObj(Integer::toString).toList();
  }

  private static MaskImage image(Pair pair, MaskFile.Labels labels, int channels) {
    ImageFile.Header header = ImageFile.header(pair.image);
    if (header.height() != labels.height() || header.width() != labels.width()) {
      throw new BadFileException(
          pair.mask,
          "a mask has the size of its image, but this one is %s×%s and %s is %s×%s"
              .formatted(
                  labels.width(),
                  labels.height(),
                  pair.image.getFileName(),
                  header.width(),
                  header.height()));
    }
    byte[] pixels = new byte[channels * labels.height() * labels.width()];
    ImageFile.read(
        pair.image,
        CropRegion.largest(labels.height(), labels.width()),
        new Scaling.Target(channels, labels.height(), labels.width()),
        pixels,
        0);
    return new MaskImage(
        pair.name, channels, labels.height(), labels.width(), pixels, labels.labels());
  }
}
