package fathom.run;

/// How the data is gone through.
///
/// @param epochs how often all of it is seen
/// @param batch the images of a batch, or the streams of a text, over all workers
/// @param window the characters that every stream reads in a step; 0 where no text is learned
/// @param validation how many training images are kept from training to judge the epochs, so that
///   the test images are seen at the end alone: those that the data has for it, or else so many
///   that are drawn; 0 for none
public record Sampling(int epochs, int batch, int window, int validation) {
  /// Throws `IllegalArgumentException` naming the component that is out of its range.
  public Sampling {
    Parts.check("epochs", epochs, epochs >= 1, "at least 1");
    Parts.check("batch", batch, batch >= 1, "at least 1");
    Parts.check(
        "window", window, window >= 0, "at least 1 character, or 0 where no text is learned");
    Parts.check("validation", validation, validation >= 0, "0 or more images");
  }

  /// Of images.
  static Sampling of(int epochs, int batch) {
    return new Sampling(epochs, batch, 0, 0);
  }

  public Sampling withEpochs(int epochs) {
    return new Sampling(epochs, batch, window, validation);
  }

  public Sampling withBatch(int batch) {
    return new Sampling(epochs, batch, window, validation);
  }

  /// Throws `IllegalArgumentException` where no text is learned, and for a window without a
  /// character.
  public Sampling withWindow(int window) {
    if (this.window == 0 || window < 1) {
      throw new IllegalArgumentException(
          this.window == 0
              ? "`window` is for text, but none is learned; leave it out"
              : "`window` is at least 1 character, but is " + window);
    }
    return new Sampling(epochs, batch, window, validation);
  }

  public Sampling withValidation(int validation) {
    return new Sampling(epochs, batch, window, validation);
  }
}
