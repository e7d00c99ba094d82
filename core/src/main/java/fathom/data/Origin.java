package fathom.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Where the images of a data set were read, so that they are known again.
///
/// @param place the folder, absolute
/// @param split how the images are divided where no folder says so
/// @param train the file of each image, in the order of the images; empty where images share files
///   (IDX, CIFAR)
/// @param validation those of [DataSet#validation()]; empty without it
/// @param test those of [DataSet#test()]
public record Origin(
    Path place,
    ImageReadOptions.Split split,
    List<Source> train,
    List<Source> validation,
    List<Source> test) {
  public Origin {
    place = place.toAbsolutePath().normalize();
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /// Of images that share files.
  public static Origin of(Path place) {
    return new Origin(place, ImageReadOptions.Split.BY_POSITION, List.of(), List.of(), List.of());
  }

  /// Whether every image has a file of its own.
  public boolean hasFiles() {
    return !train.isEmpty();
  }

  /// The file of an image.
  ///
  /// @param name relative to the folder, with slashes, in the Unicode form NFC: a system may spell
  ///   the same name otherwise
  /// @param bytes its size
  public record Source(String name, long bytes) {
    public Source {
      name = FolderScan.form(name);
    }

    /// Of `file`, which lies below `folder`.
    static Source of(Path folder, FolderScan.Entry file) {
      var name = new StringBuilder();
      for (Path part : folder.relativize(file.path())) {
        name.append(name.isEmpty() ? "" : "/").append(part);
      }
      return new Source(name.toString(), file.bytes());
    }
  }

  /// Whether images for validation are drawn by the names of their files.
  boolean drawnByName() {
    return hasFiles() && split == ImageReadOptions.Split.ALL_BY_NAME;
  }

  /// With these of the files for training left, and those kept for validation.
  Origin judgedBy(int[] rest, int[] kept) {
    return hasFiles() ? new Origin(place, split, at(train, rest), at(train, kept), test) : this;
  }

  /// With these of the files for testing.
  Origin testedBy(int[] positions) {
    return test.isEmpty() ? this : new Origin(place, split, train, validation, at(test, positions));
  }

  private static List<Source> at(List<Source> files, int[] positions) {
    return Arrays.stream(positions).mapToObj(files::get).toList();
  }
}
