package fathom.data;

import fathom.io.HomeFolder;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Images with a label for every pixel, to train with and to test with.
///
/// @param name the specification by which the user named it, `masks:DIR`, or any name for images
///   made in memory
/// @param classes the name of each class; a label is a position in this list, and the first class
///   is the background
/// @param validation the images that each epoch is validated with; null if `test` serves for both
public record MaskSet(
    String name,
    List<String> classes,
    List<MaskImage> train,
    @Nullable List<MaskImage> validation,
    List<MaskImage> test)
    implements Data {
  /// A label is a byte of which the highest bit is left to [MaskImage#UNLABELLED].
  static final int MOST_CLASSES = 128;

  /// Throws `IllegalArgumentException` if there are fewer than two or more than 128 classes, no
  /// images to train or to test with, or a label that belongs to no class.
  public MaskSet {
    classes = List.copyOf(classes);
    train = List.copyOf(train);
    validation = validation == null ? null : List.copyOf(validation);
    test = List.copyOf(test);
    if (classes.size() < 2 || train.isEmpty() || test.isEmpty()) {
      throw new IllegalArgumentException(
          "masks have two classes or more, and an image at least to train and to test with, but %s have %s, %s and %s"
              .formatted(name, classes.size(), train.size(), test.size()));
    }
    if (classes.size() > MOST_CLASSES) {
      throw new IllegalArgumentException(
          "masks have at most %s classes, but %s have %s"
              .formatted(MOST_CLASSES, name, classes.size()));
    }
    for (List<MaskImage> images : List.of(train, test, validation == null ? test : validation)) {
      for (MaskImage image : images) {
        check(image, classes.size());
      }
    }
  }

  private static void check(MaskImage image, int classes) {
    for (byte label : image.mask()) {
      if (label != MaskImage.UNLABELLED && Byte.toUnsignedInt(label) >= classes) {
        throw new IllegalArgumentException(
            "labels are 0 to %s, or 255 where nothing is known, but %s has the label %s"
                .formatted(classes - 1, image.name(), Byte.toUnsignedInt(label)));
      }
    }
  }

  /// Makes a set without validation data.
  public MaskSet(String name, List<String> classes, List<MaskImage> train, List<MaskImage> test) {
    this(name, classes, train, null, test);
  }

  /// The prefix that marks a specification of data as the path of a folder of masks.
  static final String PREFIX = "masks:";

  /// The side of the square crops that training sees.
  private static final int SIDE = 96;

  @Override
  public DataIdentity identity() {
    return DataIdentity.of(this);
  }

  @Override
  public @Nullable Path place() {
    return isNamedBy(name)
        ? HomeFolder.path(name.substring(PREFIX.length())).toAbsolutePath().normalize()
        : null;
  }

  @Override
  public List<Integer> input() {
    return List.of(channels(), SIDE, SIDE);
  }

  /// Returns whether `spec` names a folder of masks.
  public static boolean isNamedBy(String spec) {
    return spec.startsWith(PREFIX);
  }

  /// Reads the folder that `spec`, `masks:DIR`, names; see [MaskFolder]. Throws
  /// `IllegalArgumentException` if DIR is no path, and [fathom.io.BadFileException] for a folder of
  /// another form.
  public static MaskSet open(String spec) {
    try {
      return MaskFolder.read(spec, HomeFolder.path(spec.substring(PREFIX.length())));
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("\"%s\" is not the name of a folder".formatted(spec), e);
    }
  }

  /// Returns the number of channels of all images: 1 for grey, 3 for red, green, blue.
  public int channels() {
    return train.getFirst().channels();
  }

  /// Returns the share, from 0 to 1, that each class has of the labelled pixels of the training
  /// images.
  public double[] shares() {
    long[] counts = new long[classes.size()];
    long all = 0;
    for (MaskImage image : train) {
      for (byte label : image.mask()) {
        if (label != MaskImage.UNLABELLED) {
          counts[label]++;
          all++;
        }
      }
    }
    double[] shares = new double[counts.length];
    for (int k = 0; k < shares.length; k++) {
      shares[k] = (double) counts[k] / Math.max(1, all);
    }
    return shares;
  }
}
