package fathom.data;

/// Labelled images of one size: [Images], which are in memory, or [Photos], which are decoded from
/// their files each time they are used.
public sealed interface LabelledImages permits Images, Photos {
  /// 1 for grey, 3 for red, green, blue.
  int channels();

  int height();

  int width();

  /// The class of each image, counted from 0.
  int[] labels();

  /// The number of images.
  default int count() {
    return labels().length;
  }

  /// Bytes of one image: `C·H·W`.
  default int size() {
    return channels() * height() * width();
  }

  /// The first `n` images.
  LabelledImages take(int n);

  /// The images at these positions, in this order.
  LabelledImages select(int[] positions);

  /// The images whose class has a new label, 0 or more, under that label, in their order; the
  /// others are left out. Shares what it can with these.
  ///
  /// @param labels the new label of each class
  LabelledImages relabelled(int[] labels);

  /// All of them in memory, as they are seen in tests. Throws [fathom.io.BadFileException] if a
  /// file has been damaged since it was opened, and `IllegalArgumentException` if they are more
  /// than 2 GiB.
  Images images();

  /// The same images, which `decoders` decode ahead where a [Loader] is told what it will be asked
  /// for.
  LabelledImages decodedBy(Decoders decoders);
}
