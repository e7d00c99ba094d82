package fathom.data;

import fathom.RandomKey;

/// The colour augmentation of Krizhevsky, Sutskever and Hinton 2012 (section 4.1): to every pixel
/// (r, g, b) of an image is added
///
/// `[p₁ p₂ p₃] [α₁λ₁ α₂λ₂ α₃λ₃]ᵀ`,
///
/// where pᵢ and λᵢ are the eigenvectors and eigenvalues of the covariance of the colours of
/// ImageNet's training images, on the scale from 0 to 1, and each αᵢ is drawn once for the image
/// from a normal distribution with mean 0. The paper does not print pᵢ and λᵢ; these are the
/// figures that were published with the residual nets for Torch (`facebook/fb.resnet.torch`,
/// `datasets/imagenet.lua`), whose name for it is lighting. Nothing is rounded or cut off.
final class Lighting {
  /// λᵢ, of colours from 0 to 1.
  private static final double[] EIGENVALUES = {0.2175, 0.0188, 0.0045};

  /// Row c has the components of p₁, p₂ and p₃ for red, green or blue.
  private static final double[][] EIGENVECTORS = {
    {-0.5675, 0.7192, 0.4009}, {-0.5808, -0.0045, -0.8140}, {-0.5836, -0.6948, 0.4203}
  };

  private Lighting() {}

  /// Returns what is added to red, green and blue. αᵢ is `standardDeviation · key.normal(i)`, with
  /// i counted from 0.
  ///
  /// @param standardDeviation the standard deviation of αᵢ; 0.1 in the paper
  static float[] shift(double standardDeviation, RandomKey key) {
    var shift = new float[EIGENVECTORS.length];
    for (int c = 0; c < shift.length; c++) {
      double sum = 0;
      for (int i = 0; i < EIGENVALUES.length; i++) {
        sum += EIGENVECTORS[c][i] * standardDeviation * key.normal(i) * EIGENVALUES[i];
      }
      shift[c] = (float) sum;
    }
    return shift;
  }
}
