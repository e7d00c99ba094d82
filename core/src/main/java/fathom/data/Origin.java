package fathom.data;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// The place from which the images of a data set were read, so that they can be identified again.
///
/// @param place the folder, absolute
/// @param split how the images are divided if no folder says so
/// @param train the file of each training image, in the order of the images; empty if images share
///   files (IDX, CIFAR)
/// @param validation the files of [DataSet#validation()]; empty if there is none
/// @param test the files of [DataSet#test()]
public record Origin(
    Path place,
    ImageReadOptions.Split split,
    List<Source> train,
    List<Source> validation,
    List<Source> test) {
  /// Makes `place` absolute and copies the lists.
  public Origin {
    place = place.toAbsolutePath().normalize();
    train = List.copyOf(train);
    validation = List.copyOf(validation);
    test = List.copyOf(test);
  }

  /// Makes the origin of images that share files.
  public static Origin of(Path place) {
    return new Origin(place, ImageReadOptions.Split.BY_POSITION, List.of(), List.of(), List.of());
  }

  /// Returns whether every image has a file of its own.
  public boolean hasFiles() {
    return !train.isEmpty();
  }

  /// The file of an image.
  ///
  /// @param name the path relative to the folder, with slashes, in the Unicode form NFC, because a
  ///   system may store the same name in another form
  /// @param bytes its size
  /// @param from where it begins in its shard, which decides when an epoch visits it; 0 for a file
  ///   of its own
  public record Source(String name, long bytes, long from) {
    public Source {
      name = FolderScan.form(name);
    }

    /// Returns the source for `file`, which lies below `folder`.
    static Source of(Path folder, FolderScan.Entry file) {
      var name = new StringBuilder();
      for (Path part : folder.relativize(file.path())) {
        name.append(name.isEmpty() ? "" : "/").append(part);
      }
      return new Source(name.toString(), file.bytes(), file.from());
    }
  }

  /// Returns whether images for validation are drawn by the names of their files.
  boolean drawnByName() {
    return hasFiles() && split == ImageReadOptions.Split.ALL_BY_NAME;
  }

  /// Returns this origin with the training files at the positions `rest` left to train with, and
  /// those at `kept` for validation.
  Origin judgedBy(int[] rest, int[] kept) {
    return hasFiles() ? new Origin(place, split, at(train, rest), at(train, kept), test) : this;
  }

  /// Returns this origin with only the test files at these positions.
  Origin testedBy(int[] positions) {
    return test.isEmpty() ? this : new Origin(place, split, train, validation, at(test, positions));
  }

  private static List<Source> at(List<Source> files, int[] positions) {
    return Arrays.stream(positions).mapToObj(files::get).toList();
  }
}
