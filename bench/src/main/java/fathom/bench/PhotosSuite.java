package fathom.bench;

import java.util.List;

/// Measures what a user waits for who has a folder of photos: `predict` of 2,000 JPEG files of
/// 500×375 by ResNet-18, as a whole process, against a script with PyTorch, Pillow and processes
/// that decode.
final class PhotosSuite {
  private static final int PHOTOS = 2000;

  /// One run takes a minute and more, and differs little from the next.
  private static final int MOST_ROUNDS = 7;

  private PhotosSuite() {}

  static List<Result> run(Piece.Terms terms) {
    try (var folder = SyntheticPhotos.make(PHOTOS);
        var files = new Exchange()) {
      return StartSuite.predictions(
          Suite.PHOTOS,
          "predict by %s, %s photos of 500×375".formatted(StartSuite.PHOTO_NET, PHOTOS),
          folder.train(),
          files,
          terms.atMost(MOST_ROUNDS));
    }
  }
}
