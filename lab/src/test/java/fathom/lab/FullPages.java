package fathom.lab;

import static fathom.lab.Figure.full;

import java.util.List;

/// What stands under "At size full" in `does-layer-norm-wipe-out-information.md` and
/// `why-normalization-regularizes.md`.
final class FullPages {
  private FullPages() {}

  static final List<Figure> INFORMATION =
      List.of(
          full("cards-norms", "layer norm, R² of tens", "Layer norm leaves %.2f of the tens"),
          full("cards-norms", "layer norm, R² of all", "and %.2f of all cards"),
          full("cards-norms", "layer norm behind a bias, R² of tens", "a bias %.2f of the tens"),
          full("edges-blank", "layer norm, gain on", "blank image %.1f times"),
          full(
              "edges-dissociation", "layer norm, R²(contrast", "contrast × outline pixels is %.2f"),
          full("edges-dissociation", "layer norm, R²(objects", "of the number of objects %.2f"),
          full("cards-value", "no norm, R² on other", "without a norm learn %.4f of the variance"),
          full("cards-value", "layer norm, no bias before it, R² on other", "and no bias %.3f"),
          full("cards-value", "layer norm behind a bias, R² on", "with a bias %.4f"),
          full("cards-value", "layer norm, no bias before it, R² where", "are gone %.2f"),
          full("cards-value", "no norm, R² where", "against %.2f"),
          full("cards-pooled", "layer norm behind a bias, R² of the count per card, 60", "at %.3f"),
          full(
              "cards-pooled",
              "layer norm behind a bias, R² of the count per card, 240",
              "and %.2f at 240"),
          full(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 60",
              "without the bias it is %.2f"),
          full(
              "cards-pooled",
              "layer norm, no bias before it, R² of the count per card, 240",
              "0.32 and %.1f"),
          full(
              "cards-pooled",
              "layer norm behind a bias, most frequent rank, right of 240",
              "for %.0f %% of the sets"),
          full("edges-few-to-many", "layer norm, F lost", "F falls by %.3f with"),
          full("edges-few-to-many", "no norm, F lost", "by %.3f without, for"));

  static final List<Figure> REGULARIZATION =
      List.of(
          full("zero-return", "layer norm, return", "|⟨G, W⟩| = %.0e where"),
          full("zero-return", "layer norm, ‖G‖·‖W‖", "‖G‖·‖W‖ = %.0f"),
          full("scaled-twins", "SGD, ×3, largest difference of the values", "steps to %.0e in"),
          full("norm-growth", "hidden layer 1, slope", "slope of %.2f"),
          full("norm-growth", "hidden layer 2, slope", "and %.2f by log t"),
          full("norm-growth", "hidden layer 1, ‖W‖⁴", "r⁴ ends at %.4f"),
          full("norm-growth", "hidden layer 2, ‖W‖⁴", "and %.4f times the line"),
          full("decay-times-rate", "η×1/4, λ×4, angle", "to 4η and λ/4 is %.3f"),
          full("decay-times-rate", "η×4, λ×1/4, angle", "to %.3f times"),
          full("decay-times-rate", "η×4, λ, angle", "turns %.2f times"),
          full("fisher-half-or-quarter", "layer norm of 64", "with 64 units by %.3f"),
          full("nonlinear-norm", "linear layers, training", "labels wrong, %.0f %% of 256"),
          full("nonlinear-norm", "linear layers and", "between them %.1f %%"),
          full("dead-directions", "layer norm, rank", "layer norm leaves %.0f, one"),
          full("final-gradients", "perceptron, growth of", "by %.1f and"),
          full("final-gradients", "ResNet-20, growth of", "and %.1f times less"),
          full("final-gradients", "ResNet-20, λ as it is, gradient", "grow to %.2f times"),
          full("final-gradients", "perceptron, λ as it is, gradient", "shrink to %.2f, which"));
}
