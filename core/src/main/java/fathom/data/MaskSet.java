package fathom.data;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Images with a label for every pixel, to train with and to test with.
///
/// @param name what the user called it: `masks:DIR`, or anything for images made in memory
/// @param classes the name of each class; a label is a position in this list. The first one is the
///   background
/// @param validation what judges epochs; null where `test` does that too
public record MaskSet(
    String name,
    List<String> classes,
    List<MaskImage> train,
    @Nullable List<MaskImage> validation,
    List<MaskImage> test)
    implements Data {
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
  }

  /// Without images for validation.
  public MaskSet(String name, List<String> classes, List<MaskImage> train, List<MaskImage> test) {
    this(name, classes, train, null, test);
  }

  static final String PREFIX = "masks:";

  /// The side of the squares that training sees, as runs have it.
  private static final int SIDE = 96;

  @Override
  public DataIdentity identity() {
    return DataIdentity.of(this);
  }

  @Override
  public @Nullable Path place() {
    return isNamedBy(name)
        ? Path.of(name.substring(PREFIX.length())).toAbsolutePath().normalize()
        : null;
  }

  @Override
  public List<Integer> input() {
    return List.of(channels(), SIDE, SIDE);
  }

  /// Whether `spec` names a folder of masks.
  public static boolean isNamedBy(String spec) {
    return spec.startsWith(PREFIX);
  }

  /// Reads `masks:DIR`; see [MaskFolder]. Throws `IllegalArgumentException` for what is no path,
  /// and [fathom.io.BadFileException] for a folder of another form.
  public static MaskSet open(String spec) {
    try {
      return MaskFolder.read(spec, Path.of(spec.substring(PREFIX.length())));
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("\"%s\" is not the name of a folder".formatted(spec), e);
    }
  }

  /// The channels of all images: 1 for grey, 3 for red, green, blue.
  public int channels() {
    return train.getFirst().channels();
  }

  /// What share of the labelled pixels of the training images each class has.
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
