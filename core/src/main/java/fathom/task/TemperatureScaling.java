package fathom.task;

/// What a temperature, fitted on validation images, makes of the probabilities for the test images.
///
/// @param temperature the number by which logits are divided; see [Temperature]
/// @param fittedOn the number of validation images
/// @param crossEntropy the mean cross-entropy of the test images with it, in nats
/// @param calibration the reliability of the probabilities with it
public record TemperatureScaling(
    double temperature, int fittedOn, double crossEntropy, Calibration calibration) {
  /// Throws `IllegalArgumentException` for a temperature that is no positive number, or a negative
  /// count.
  public TemperatureScaling {
    if (!(temperature > 0 && temperature < Double.POSITIVE_INFINITY) || fittedOn < 0) {
      throw new IllegalArgumentException(
          "a temperature is above 0 and fitted on 0 or more images, but is %s and fitted on %s"
              .formatted(temperature, fittedOn));
    }
  }
}
