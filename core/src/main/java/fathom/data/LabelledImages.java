package fathom.data;

/// Labelled images of one size: [Images], which are in memory, or [Photos], which are decoded from
/// their files each time they are used.
public sealed interface LabelledImages permits Images, Photos {
  /// The number of channels: 1 for grey, 3 for red, green, blue.
  int channels();

  /// The number of rows of an image.
  int height();

  /// The number of columns of an image.
  int width();

  /// The class of each image, counted from 0. The array must not be changed.
  int[] labels();

  /// Returns the number of images.
  default int count() {
    return labels().length;
  }

  /// Returns the number of bytes of one image: `C·H·W`.
  default int size() {
    return channels() * height() * width();
  }

  /// Returns the first `n` images. Throws `IllegalArgumentException` if there are fewer.
  LabelledImages take(int n);

  /// Returns the images at these positions, in this order.
  LabelledImages select(int[] positions);

  /// Returns the images whose class has a new label of 0 or more, with that label and in their
  /// order; images of other classes are left out. The result shares with these what it can.
  ///
  /// @param labels the new label of each class; a negative one leaves the class out
  LabelledImages relabelled(int[] labels);

  /// Returns the indices of the images in the order in which epoch `epoch` visits them.
  default int[] order(Epochs epochs, long epoch) {
    return epochs.order(epoch);
  }

  /// Returns all images in memory, as tests see them. Throws [fathom.io.BadFileException] if an
  /// image has been damaged since the folder was opened and nothing of its class can replace it, or
  /// if a file cannot be read, and `IllegalArgumentException` if the images take more than 2 GiB.
  Images images();

  /// Returns the same images, which `decoders` decode ahead where a [Loader] is told which ones it
  /// will be asked for.
  LabelledImages decodedBy(Decoders decoders);
}
