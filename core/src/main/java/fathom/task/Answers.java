package fathom.task;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// The predictions for all test images at the end of a run, as counts, and the worst mistakes
/// together with their images, so that they can be shown on a machine that does not have the data.
///
/// @param step the number of steps after which the net was evaluated
/// @param confusion how often images of each class were predicted as each class
/// @param worst the mistakes whose true class got the least probability, the worst first
/// @param calibration the reliability of the probabilities; null if an older version wrote the
///   answers
/// @param scaling what a temperature makes of them; null without validation images
public record Answers(
    long step,
    Confusion confusion,
    List<Mistake> worst,
    @Nullable Calibration calibration,
    @Nullable TemperatureScaling scaling) {
  /// The most mistakes that are kept.
  public static final int WORST = 24;

  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

  /// A test image that was predicted as another class.
  ///
  /// @param image the index of the image among the test images, from 0
  /// @param truth the true class
  /// @param given the predicted probability of the true class, 0 to 1
  /// @param prediction the predicted class
  /// @param belief the predicted probability of that class, 0 to 1
  /// @param png the image as a PNG file, perhaps shrunk
  /// @param file the absolute path of the file that the image was read from; empty if a file holds
  ///   several images
  public record Mistake(
      @JsonProperty("picture") int image,
      int truth,
      double given,
      @JsonProperty("guess") int prediction,
      double belief,
      byte[] png,
      String file) {
    public Mistake {
      if (image < 0 || truth < 0 || prediction < 0 || truth == prediction) {
        throw new IllegalArgumentException(
            "a mistake is an image 0 or later of a class that was taken for another one, but this is image %s of class %s taken for %s"
                .formatted(image, truth, prediction));
      }
      if (!(given >= 0 && given <= 1 && belief >= 0 && belief <= 1)) {
        throw new IllegalArgumentException(
            "probabilities are from 0 to 1, but of image %s they are %s and %s"
                .formatted(image, given, belief));
      }
      if (png.length < PNG.length || !Arrays.equals(png, 0, PNG.length, PNG, 0, PNG.length)) {
        throw new IllegalArgumentException("image %s is no PNG".formatted(image));
      }
    }

    private Mistake of(String file) {
      return new Mistake(image, truth, given, prediction, belief, png, file);
    }
  }

  public Answers {
    worst = List.copyOf(worst);
    int classes = confusion.classes();
    for (Mistake mistake : worst) {
      if (mistake.truth >= classes || mistake.prediction >= classes) {
        throw new IllegalArgumentException(
            "%s classes are 0 to %s, but image %s of class %s was taken for %s"
                .formatted(classes, classes - 1, mistake.image, mistake.truth, mistake.prediction));
      }
    }
  }

  /// Makes answers without probabilities.
  public Answers(long step, Confusion confusion, List<Mistake> worst) {
    this(step, confusion, worst, null, null);
  }

  /// Makes the answers after `step` steps.
  ///
  /// @param fittedOn the number of images on which the predictions' temperature was fitted; 0 if it
  ///   was not
  /// @param files the file of each test image
  static Answers of(long step, Predictions predictions, int fittedOn, IntFunction<String> files) {
    List<Mistake> worst =
        predictions.worst(WORST).stream().map(m -> m.of(files.apply(m.image))).toList();
    return new Answers(
        step,
        predictions.confusion(),
        worst,
        predictions.calibration(),
        fittedOn == 0 ? null : predictions.scaling(fittedOn));
  }
}
