package fathom.run;

import fathom.train.EarlyStopping;

/// The order and the sizes in which a training uses its data.
///
/// @param epochs the number of times that all data is used
/// @param batch the number of images of a batch, or of streams of a text, over all workers
/// @param window the number of characters that every stream reads in a step; 0 if the run learns no
///   text
/// @param validation the number of validation images, which are kept from training to compare the
///   epochs, so that the test images are used only at the end. They are those that the data has for
///   this purpose, or else this many are chosen at random; 0 for none
/// @param balanced whether the training images are drawn so that each class is equally likely; see
///   [fathom.data.BalancedOrder]
/// @param earlyStop after how many epochs without a better validation error the training ends
public record Sampling(
    int epochs, int batch, int window, int validation, boolean balanced, EarlyStopping earlyStop) {
  /// Makes a sampling that visits each example once in each of its epochs.
  public Sampling(int epochs, int batch, int window, int validation) {
    this(epochs, batch, window, validation, false, EarlyStopping.NONE);
  }

  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Sampling {
    Parts.check("epochs", epochs, epochs >= 1, "at least 1");
    Parts.check("batch", batch, batch >= 1, "at least 1");
    Parts.check(
        "window", window, window >= 0, "at least 1 character, or 0 where no text is learned");
    Parts.check("validation", validation, validation >= 0, "0 or more images");
    if (earlyStop.isGiven() && validation == 0) {
      throw new IllegalArgumentException(
          "`earlyStop` ends a training by its validation error, but there is no validation data; keep some images for it with `validation`, or leave `earlyStop` out");
    }
  }

  /// The sampling of images, without validation images.
  static Sampling of(int epochs, int batch) {
    return new Sampling(epochs, batch, 0, 0);
  }

  /// Returns this sampling with another number of epochs.
  public Sampling withEpochs(int epochs) {
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }

  /// Returns this sampling with another batch.
  public Sampling withBatch(int batch) {
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }

  /// Returns this sampling with another window. Throws `IllegalArgumentException` if the run learns
  /// no text, or if the window has no character.
  public Sampling withWindow(int window) {
    if (this.window == 0 || window < 1) {
      throw new IllegalArgumentException(
          this.window == 0
              ? "`window` is for text, but none is learned; leave it out"
              : "`window` is at least 1 character, but is " + window);
    }
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }

  /// Returns this sampling with another number of validation images.
  public Sampling withValidation(int validation) {
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }

  /// Returns this sampling with or without balanced classes.
  public Sampling withBalanced(boolean balanced) {
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }

  /// Returns this sampling with another early stopping. Throws `IllegalArgumentException` for one
  /// without validation images.
  public Sampling withEarlyStop(EarlyStopping earlyStop) {
    return new Sampling(epochs, batch, window, validation, balanced, earlyStop);
  }
}
